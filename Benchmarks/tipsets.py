#!/usr/bin/env python3
"""Times the replay of whole tipsets, cold and warm, with a profile by part.

The chain is made here, on a genesis with mainnet's actors: in each tipset the blocks hold transfers, and cron and
rewards run as on any chain. Cold is one tipset in a process of its own whose compiled code is in the store: headers,
state and code are read and nothing is in memory yet. Warm is the range in one process. Figures are the best of the
runs; shares are those of that run. The next tipset is read ahead in one row and not in the other.
usage: Benchmarks/tipsets.py [--tipsets N] [--blocks K] [--messages M] [--rounds R] [--tier TIER] [--form FORM]...
"""
import argparse
import base64
import hashlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT / "../shared")).resolve()
BIN = pathlib.Path(os.environ.get("SMELT_BIN", ROOT / ".build/release"))
ALICE, BOB = "0x" + "11" * 20, "0x" + "22" * 20


def address(protocol, payload):
    """The text of an address with a key's hash (1) or a BLS key (3)."""
    check = hashlib.blake2b(bytes([protocol]) + payload, digest_size=4).digest()
    return f"f{protocol}" + base64.b32encode(payload + check).decode().lower().rstrip("=")


def smelt(*arguments):
    return subprocess.run([BIN / "smelt", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def make_chain(folder, options, code):
    """A chain of tipsets with transfers, as a file in each form."""
    bundle = SHARED / "bundles/builtin-actors-mainnet-v18.car.zst"
    smelt("genesis", "--bundle", bundle, "--network-version", 28, "--account", f"{ALICE}=1000000", "--account",
          f"{BOB}=1000", *["--miner", f"{address(1, b'o' * 20)},{address(3, b'w' * 48)}=100"] * options.blocks,
          "-o", folder / "state.car", *code)
    smelt("message", "make", "--from", ALICE, "--to", BOB, "--nonce", 0, "--value", "0.001", "--fee-cap", 10**12,
          "--premium", 1000, "--gas-limit", 10_000_000, "-o", folder / "message.json")
    message = json.loads((folder / "message.json").read_text())
    nonce, lines = 0, []
    for _ in range(options.tipsets):
        blocks = []
        for _ in range(options.blocks):
            blocks.append({"messages": [dict(message, Nonce=nonce + place) for place in range(options.messages)]})
            nonce += options.messages
        lines.append(json.dumps({"blocks": blocks}))
    # The head's own result is not in the chain.
    lines.append('{"blocks": [{}]}')
    (folder / "script.ndjson").write_text("\n".join(lines) + "\n")
    paths = {}
    for form in options.form:
        paths[form] = folder / f"chain.{form}"
        smelt("chain", "make", "--state", folder / "state.car", "--network-version", 28, "--script",
              folder / "script.ndjson", "--form", form, "-o", paths[form], "--quiet", *code)
    return paths


def replay(path, *arguments):
    return smelt("replay", "--chain", path, "--network-version", 28, "--wait", "--quiet", *arguments)


def warm(path, code, *arguments):
    """Tipsets and messages a second, and shares of the time in percent, of a range in one process."""
    text = replay(path, *code, *arguments)
    line = next(line for line in text.splitlines() if " tipsets, " in line)
    rate, messages = (float(value) for value in re.findall(r"([\d.]+) (?:a second|messages of blocks)", line))
    shares = dict(zip(("messages", "code", "reading", "states"), map(int, re.findall(r"(\d+) %", line))))
    return rate, messages, shares


def cold(path, code, heights):
    """Nanoseconds of single tipsets, each in a new process."""
    times = []
    for height in heights:
        report = json.loads(replay(path, *code, "--height", height, "--format", "json"))
        times.append(report["vectors"][0]["wall_nanoseconds"])
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tipsets", type=int, default=200)
    parser.add_argument("--blocks", type=int, default=2, help="of each tipset (default: 2)")
    parser.add_argument("--messages", type=int, default=10, help="of each block (default: 10)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tier", choices=["optimised", "baseline"], default="optimised")
    parser.add_argument("--form", action="append", choices=["plain", "zstd", "forest"])
    parser.add_argument("--store")
    options = parser.parse_args()
    options.form = options.form or ["forest"]
    if not (SHARED / "bundles").is_dir():
        sys.exit("not run: bundles are in the shared data, which is not there (set SMELT_SHARED)")
    code = ["--tier", options.tier] + (["--store", options.store] if options.store else [])
    with tempfile.TemporaryDirectory() as name:
        paths = make_chain(pathlib.Path(name), options, code)
        print(f"{options.tipsets} tipsets of {options.blocks} blocks with {options.messages} messages, "
              f"{options.tier} tier")
        print(f"{'':30}tipsets/s  messages/s   messages  code  headers and messages  states")
        for form, path in paths.items():
            replay(path, *code, "--last", 1)  # fills the store
            heights = [1 + options.tipsets * place // 7 for place in range(7)]
            middle = statistics.median(cold(path, code, heights))
            print(f"{form + ', cold':30}{1e9 / middle:9.1f}{1e9 / middle * options.blocks * options.messages:12.0f}")
            # A part of one is the whole, and parts are not read ahead.
            for title, more in [("warm", []), ("warm, nothing read ahead", ["--shard", "1/1"])]:
                rate, messages, shares = max((warm(path, code, *more) for _ in range(options.rounds)), key=lambda run: run[0])
                print(f"{form + ', ' + title:30}{rate:9.1f}{messages:12.0f}{shares['messages']:9} %{shares['code']:4} %"
                      f"{shares['reading']:20} %{shares['states']:6} %")


if __name__ == "__main__":
    main()
