#!/usr/bin/env python3
"""Unpacks test vectors to plain files, for programs without a reader of JSON, base64, gzip or CAR.

Each vector NAME.json becomes NAME.case, lines of words (binary values in hexadecimal digits, amounts as two 64-bit
halves, the higher first), and NAME.blocks. Archives given after the vectors (.car or .car.zst) become shared.blocks.
A file of blocks is a row of: length of the CID, CID, length of the data, data; lengths are 32 bits, little-endian.
usage: Scripts/unpack-vectors.py OUT VECTORS [ARCHIVE...]
"""
import base64
import gzip
import json
import pathlib
import struct
import subprocess
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def cid_length(data, at):
    if data[at : at + 2] == b"\x12\x20":  # version 0
        return 34
    end = at
    for _ in range(3):  # version, codec, hash
        _, end = varint(data, end)
    length, end = varint(data, end)
    return end + length - at


def blocks_of(car):
    """The sections of a CAR of version 1 behind its header."""
    length, at = varint(car, 0)
    at += length
    while at < len(car):
        length, at = varint(car, at)
        cid = cid_length(car, at)
        yield car[at : at + cid], car[at + cid : at + length]
        at += length


def write_blocks(path, blocks):
    with open(path, "wb") as out:
        for cid, data in blocks:
            out.write(struct.pack("<I", len(cid)) + cid + struct.pack("<I", len(data)) + data)


def cid_bytes(text):
    body = text[1:].upper()  # 'b': base 32, lower case, no padding
    return base64.b32decode(body + "=" * (-len(body) % 8))


def halves(amount):
    return f"{int(amount) >> 64} {int(amount) & (1 << 64) - 1}"


def chain_length(message):
    """Of a message on chain: senders with secp256k1 keys and delegated ones sign each for themselves."""
    receiver = message[3] if message[2] == 0x58 else message[2] - 0x40
    sender = 3 + (1 if message[2] == 0x58 else 0) + receiver
    protocol = message[sender + (2 if message[sender] == 0x58 else 1)]
    return len(message) + (69 if protocol in (1, 4) else 0)


def case_of(vector):
    before, after = vector["preconditions"], vector["postconditions"]
    variant = before["variants"][0]
    yield f"network_version {variant['nv']}"
    yield f"epoch {variant['epoch']}"
    yield f"timestamp {before.get('timestamp') or variant['epoch'] * 30}"
    yield f"chain_id {before.get('chain_id') or 0}"
    yield f"base_fee {halves(before.get('basefee') or 100)}"
    yield f"circulating_supply {halves(before.get('circ_supply') or 2_000_000_000 * 10**18)}"
    yield f"state_root {cid_bytes(before['state_tree']['root_cid']['/']).hex()}"
    for answer in vector.get("randomness") or []:
        source, epoch = answer["on"][0], answer["on"][1]
        yield f"randomness {source} {epoch} {base64.b64decode(answer['ret']).hex()}"
    for message, receipt in zip(vector["apply_messages"], after["receipts"]):
        encoded = base64.b64decode(message["bytes"])
        returned = base64.b64decode(receipt["return"] or "").hex() or "-"
        kind = 1 if message.get("kind") == "implicit" else 0
        yield f"message {encoded.hex()} {message.get('chain_length') or chain_length(encoded)} {kind} " + (
            f"{receipt['exit_code']} {receipt['gas_used']} {returned}")
    yield f"final_root {cid_bytes(after['state_tree']['root_cid']['/']).hex()}"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    out, vectors = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    shared = []
    for archive in sys.argv[3:]:
        raw = pathlib.Path(archive).read_bytes()
        if raw[:4] == b"\x28\xb5\x2f\xfd":
            raw = subprocess.run(["zstd", "-dc", archive], check=True, capture_output=True).stdout
        shared += blocks_of(raw)
    write_blocks(out / "shared.blocks", shared)
    count = 0
    for path in sorted(vectors.glob("*.json")):
        vector = json.loads(path.read_bytes())
        (out / f"{path.stem}.case").write_text("\n".join(case_of(vector)) + "\n")
        write_blocks(out / f"{path.stem}.blocks", blocks_of(gzip.decompress(base64.b64decode(vector["car"]))))
        count += 1
    print(f"{count} vectors, {len(shared)} shared blocks in {out}")


if __name__ == "__main__":
    main()
