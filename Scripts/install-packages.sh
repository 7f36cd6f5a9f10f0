#!/usr/bin/env bash
# Installs the Debian packages that building Smelt needs, and those named as arguments; does nothing when all of them are
# there.
set -euo pipefail

packages=(
    build-essential pkg-config "llvm-${SMELT_LLVM:-19}-dev" "lld-${SMELT_LLVM:-19}" libffi-dev libgmp-dev libsodium-dev libssl-dev
    liblmdb-dev libtomcrypt-dev libsecp256k1-dev libyajl-dev libgsl-dev libzstd-dev zlib1g-dev wabt binaryen python3 python3-pip zstd parallel "$@"
)

command -v swift > /dev/null || { echo "smelt: no 'swift' in PATH; Swift 6.3 is needed (swift.org)" >&2; exit 1; }

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

give_up() {
    echo "smelt: $1. Have this done as root, then run make again:" >&2
    echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
}

run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || give_up "Debian packages are missing, this is not root, and there is no sudo"
    run=(sudo)
fi
command -v apt-get > /dev/null || give_up "Debian packages are missing, and there is no apt-get"
echo "smelt needs these Debian packages; installing them${run[*]:+ with sudo}: ${missing[*]}" >&2
"${run[@]}" true || give_up "Debian packages are missing, this is not root, and sudo was refused"
# A registry that stumbles is asked again; another package manager at work is waited for.
options=(-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600)
"${run[@]}" apt-get "${options[@]}" update || give_up "the lists of Debian packages could not be updated"
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y --no-install-recommends \
    "${missing[@]}" || give_up "the Debian packages could not be installed"
