#!/usr/bin/env bash
# The main job on the built-in samples: actors to native code, messages to exact receipts.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
bin="${SMELT_BIN:-.build/release}"
show() { echo "+ $*"; "$@"; }
export XDG_CACHE_HOME="$root/.build/demo-cache"
show "$bin"/smelt compile .build/samples/*.wasm -o .build/samples/objects
show "$bin"/smelt run .build/samples/arithmetic.wasm fibonacci 20
show "$bin"/smelt replay Tests/Samples/vectors
