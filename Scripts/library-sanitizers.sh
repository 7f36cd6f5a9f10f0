#!/usr/bin/env bash
# libsmelt.so, made with the address and with the thread sanitizer, under its programs in C: replays by one thread and by
# four, bad inputs, failing callbacks, interruption. Takes a build for each.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${SMELT_BUILD:-$PWD/.build}
bin=${SMELT_BIN:-$root/release}
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
clang=$toolchain/bin/clang
failed=0
for sanitizer in address thread; do
    build=$root/$sanitizer
    work=$build/library-tests
    swift build -c release --sanitize="$sanitizer" --scratch-path "$build" --product smelt-interface > "$root/$sanitizer.log" 2>&1 ||
        { tail -20 "$root/$sanitizer.log" >&2; exit 1; }
    # The linker says of the sanitizer's own helpers that they cannot be shown.
    SMELT_BUILD=$build SANITIZER=$sanitizer Scripts/build-library.sh > "$build/link.log" 2>&1 ||
        { grep -v 'Cannot export local symbol' "$build/link.log" >&2; exit 1; }
    mkdir -p "$work"
    Scripts/unpack-vectors.py "$work/samples" Tests/Samples/vectors > /dev/null
    for bounds in guard check; do
        "$bin/smelt" compile .build/samples/*.wasm --store "$work/objects" --bounds "$bounds" --quiet > "$work/compile.log" 2>&1
    done
    export LD_LIBRARY_PATH="$build/library"
    export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:use_sigaltstack=0
    # Swift's runtime, which is not watched, makes globals at their first use, once for all threads.
    echo 'race:_WZ$' > "$work/suppressions"
    export TSAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:use_sigaltstack=0:suppressions=$work/suppressions
    # The thread sanitizer wants the address space as it was before kernels spread it more widely.
    prefix=()
    more=()
    # What this one watches of programs that use Grand Central Dispatch must be there, used or not.
    if [ "$sanitizer" = thread ]; then
        swift=$toolchain/lib/swift/linux
        more=("-L$swift" "-Wl,-rpath,$swift" -ldispatch -lBlocksRuntime)
    fi
    if [ "$sanitizer" = thread ] && setarch -R true 2> /dev/null; then prefix=(setarch -R); fi
    for program in Tests/Library/failures.c docs/examples/replay.c; do
        name=$(basename "$program" .c)
        "$clang" -fsanitize="$sanitizer" -O1 -g "-I$build/library" -o "$work/$name" "$program" "-L$build/library" -lsmelt \
            "${more[@]}" -pthread 2> "$build/link.log" ||
            { grep -v 'Cannot export local symbol' "$build/link.log" >&2; exit 1; }
        for threads in "" 4; do
            [ "$name" = failures ] && [ -n "$threads" ] && continue
            # shellcheck disable=SC2086
            if said=$("${prefix[@]}" "$work/$name" "$work/objects" "$work/samples" $threads 2> "$work/errors"); then
                echo "library, $sanitizer sanitizer, $name${threads:+, $threads threads}: $said"
            else
                head -60 "$work/errors" >&2
                echo "library, $sanitizer sanitizer, $name${threads:+, $threads threads}: FAILED: $said"
                failed=1
            fi
        done
    done
done
exit $failed
