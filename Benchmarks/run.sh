#!/usr/bin/env bash
# All benchmarks, each beside its peer in one run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python3 "$here/kernels.py"
python3 "$here/replay.py"
python3 "$here/replay.py" --tier baseline
python3 "$here/throughput.py"
python3 "$here/tipsets.py"
python3 "$here/tipsets.py" --tier baseline
