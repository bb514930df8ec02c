# Runs src/commands/NAME.ts for the script of that name in this folder, from wherever it is called.
scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
node="$scripts/../node_modules/.bin/node"
if [ ! -x "$node" ]; then
  node=node
  node -e 'import(process.argv[1]).then(({ demandNode24 }) => demandNode24())' "$scripts/node24.mjs" || exit 1
fi
# A small young generation (MiB): an import makes much garbage, and needs a third less memory in the same time.
exec "$node" --max-semi-space-size=4 "$scripts/../src/commands/$(basename -- "$0").ts" "$@"
