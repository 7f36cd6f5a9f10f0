#!/usr/bin/env bash
# Programs in C, Go, Rust and Python replay the samples through libsmelt.so with callbacks of their own, and the 118
# mainnet messages where the shared data is there; bad inputs and failing callbacks in C. A language that is not
# installed is said to be left out. TRAPS: so often Go's program has each message of the samples trap that traps.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${SMELT_BUILD:-$PWD/.build}
bin=${SMELT_BIN:-$build/release}
shared=${SMELT_SHARED:-../shared}
library=$build/library
work=$build/library-tests
rm -rf "$work/samples" "$work/mainnet"
mkdir -p "$work"
export LD_LIBRARY_PATH="$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export XDG_CACHE_HOME="$work/cache"

# What the library shows is what the header declares, and no library of Swift is asked for.
sed -n 's/^[a-z].*[ *]\(smelt_[a-z_]*\)(.*/\1/p' Sources/CSmelt/include/smelt.h | sort > "$work/declared"
nm -D --defined-only "$library/libsmelt.so.1" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort > "$work/shown"
diff "$work/declared" "$work/shown" || { echo "library: functions of smelt.h (<) and of libsmelt.so (>) differ" >&2; exit 1; }
if ldd "$library/libsmelt.so.1" | grep -i swift; then echo "library: asks for Swift's runtime" >&2; exit 1; fi

Scripts/unpack-vectors.py "$work/samples" Tests/Samples/vectors
for bounds in guard check; do
    "$bin/smelt" compile .build/samples/*.wasm --store "$work/objects" --bounds "$bounds" --quiet > "$work/compile.log" 2>&1 ||
        { cat "$work/compile.log" >&2; exit 1; }
done
sets=("$work/samples")
if [ -d "$shared/vectors/nv18" ]; then
    bundle=$shared/bundles/builtin-actors-mainnet-v10.car.zst
    Scripts/unpack-vectors.py "$work/mainnet" "$shared/vectors/nv18" "$bundle"
    "$bin/smelt" compile "$bundle" --tier baseline --store "$work/objects" --quiet > "$work/compile.log" 2>&1 ||
        { cat "$work/compile.log" >&2; exit 1; }
    sets+=("$work/mainnet")
else
    echo "library: not run: the mainnet messages, as there is no shared data (set SMELT_SHARED)"
fi

replay() {
    local name=$1 cases=$2
    shift 2
    local said
    said=$("$@" 2> "$work/errors") || { head -20 "$work/errors" >&2; echo "library: $name, $(basename "$cases"): FAILED: $said"; exit 1; }
    echo "library: $name, $(basename "$cases"): ${said//$'\n'/, }"
}

flags=(-O2 -g -Wall -Wextra -Werror "-I$library" "-L$library" -pthread)
cc "${flags[@]}" -o "$work/failures" Tests/Library/failures.c -lsmelt
replay "C, failures" "$work/samples" "$work/failures" "$work/objects" "$work/samples"
# Where Swift's handler of crashes finds its helper it would install itself.
if swift=$(command -v swift); then
    root=$(dirname "$(dirname "$(readlink -f "$swift")")")
    replay "C, failures, beside a Swift toolchain" "$work/samples" \
        env SWIFT_ROOT="$root" "$work/failures" "$work/objects" "$work/samples"
fi
cc "${flags[@]}" -o "$work/replay-c" docs/examples/replay.c -lsmelt
for cases in "${sets[@]}"; do
    replay C "$cases" "$work/replay-c" "$work/objects" "$cases"
    replay "C, 4 threads" "$cases" "$work/replay-c" "$work/objects" "$cases" 4
    replay Python "$cases" python3 docs/examples/replay.py "$library/libsmelt.so.1" "$work/objects" "$cases"
done
if command -v rustc > /dev/null; then
    rustc --edition 2021 -O -D warnings -L "$library" -o "$work/replay-rs" docs/examples/replay.rs
    for cases in "${sets[@]}"; do replay Rust "$cases" "$work/replay-rs" "$work/objects" "$cases"; done
else
    echo "library: not run: Rust, as there is no rustc"
fi
if command -v go > /dev/null; then
    (cd docs/examples/replay-go && CGO_CFLAGS="-I$library" CGO_LDFLAGS="-L$library" GOCACHE="$work/go" GOFLAGS=-mod=mod \
        go build -o "$work/replay-go" .)
    for cases in "${sets[@]}"; do replay "Go, 4 goroutines" "$cases" "$work/replay-go" "$work/objects" "$cases" 4; done
    replay "Go, traps" "$work/samples" "$work/replay-go" "$work/objects" "$work/samples" 2 1 "${TRAPS:-2000}"
else
    echo "library: not run: Go, as there is no go"
fi
