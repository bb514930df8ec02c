# Runs src/commands/NAME.ts for the script of that name in this folder, from wherever it is called.
scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
node="$scripts/../node_modules/.bin/node"
if [ ! -x "$node" ]; then
  node=node
  node -e 'import(process.argv[1]).then(({ demandNode24 }) => demandNode24())' "$scripts/node24.mjs" || exit 1
fi
exec "$node" "$scripts/../src/commands/$(basename -- "$0").ts" "$@"
