#!/usr/bin/env bash
# Writes the sample vectors anew from the scenarios: exit codes and return data are the scenarios', gas, state roots
# and traces the reference interpreter's.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
swift build -c release -Xswiftc -enable-testing --product smelt-samples
mkdir -p Tests/Samples/vectors Tests/Samples/syscalls/vectors
"${SMELT_BIN:-.build/release}"/smelt-samples Tests/Samples/scenarios .build/samples Tests/Samples/vectors
"${SMELT_BIN:-.build/release}"/smelt-samples Tests/Samples/syscalls/scenarios .build/samples/syscalls Tests/Samples/syscalls/vectors
