#!/usr/bin/env bash
# Links libsmelt.so from the objects that `swift build --product smelt-interface` has made: the Swift runtime is inside,
# and nothing but the functions of smelt.h is shown. SANITIZER: address or thread, when the objects were made with it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${SMELT_BUILD:-.build}
out=$build/library
objects=$build/release/smelt-interface.product/Objects.LinkFileList
[ -f "$objects" ] || { echo "smelt: $objects is not there; run make library" >&2; exit 1; }
mkdir -p "$out"
major=$(sed -n 's/^#define SMELT_MAJOR //p' Sources/CSmelt/include/smelt.h)
minor=$(sed -n 's/^#define SMELT_MINOR //p' Sources/CSmelt/include/smelt.h)

cc -O2 -fPIC -Wall -Wextra -Werror -c -o "$out/last.o" Sources/CSmelt/library/last.c
libraries=()
for flag in $(pkg-config --libs gmp libsodium libcrypto libtomcrypt libsecp256k1 smelt-blst libzstd libffi); do
    case $flag in
    -pthread) ;;
    -Wl,*) libraries+=(-Xlinker "${flag#-Wl,}") ;;
    *) libraries+=("$flag") ;;
    esac
done
# A sanitizer's functions come with the program that loads the library.
if [ -n "${SANITIZER:-}" ]; then more=("-sanitize=$SANITIZER"); else more=(-Xlinker -z -Xlinker defs); fi
swiftc -emit-library -static-stdlib "${more[@]}" -o "$out/libsmelt.so.$major" "@$objects" "${libraries[@]}" \
    -Xlinker "-soname=libsmelt.so.$major" -Xlinker --version-script=Sources/CSmelt/library/smelt.map \
    -Xlinker -z -Xlinker nodelete -Xlinker --gc-sections -Xlinker "$out/last.o"
ln -sf "libsmelt.so.$major" "$out/libsmelt.so"
cp Sources/CSmelt/include/smelt.h "$out/smelt.h"
cat > "$out/smelt.pc" <<EOF
prefix=${PREFIX:-/usr/local}
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: smelt
Description: The Filecoin Virtual Machine, with actors compiled ahead of time
Version: $major.$minor
Libs: -L\${libdir} -lsmelt
Cflags: -I\${includedir}
EOF
