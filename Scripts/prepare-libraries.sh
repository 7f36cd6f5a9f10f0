#!/usr/bin/env bash
# Makes the build folder's pkgconfig: LLVM (SMELT_LLVM, 19 by default; Debian ships no .pc for it) and blst (not in Debian; its sources come
# inside the source package of PyPI's ckzg, pinned by version and hash).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
pc="${SMELT_BUILD:-$root/.build}/pkgconfig"
mkdir -p "$pc"

llvm="${SMELT_LLVM:-19}"
cat > "$pc/smelt-llvm.pc.new" <<PC
Name: smelt-llvm
Description: LLVM, as reported by llvm-config-$llvm
Version: $("llvm-config-$llvm" --version)
Cflags: -I$("llvm-config-$llvm" --includedir)
Libs: -L$("llvm-config-$llvm" --libdir) -lLLVM-$llvm
PC
cmp -s "$pc/smelt-llvm.pc.new" "$pc/smelt-llvm.pc" || cp "$pc/smelt-llvm.pc.new" "$pc/smelt-llvm.pc"
rm "$pc/smelt-llvm.pc.new"

version=2.1.8
hash=d7bef6b425dca6995457fc59fc5b30211d9b28cbbeee0e7a7bef1372e13f29ca
blst="$root/.build/blst-$version"
if [ ! -f "$blst/lib/libblst.a" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    echo "smelt: fetching blst (inside ckzg $version from PyPI) and compiling it" >&2
    python3 -m pip download -q --no-deps --no-binary ckzg -d "$work" "ckzg==$version"
    echo "$hash  $work/ckzg-$version.tar.gz" | sha256sum -c --quiet
    tar -xzf "$work/ckzg-$version.tar.gz" -C "$work"
    source=$(find "$work" -type d -path '*blst/src' | head -n 1)
    mkdir -p "$blst/lib" "$blst/include"
    (cd "$work" && cc -O2 -fPIC -D__BLST_PORTABLE__ -c "$source/server.c" "$(dirname "$source")/build/assembly.S")
    ar rcs "$blst/lib/libblst.a.new" "$work/server.o" "$work/assembly.o"
    cp "$(dirname "$source")"/bindings/blst.h "$(dirname "$source")"/bindings/blst_aux.h "$blst/include/"
    mv "$blst/lib/libblst.a.new" "$blst/lib/libblst.a"
fi
cat > "$pc/smelt-blst.pc" <<PC
Name: smelt-blst
Description: BLS12-381 signatures
Version: $version
Cflags: -I$blst/include
Libs: -L$blst/lib -lblst
PC
