#!/usr/bin/env python3
"""Replays unpacked vectors (Scripts/unpack-vectors.py) through libsmelt.so with callbacks in Python.

usage: replay.py LIBRARY OBJECTS CASES    (OBJECTS: a directory that `smelt compile --store` has filled)
"""
import ctypes as c
import pathlib
import struct
import sys

OK, NOT_FOUND, REFUSED, HOST_FAULT = 0, -7, -8, -4


class Bytes(c.Structure):
    _fields_ = [("data", c.POINTER(c.c_uint8)), ("length", c.c_size_t)]

    def value(self):
        return c.string_at(self.data, self.length) if self.length else b""


class Amount(c.Structure):
    _fields_ = [("low", c.c_uint64), ("high", c.c_uint64)]


class EngineOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("store_directory", c.c_char_p), ("worker", c.c_char_p), ("bounds", c.c_int32),
                ("tier", c.c_int32), ("cpu_level", c.c_int32), ("jobs", c.c_uint32), ("no_signals", c.c_uint8)]


class Block(c.Structure):
    _fields_ = [("cid", Bytes), ("data", Bytes)]


GET = c.CFUNCTYPE(c.c_int32, c.c_void_p, Bytes, c.c_void_p)
HAS = c.CFUNCTYPE(c.c_int32, c.c_void_p, Bytes)
PUT = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Block), c.c_size_t)
RANDOMNESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_int64, c.POINTER(c.c_uint8))


class StoreCallbacks(c.Structure):
    _fields_ = [("size", c.c_size_t), ("context", c.c_void_p), ("get", GET), ("has", HAS), ("put", PUT),
                ("finalize", c.c_void_p)]


class Outside(c.Structure):
    _fields_ = [("size", c.c_size_t), ("context", c.c_void_p), ("chain_randomness", RANDOMNESS),
                ("beacon_randomness", RANDOMNESS), ("tipset_cid", c.c_void_p), ("consensus_fault", c.c_void_p),
                ("verify_proof", c.c_void_p), ("debug_log", c.c_void_p), ("proofs", c.c_int32)]


class Epoch(c.Structure):
    _fields_ = [("size", c.c_size_t), ("network_version", c.c_uint32), ("chain_id", c.c_uint64), ("epoch", c.c_int64),
                ("timestamp", c.c_uint64), ("base_fee", Amount), ("circulating_supply", Amount), ("state_root", Bytes),
                ("debugging", c.c_uint8), ("tracing", c.c_uint8)]


class Receipt(c.Structure):
    _fields_ = [("size", c.c_size_t), ("exit_code", c.c_uint32), ("gas_used", c.c_uint64), ("return_data", Bytes),
                ("return_codec", c.c_uint64), ("events_root", Bytes), ("gas_refund", c.c_uint64),
                ("gas_burned", c.c_uint64), ("penalty", Amount), ("miner_tip", Amount), ("base_fee_burn", Amount),
                ("over_estimation_burn", Amount), ("refund", Amount)]


def borrowed(data):
    """A structure that names the bytes; they must live as long as it."""
    buffer = (c.c_uint8 * max(1, len(data))).from_buffer_copy(data or b"\0")
    return Bytes(c.cast(buffer, c.POINTER(c.c_uint8)), len(data)), buffer


def sized(structure):
    structure.size = c.sizeof(structure)
    return structure


def blocks_of(path):
    data, at, blocks = path.read_bytes(), 0, {}
    while at < len(data):
        items = []
        for _ in range(2):
            (length,) = struct.unpack_from("<I", data, at)
            items.append(data[at + 4 : at + 4 + length])
            at += 4 + length
        blocks[items[0]] = items[1]
    return blocks


class Smelt:
    def __init__(self, library):
        self.library = c.CDLL(library)
        self.library.smelt_error_text.restype = c.c_char_p
        self.library.smelt_error_text.argtypes = [c.c_void_p]
        self.library.smelt_error_free.argtypes = [c.c_void_p]
        self.library.smelt_buffer_new.restype = c.c_void_p
        self.library.smelt_buffer_bytes.restype = Bytes
        for name in ("buffer_bytes", "buffer_free", "result_free", "session_free", "store_free", "engine_free"):
            getattr(self.library, "smelt_" + name).argtypes = [c.c_void_p]

    def __getattr__(self, name):
        """A function that reports failures: its error argument is added, a failure is raised."""
        function = getattr(self.library, "smelt_" + name)

        def call(*arguments):
            error = c.c_void_p()
            if function(*arguments, c.byref(error)) != OK:
                text = self.library.smelt_error_text(error).decode()
                self.library.smelt_error_free(error)
                raise RuntimeError(f"{name}: {text}")

        return call


