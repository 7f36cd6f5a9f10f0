#!/usr/bin/env bash
# Makes .build/pkgconfig: LLVM 19 (Debian ships no .pc for it) and blst (not in Debian; its sources come
# inside the source package of PyPI's ckzg, pinned by version and hash).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
pc="$root/.build/pkgconfig"
mkdir -p "$pc"

cat > "$pc/smelt-llvm-19.pc.new" <<PC
Name: smelt-llvm-19
Description: LLVM, as reported by llvm-config-19
Version: $(llvm-config-19 --version)
Cflags: -I$(llvm-config-19 --includedir)
Libs: -L$(llvm-config-19 --libdir) -lLLVM-19
PC
cmp -s "$pc/smelt-llvm-19.pc.new" "$pc/smelt-llvm-19.pc" || cp "$pc/smelt-llvm-19.pc.new" "$pc/smelt-llvm-19.pc"
rm "$pc/smelt-llvm-19.pc.new"

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
