#!/usr/bin/env bash
# Installs the Debian packages that building Smelt needs; does nothing when all of them are there.
set -euo pipefail

packages=(
    build-essential pkg-config llvm-19-dev lld-19 libffi-dev libgmp-dev libsodium-dev libssl-dev
    libtomcrypt-dev libsecp256k1-dev libyajl-dev libzstd-dev zlib1g-dev wabt binaryen python3 python3-pip zstd
)

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "smelt needs these Debian packages; installing them: ${missing[*]}" >&2
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "not root and no sudo: install them yourself, then run make again" >&2; exit 1; }
    run=(sudo)
fi
"${run[@]}" apt-get update -q
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
