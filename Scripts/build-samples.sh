#!/usr/bin/env bash
# Compiles the sample actors to .build/samples/*.wasm: C with the Swift toolchain's clang, Embedded Swift with
# swiftc, WAT with wabt. Does nothing when they are newer than their sources.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
actors="$root/Tests/Samples/actors"
refusals="$root/Tests/Samples/syscalls/actors"
out="$root/.build/samples"
mkdir -p "$out"
newest=$(find "$actors" "$refusals" "$0" -type f -newer "$out/stamp" 2>/dev/null | head -n 1 || true)
[ -f "$out/stamp" ] && [ -z "$newest" ] && exit 0

toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wasm_cc=("$toolchain/clang" --target=wasm32-unknown-unknown -Os -ffreestanding -fno-builtin -Wall -Wextra -Werror)
link=("$toolchain/wasm-ld" --no-entry --strip-all --stack-first -z stack-size=65536)

cd "$actors"
for name in counter arithmetic; do
    "${wasm_cc[@]}" -c "$name.c" -o "$work/$name.o"
    "${link[@]}" "$work/$name.o" -o "$work/$name.wasm"
done
# Without incremental code generation the object holds no hash that differs from build to build.
"${wasm_cc[@]}" -c heap.c -o "$work/heap.o"
swiftc -target wasm32-unknown-none-wasm -enable-experimental-feature Embedded \
    -enable-experimental-feature Extern -wmo -Osize -parse-as-library -Xfrontend -disable-stack-protector \
    -module-name sieve -Xfrontend -disable-incremental-llvm-codegen \
    -c sieve.swift -o "$work/sieve.o"
"${link[@]}" "$work/sieve.o" "$work/heap.o" -o "$work/sieve.wasm"
wat2wasm relay.wat -o "$work/relay.wasm"
mv "$work"/*.wasm "$out/"
mkdir -p "$out/syscalls"
for source in "$refusals"/*.wat; do
    wat2wasm "$source" -o "$out/syscalls/$(basename "$source" .wat).wasm"
done
touch "$out/stamp"
