#!/bin/bash
# A chain's replay as a Slurm array; every task takes a part of one file that all nodes can read:
#   sbatch --array=1-16 docs/examples/replay-slurm.sh replay --chain FILE --from H --to H
# and afterwards:  smelt report merge parts/*.json
#SBATCH --job-name=smelt-replay
#SBATCH --cpus-per-task=2
#SBATCH --requeue
set -euo pipefail
mkdir -p parts
part="$SLURM_ARRAY_TASK_ID"
# A task that is run again writes its part again; it is there whole or not at all.
status=0
"${SMELT:-smelt}" "$@" --shard "$part/$SLURM_ARRAY_TASK_COUNT" --format json -q > "parts/$part.new" || status=$?
# 1 and 2 are results: a mismatch, a tipset that cannot be executed.
[ "$status" -le 2 ] && mv "parts/$part.new" "parts/$part.json"
[ "$status" -le 2 ]