def replay(smelt, engine, shared, path):
    case = [line.split() for line in path.read_text().splitlines()]
    facts = {words[0]: words[1:] for words in case}
    blocks = {**shared, **blocks_of(path.with_suffix(".blocks"))}
    answers = {(words[1], int(words[2])): bytes.fromhex(words[3]) for words in case if words[0] == "randomness"}

    def get(_, cid, buffer):
        data = blocks.get(cid.value())
        if data is None:
            return NOT_FOUND
        view, keep = borrowed(data)
        return smelt.library.smelt_buffer_set(c.c_void_p(buffer), view.data, c.c_size_t(len(keep) if data else 0))

    def put(_, rows, count):
        for row in rows[:count]:
            blocks[row.cid.value()] = row.data.value()
        return OK

    def randomness(source):
        def answer(_, epoch, digest):
            c.memmove(digest, answers.get((source, epoch), b"i_am_random_____i_am_random_____"), 32)
            return OK
        return RANDOMNESS(answer)

    has = HAS(lambda _, cid: OK if cid.value() in blocks else NOT_FOUND)
    callbacks = sized(StoreCallbacks(get=GET(get), has=has, put=PUT(put)))
    outside = sized(Outside(chain_randomness=randomness("chain"), beacon_randomness=randomness("beacon"), proofs=1))
    root, keep_root = borrowed(bytes.fromhex(facts["state_root"][0]))
    epoch = sized(Epoch(
        network_version=int(facts["network_version"][0]), chain_id=int(facts["chain_id"][0]),
        epoch=int(facts["epoch"][0]), timestamp=int(facts["timestamp"][0]),
        base_fee=Amount(*map(int, reversed(facts["base_fee"]))),
        circulating_supply=Amount(*map(int, reversed(facts["circulating_supply"]))), state_root=root))

    store, session, result = c.c_void_p(), c.c_void_p(), c.c_void_p()
    smelt.store_new(c.byref(callbacks), c.byref(store))
    smelt.session_new(engine, store, None, c.byref(session))
    differences = []
    try:
        smelt.session_begin(session, c.byref(epoch), c.byref(outside))
        for _, message, length, kind, exit_code, gas, returned in (words for words in case if words[0] == "message"):
            view, keep = borrowed(bytes.fromhex(message))
            smelt.session_apply(session, view, c.c_uint64(int(length)), int(kind), c.byref(result))
            receipt = sized(Receipt())
            smelt.library.smelt_result_receipt(result, c.byref(receipt))
            wanted = (int(exit_code), int(gas), b"" if returned == "-" else bytes.fromhex(returned))
            found = (receipt.exit_code, receipt.gas_used, receipt.return_data.value())
            if found != wanted:
                differences.append(f"receipt {found}, expected {wanted}")
            smelt.library.smelt_result_free(result)
        buffer = c.c_void_p(smelt.library.smelt_buffer_new())
        smelt.session_flush(session, buffer)
        if smelt.library.smelt_buffer_bytes(buffer).value().hex() != facts["final_root"][0]:
            differences.append("another state root")
        smelt.library.smelt_buffer_free(buffer)
    except RuntimeError as error:
        differences.append(str(error))
    smelt.library.smelt_session_free(session)
    smelt.library.smelt_store_free(store)
    return differences


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().splitlines()[-1])
    smelt = Smelt(sys.argv[1])
    cases = pathlib.Path(sys.argv[3])
    engine = c.c_void_p()
    options = sized(EngineOptions(store_directory=sys.argv[2].encode()))
    smelt.engine_new(c.byref(options), c.byref(engine))
    shared = blocks_of(cases / "shared.blocks")
    passed = failed = 0
    for path in sorted(cases.glob("*.case")):
        differences = replay(smelt, engine, shared, path)
        passed, failed = (passed + 1, failed) if not differences else (passed, failed + 1)
        for difference in differences:
            print(f"{path.stem}: {difference}")
    smelt.library.smelt_engine_free(engine)
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
    main()
