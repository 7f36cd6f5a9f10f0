#!/usr/bin/env python3
"""Derive each tipset of a chain file as a vector, sharing no code with Smelt, and compare what the vectors come to.

usage: tipset-vectors.py FILE OUT --network-version N [--chain-id N] [--smelt SMELT REPLAY-OPTION...]

FILE is a CAR of version 1 that holds headers, messages, states and receipts, as `smelt chain make` writes it (other
forms: `smelt chain export --form plain`). For each tipset that has a child the script works out, by the chain's rules
alone (FVM chain layer): the order of blocks, the messages that are applied, the node's own messages, penalties and
tips, circulating supply, base fee of the child, randomness, and the root of the receipts. It writes OUT/NAME.json, one
vector for each machine. With --smelt it runs them: the last state root of each tipset has to be the child's, and the
receipts have to make the child's receipts root.

Needs PyPI's cbor2. Vectors answer tipset CIDs by a rule of their own, so no message may ask for one.
"""
import argparse
import base64
import gzip
import hashlib
import json
import pathlib
import subprocess
import sys

import cbor2

FIL = 10**18
GAS_LIMIT = 2**62 - 1
VESTING = [(0, 10632000), (183, 51803587), (365, 31821712), (730, 7223364), (1095, 88536841), (2190, 409805053)]
LIFTOFF = -5
RESERVE = 300000000 * FIL
DRAND_PERIOD, DRAND_GENESIS = 3, 1692803367
BASE_FEE_MINIMUM, TARGET = 100, 5 * 10**9


class Link:
    """A CID, by its binary form."""

    def __init__(self, cid):
        self.cid = cid

    def __eq__(self, other):
        return isinstance(other, Link) and self.cid == other.cid

    def __hash__(self):
        return hash(self.cid)

    def __str__(self):
        return "b" + base64.b32encode(self.cid).decode().lower().rstrip("=")


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def link_of(data):
    """The DAG-CBOR, blake2b-256 CID of a block."""
    return Link(bytes([1, 0x71]) + b"\xa0\xe4\x02\x20" + blake(data))


def tagged(*arguments):
    """cbor2's versions hand over other things beside the tag."""
    tag = next(argument for argument in arguments if isinstance(argument, cbor2.CBORTag))
    return Link(bytes(tag.value[1:])) if tag.tag == 42 else tag


def decode(data):
    return cbor2.loads(data, tag_hook=tagged)


def links(item):
    if isinstance(item, Link):
        yield item
    elif isinstance(item, dict):
        yield from links(list(item.values()))
    elif isinstance(item, (list, tuple)):
        for element in item:
            yield from links(element)


def encode(value):
    if isinstance(value, Link):
        value = cbor2.CBORTag(42, b"\0" + value.cid)
    elif isinstance(value, (list, tuple)):
        head = cbor2.dumps([None] * len(value))[:-len(value)] if value else b"\x80"
        return head + b"".join(map(encode, value))
    elif isinstance(value, dict):
        assert len(value) < 24
        return bytes([0xA0 + len(value)]) + b"".join(encode(key) + encode(value[key]) for key in value)
    return cbor2.dumps(value)


def amount(data):
    """An amount: nothing for 0, else a sign byte and a magnitude."""
    value = int.from_bytes(data[1:], "big")
    return -value if data[:1] == b"\x01" else value


