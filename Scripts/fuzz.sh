#!/bin/bash
# The fuzzing campaign over seeds A..B: prints each part's counts, then their sum `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/.."
seeds="$1"
tool=${SMELT_BIN:-.build/release}/smelt-fuzz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p .build/fuzz

part() { # name, command…
    echo "== $1"
    "${@:2}" > "$work/out" 2>"$work/errors"
    local status=$?
    cat "$work/out"
    tail -1 "$work/out" >> "$work/counts"
    # A crash of the tool itself has no line of counts.
    tail -1 "$work/out" | grep -q ' passed, ' || { tail -5 "$work/errors"; echo "0 passed, 1 failed, 0 skipped" >> "$work/counts"; }
    return $status
}

part "compiled code in every way" "$tool" --seeds "$seeds" --out .build/fuzz
part "a trap at each instruction" "$tool" --traps --seeds "$seeds" --out .build/fuzz
grep -q avx2 /proc/cpuinfo && part "compiled for x86-64-v3" "$tool" --ways v3 --seeds "$seeds" --out .build/fuzz
if python3 -c 'import wasmtime' 2>/dev/null && [ -r "${SMELT_SHARED:-../shared}/fvm/instr.py" ]; then
    "$tool" --seeds "$seeds" --write "$work/runs"
    part "wasmtime on instrumented modules" python3 Tests/Fuzz/witness.py run "$work/runs"
    "$tool" --seeds "$seeds" --mutants "$work/mutants"
    part "verdicts of wasmtime and wabt on damaged modules" python3 Tests/Fuzz/witness.py verdicts "$work/mutants"
else
    echo "not run: further witnesses need the PyPI package wasmtime and the shared data"
fi
echo
awk '{passed += $1; failed += $3; skipped += $5} END {
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0}' "$work/counts"
