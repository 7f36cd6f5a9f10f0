#!/bin/bash
# Kills compilations of the samples at random moments, KILLS times, the whole tree of processes or the command alone.
# Afterwards, each time, the store has nothing damaged; at the end the next compilation works and nothing half-written
# is left after a prune. Ends with `N passed, N failed`.
set -u
cd "$(dirname "$0")/.."
kills=${1:-500}
bin=${SMELT_BIN:-.build/release}
RANDOM=${SEED:-1}
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
inputs=(.build/samples/*.wasm)
passed=0 failed=0 killed=0
# How long an undisturbed compilation of all takes, in milliseconds: the range of the moments.
begin=$(date +%s%N)
"$bin/smelt" compile "${inputs[@]}" --store "$store" --quiet > "$store.log" 2>&1 || { cat "$store.log"; exit 1; }
range=$(( ($(date +%s%N) - begin) / 1000000 ))
for (( round = 0; killed < kills && round < 20 * kills; round++ )); do
    # Everything from the start, one object missing, or only the objects' entries there.
    case $((RANDOM % 3)) in
        0) rm -rf "${store:?}"/* ;;
        1) rm -f "$(find "$store/objects" -name '*.so' 2> /dev/null | shuf -n 1 --random-source=<(yes $round))" ;;
        2) find "$store/objects" -name '*.so' -delete 2> /dev/null ;;
    esac
    setsid "$bin/smelt" compile "${inputs[@]}" --store "$store" --quiet > "$store.log" 2>&1 &
    process=$!
    sleep "$(printf '0.%03d' $((RANDOM % (range < 999 ? range : 999))))"
    if kill -KILL $process 2> /dev/null; then killed=$((killed + 1)); fi
    wait $process 2> /dev/null
    if "$bin/smelt" store verify --store "$store" > "$store.log" 2>&1 && grep -q ' 0 damaged' "$store.log"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "round $round:" && cat "$store.log"
    fi
done
if "$bin/smelt" compile "${inputs[@]}" --store "$store" --quiet > "$store.log" 2>&1 \
    && "$bin/smelt" store verify --store "$store" | grep -q "^${#inputs[@]} checked\|0 damaged" \
    && "$bin/smelt" store prune --store "$store" > /dev/null && [ -z "$(find "$store" -name '*.new')" ]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    cat "$store.log"
fi
rm -f "$store.log"
echo "$killed kills survived; $passed passed, $failed failed"
[ $failed = 0 ]