def amount_bytes(value):
    return b"" if value == 0 else b"\0" + value.to_bytes((value.bit_length() + 7) // 8, "big")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def leb(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def cid_length(data, at):
    end = at
    for _ in range(3):
        _, end = varint(data, end)
    size, end = varint(data, end)
    return end + size - at


def read_car(data):
    length, at = varint(data, 0)
    roots = decode(data[at:at + length])["roots"]
    at += length
    blocks = {}
    while at < len(data):
        length, at = varint(data, at)
        size = cid_length(data, at)
        blocks[Link(data[at:at + size])] = data[at + size:at + length]
        at += length
    return roots, blocks


def write_car(roots, blocks):
    header = encode({"roots": roots, "version": 1})
    out = [leb(len(header)), header]
    for link in sorted(blocks, key=lambda link: link.cid):
        out += [leb(len(link.cid) + len(blocks[link])), link.cid, blocks[link]]
    return b"".join(out)


def amt0(blocks, root):
    """Values of an array of version 0."""
    height, count, node = decode(blocks[root])
    values = {}

    def walk(node, height, first):
        bitmap, links, inline = node
        slots = [slot for slot in range(8) if bitmap[0] >> slot & 1]
        for slot, value in zip(slots, inline if height == 0 else links):
            if height == 0:
                values[first + slot] = value
            else:
                walk(decode(blocks[value]), height - 1, first + slot * 8**height)

    walk(node, height, 0)
    assert sorted(values) == list(range(count)), "array has gaps"
    return [values[index] for index in range(count)]


def amt0_root(values):
    """The root of the array of version 0 that holds these values."""
    def node(links, inline):
        size = len(links) or len(inline)
        return [bytes([(1 << size) - 1]), links, inline]

    nodes = [node([], values[at:at + 8]) for at in range(0, len(values), 8)] or [node([], [])]
    height = 0
    while len(nodes) > 1:
        links = [link_of(encode(child)) for child in nodes]
        nodes = [node(links[at:at + 8], []) for at in range(0, len(links), 8)]
        height += 1
    return link_of(encode([height, len(values), nodes[0]]))


def hamt(blocks, root, key):
    """The value of a key in a map of width 5, or None."""
    bits = int.from_bytes(hashlib.sha256(key).digest(), "big")
    node = decode(blocks[root])
    for level in range(51):
        field = int.from_bytes(node[0], "big")
        slot = bits >> 256 - 5 * (level + 1) & 31
        if not field >> slot & 1:
            return None
        pointer = node[1][bin(field & (1 << slot) - 1).count("1")]
        if not isinstance(pointer, Link):
            return next((value for name, value in pointer if name == key), None)
        node = decode(blocks[pointer])
    raise ValueError("map is too deep")


class State:
    def __init__(self, blocks, root):
        self.blocks = blocks
        version, self.actors, _ = decode(blocks[root])
        assert version == 5, "a state of version %d" % version

    def actor(self, number):
        return hamt(self.blocks, self.actors, b"\0" + leb(number))

    def balance(self, number):
        actor = self.actor(number)
        return None if actor is None else amount(actor[3])

    def fields(self, number, indexes):
        fields = decode(self.blocks[self.actor(number)[1]])
        return sum(amount(fields[index]) for index in indexes)


def supply(state, epoch, version):
    vested = 0
    for days, fil in VESTING:
        span, elapsed, whole = days * 2880, epoch - LIFTOFF, fil * FIL
        vested += whole if elapsed >= span else 0 if elapsed < 0 else whole - whole // span * (span - elapsed)
    reserve = state.balance(90)
    value = vested + state.fields(2, [8]) - state.balance(99) - state.fields(4, [4])
    value += 0 if reserve is None else RESERVE - reserve
    if version <= 22:
        value -= state.fields(5, [8, 9, 10])
    return max(0, value)


class Header:
    def __init__(self, link, data):
        (self.miner, self.ticket, election, self.beacons, _, self.parents, _, self.height, self.state, self.receipts,
         self.messages, _, self.time, _, _, fee) = decode(data)
        self.link, self.wins, self.fee = link, election[0], amount(fee)
        self.order = (blake(self.ticket[0]), link.cid)


class Message:
    def __init__(self, block, is_signed, link):
        self.link, self.raw_length = link, len(block)
        self.bytes = encode(decode(block)[0]) if is_signed else block
        (_, self.to, self.sender, self.nonce, _, self.limit, cap, premium, self.method, _) = decode(self.bytes)
        self.cap, self.premium = amount(cap), amount(premium)


def block_messages(blocks, header):
    bls, secp = decode(blocks[header.messages])
    return ([Message(blocks[link], False, link) for link in amt0(blocks, bls)]
            + [Message(blocks[link], True, link) for link in amt0(blocks, secp)])


def selected(messages):
    """What of each block's messages is applied."""
    expected, applied = {}, []
    for of_block in messages:
        taken = []
        for message in of_block:
            assert message.sender[0] != 0, "senders with id addresses are not worked out here"
            nonce = expected.setdefault(message.sender, message.nonce)
            if message.nonce == nonce:
                expected[message.sender] = nonce + 1
                taken.append(message)
        applied.append(taken)
    return applied


def owed(message, fee, receipt):
    """Penalty and tip of a message, from its receipt."""
    code, _, used = receipt[:3]
    if used == 0:
        return (fee * (560663 + 1300 * message.raw_length if code == 7 else message.limit), 0)
    pay = min(fee, message.cap)
    tip = message.premium if pay + message.premium <= message.cap else message.cap - pay
    over = min(max(0, message.limit - 11 * used // 10), used)
    burned = (message.limit - used) * over // used
    return ((fee - pay) * (used + burned), tip * message.limit)


def next_fee(fee, messages, version):
    every = [message for of_block in messages for message in of_block]
    if version < 28:
        limits = sum({message.link: message.limit for message in every}.values())
        step = max(-TARGET, min(TARGET, limits // len(messages) - TARGET))
        return max(BASE_FEE_MINIMUM, fee + fee * step // TARGET // 8)
    first = {}
    for message in every:
        first.setdefault((message.sender, message.nonce), message)
    total = quantile = 0
    for premium, limit in sorted(((min(m.premium, max(0, m.cap - fee)), m.limit) for m in first.values()),
                                 key=lambda pair: -pair[0]):
        total += limit
        if total > 7999999999:
            quantile = premium
            break
    most = -(-fee // 8)
    return max(BASE_FEE_MINIMUM, fee + min(most, quantile - most))


def implicit(to, epoch, method, params=b""):
    message = [0, b"\0" + leb(to), b"\0\0", epoch, b"", GAS_LIMIT, b"", b"", method, params]
    return {"bytes": base64.b64encode(encode(message)).decode(), "chain_length": 0, "kind": "implicit"}


def explicit(message):
    return {"bytes": base64.b64encode(message.bytes).decode(), "chain_length": message.raw_length, "kind": "explicit"}


class Chain:
    def __init__(self, path, version, chain_id):
        roots, self.blocks = read_car(pathlib.Path(path).read_bytes())
        self.version, self.chain_id = version, chain_id
        self.tipsets = []
        key = roots
        while True:
            headers = [Header(link, self.blocks[link]) for link in key]
            assert headers == sorted(headers, key=lambda header: header.order), "blocks are not in ticket order"
            self.tipsets.insert(0, headers)
            if headers[0].height == 0:
                break
            key = headers[0].parents
        self.start = self.tipsets[0][0].time

    def beacon(self, epoch):
        """The digest of an epoch's entry."""
        round = (self.start + 30 * (epoch - 1) - DRAND_GENESIS) // DRAND_PERIOD + 1
        for headers in self.tipsets:
            if headers[0].height >= epoch:
                return next(blake(data) for number, data in headers[0].beacons if number == round)
        raise ValueError("epoch %d is above the head" % epoch)

    def ticket(self, epoch):
        return next(blake(headers[0].ticket[0]) for headers in self.tipsets if headers[0].height >= epoch)

    def randomness(self, height):
        epochs = range(max(1, height - 20), height + 1)
        return ([{"on": ["beacon", epoch], "ret": base64.b64encode(self.beacon(epoch)).decode()} for epoch in epochs]
                + [{"on": ["chain", epoch], "ret": base64.b64encode(self.ticket(epoch)).decode()} for epoch in epochs])

    def reachable(self, blocks, root):
        found, pending = {}, [root]
        while pending:
            link = pending.pop()
            if link in found or link.cid[1] != 0x71 or link not in blocks:
                continue
            found[link] = blocks[link]
            pending += links(decode(blocks[link]))
        return found

    def vector(self, name, blocks, root, epoch, time, fee, height, messages):
        car = write_car([root], self.reachable(blocks, root))
        return {
            "class": "message", "_meta": {"id": name}, "car": base64.b64encode(gzip.compress(car, 1)).decode(),
            "preconditions": {
                "state_tree": {"root_cid": {"/": str(root)}}, "basefee": fee, "epoch": epoch, "timestamp": time,
                "circ_supply": supply(State(blocks, root), epoch, self.version), "chain_id": self.chain_id,
                "variants": [{"id": "nv%d" % self.version, "epoch": epoch, "nv": self.version}]},
            "apply_messages": messages, "randomness": self.randomness(height)}

    def derive(self, index, out, run):
        """Writes the vectors of a tipset; returns how many messages of blocks it applied."""
        headers, child = self.tipsets[index], self.tipsets[index + 1][0]
        height, fee, root = headers[0].height, headers[0].fee, headers[0].state
        messages = [block_messages(self.blocks, header) for header in headers]
        assert next_fee(fee, messages, self.version) == child.fee, "height %d: base fee of the child" % height
        receipts = amt0(self.blocks, child.receipts)
        assert amt0_root(receipts) == child.receipts, "height %d: receipts root" % height
        applied = selected(messages)
        assert len(receipts) == sum(map(len, applied)), "height %d: number of receipts" % height
        blocks = self.blocks
        for epoch in range(self.tipsets[index - 1][0].height + 1, height):
            name = "%06d-null-%06d" % (height, epoch)
            vector = self.vector(name, blocks, root, epoch, self.start + 30 * epoch, fee, height,
                                 [implicit(3, epoch, 2)])
            root, written = run(out, name, vector)
            blocks = {**blocks, **written}
        steps, left = [], iter(receipts)
        for header, of_block in zip(headers, applied):
            sums = [owed(message, fee, receipt) for message, receipt in zip(of_block, left)]
            reward = [header.miner, amount_bytes(sum(s[0] for s in sums)), amount_bytes(sum(s[1] for s in sums)),
                      header.wins]
            steps += [explicit(message) for message in of_block] + [implicit(2, height, 2, encode(reward))]
        steps.append(implicit(3, height, 2))
        name = "%06d-tipset" % height
        vector = self.vector(name, blocks, root, height, min(header.time for header in headers), fee, height, steps)
        (out / (name + ".json")).write_text(json.dumps(vector))
        return len(receipts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--network-version", type=int, required=True)
    parser.add_argument("--chain-id", type=int, default=31415926)
    parser.add_argument("--smelt", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chain = Chain(options.file, options.network_version, options.chain_id)
    smelt = options.smelt or []

    def run(out, name, vector):
        """Where a null round leads: what comes of a vector that demands nothing."""
        path = out / (name + ".json")
        path.write_text(json.dumps(vector))
        if not smelt:
            raise SystemExit("the chain has null rounds, whose states only a run gives: --smelt is needed")
        blessed = out / (name + ".blessed")
        subprocess.run([smelt[0], "replay", path, "--bless", blessed, "-q", *smelt[1:]], check=True,
                       stdout=subprocess.DEVNULL)
        made = json.loads(blessed.read_text())
        blessed.unlink()
        roots, written = read_car(gzip.decompress(base64.b64decode(made["car"])))
        return roots[-1], written

    count = sum(chain.derive(index, options.out, run) for index in range(1, len(chain.tipsets) - 1))
    print("%d tipsets, %d messages: receipts roots and base fees follow" % (len(chain.tipsets) - 2, count))
    if not smelt:
        return
    replay = subprocess.run([smelt[0], "replay", options.out, "--format", "json", "-q", *smelt[1:]],
                            stdout=subprocess.PIPE, check=True)
    results = {vector["name"]: vector for vector in json.loads(replay.stdout)["vectors"]}
    for index in range(1, len(chain.tipsets) - 1):
        height, child = chain.tipsets[index][0].height, chain.tipsets[index + 1][0]
        result = results["%06d-tipset" % height]
        if result["state_root"]["/"] != str(child.state):
            sys.exit("height %d: state root %s, the chain's is %s" % (height, result["state_root"]["/"], child.state))
        kinds = json.loads((options.out / ("%06d-tipset.json" % height)).read_text())["apply_messages"]
        receipts = []
        for message, step in zip(result["messages"], kinds):
            if step["kind"] == "explicit":
                events = message["events_root"]
                link = events and Link(base64.b32decode(events["/"][1:].upper() + "=" * (-len(events["/"][1:]) % 8)))
                receipts.append([message["exit_code"], base64.b64decode(message["return"]), message["gas_used"], link])
        if amt0_root(receipts) != child.receipts:
            sys.exit("height %d: receipts root %s, the chain's is %s" % (height, amt0_root(receipts), child.receipts))
    print("%d vectors: every tipset comes to the chain's state root and receipts root" % len(results))


main()
