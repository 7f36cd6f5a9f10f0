#!/usr/bin/env bash
# Writes Tests/Samples/vectors anew from the scenarios: exit codes and return data are the scenarios', gas and state
# roots the reference interpreter's.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
swift build -c release -Xswiftc -enable-testing --product smelt-samples
mkdir -p Tests/Samples/vectors
.build/release/smelt-samples Tests/Samples/scenarios .build/samples Tests/Samples/vectors
