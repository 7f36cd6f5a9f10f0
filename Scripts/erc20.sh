#!/usr/bin/env bash
# Runs the commands of docs/erc20.md as they stand and checks what they print:
#   BUNDLE=builtin-actors-mainnet.car NETWORK=18 Scripts/erc20.sh
# Where vyper is installed, the contract is compiled anew and compared with the bytecode beside its source.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
BUNDLE=$(readlink -f "${BUNDLE:?the bundle of the network version}")
NETWORK=${NETWORK:-18}
OUT=${OUT:-$(mktemp -d)}
export BUNDLE NETWORK OUT
cd "$root"

contract=Tests/Samples/contracts/erc20
if vyper=$(command -v vyper) && [[ $("$vyper" --version) == 0.4.3* ]]; then
    diff <("$vyper" --evm-version paris "$contract.vy") "$contract.hex"
    echo "$contract.hex is what vyper makes of its source"
fi

steps=$(awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' docs/erc20.md)
bash -euo pipefail -c "$steps"

check() { grep -q -- "$2" "$OUT/$1" || { echo "erc20: $1 has no line '$2'" >&2; exit 1; }; }
word() { printf '5820%064x' "$1"; }
check deploy.txt "0x8f7a45ebde059392e46a46dcc14ab24681a961ea"
# What the interpreter uses for the same message (GenesisTests).
case $NETWORK in
18) check deploy.txt "exit code 0 (OK), 14578719 gas" ;;
28) check deploy.txt "exit code 0 (OK), 14349706 gas" ;;
esac
check deploy.txt "t1=ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
check deploy.txt "d=$(printf %064x 1000)"
# Exit codes and return values as bytes, in their order.
results=$(awk '$1 == "message" { sub(",", "", $5); printf "%s ", $5 }
    $1 == "return" && $2 ~ /^[0-9a-f]+$/ { printf "%s ", $2 }' "$OUT/calls.txt")
expected="0 $(word 1) 0 $(word 750) 0 $(word 250) 33 40 "
[ "$results" = "$expected" ] || { echo "erc20: got $results, expected $expected" >&2; exit 1; }
echo "ERC-20 at network version $NETWORK: deployed, transferred, read, reverted"
