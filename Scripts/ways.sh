#!/bin/bash
# Replays the mainnet vectors of SMELT_SHARED with every way of compiling; each line must be 118 passed.
set -u
cd "$(dirname "$0")/.."
shared="${SMELT_SHARED:-../shared}"
[ -r "$shared/vectors/nv18" ] || { echo "not run: the shared data is not there (set SMELT_SHARED)"; exit 0; }
levels="x86-64-v2"
grep -q avx2 /proc/cpuinfo && levels="$levels x86-64-v3"
failed=0
for cpu in $levels; do
    for bounds in guard check; do
        for tier in optimised baseline; do
            result=$("${SMELT_BIN:-.build/release}"/smelt replay "$shared/vectors/nv18" --golden "$shared/traces/nv18" \
                --bundle "$shared/bundles/builtin-actors-mainnet-v10.car.zst" --store .build/test-store \
                --cpu $cpu --bounds $bounds --tier $tier --wait --quiet) || failed=1
            echo "$cpu $bounds $tier: $(tail -1 <<< "$result")"
        done
    done
done
exit $failed
