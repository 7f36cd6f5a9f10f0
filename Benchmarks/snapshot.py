#!/usr/bin/env python3
"""What a large snapshot takes: a synthetic one (real state, filler blocks around it), read in place and from LMDB.

Makes SIZE GB at DIR/snapshot.car unless it is there, then measures in this order: opening without an index (which makes
one) and with it; time and anonymous memory to the first receipt of a transfer on the state inside; reads of blocks at
random, from a cold and from a warm page cache, each block compared with its CID; the same blocks in LMDB, with the same
comparison. The cold reads need root (drop_caches) and are left out without.
usage: Benchmarks/snapshot.py DIR [--size GB] [--reads N] [--keep]
"""
import argparse
import ctypes as c
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT / "../shared")).resolve()
BUILD = pathlib.Path(os.environ.get("SMELT_BUILD", ROOT / ".build"))
BIN = pathlib.Path(os.environ.get("SMELT_BIN", BUILD / "release"))
SEED = SHARED / "chain/butterflynet.car.zst"
PREFIX = bytes([1, 0x55, 0xA0, 0xE4, 0x02, 0x20])  # raw, blake2b-256


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def make(path, size, every):
    """Writes filler blocks, the seed's blocks in their midst; gives the CIDs of each `every`-th filler block."""
    seed = subprocess.run(["zstd", "-dc", SEED], check=True, capture_output=True).stdout
    length = at = shift = 0
    while True:
        byte = seed[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    head, body = seed[: at + length], seed[at + length :]
    rng = random.Random(1)
    pool = rng.randbytes(1 << 24)
    lengths = [rng.choice((100, 300, 900, 2000, 4000, 9000)) for _ in range(1 << 12)]
    written, number, sample, chunks = len(head), 0, [], [head]
    with open(path, "wb", buffering=1 << 24) as out:
        while written < size:
            if body and written > size // 2:
                chunks.append(body)
                written += len(body)
                body = b""
            length = lengths[number & 0xFFF]
            start = number * 7919 % (len(pool) - 10000)
            data = number.to_bytes(8, "little") + pool[start : start + length]
            cid = PREFIX + hashlib.blake2b(data, digest_size=32).digest()
            section = varint(len(cid) + len(data)) + cid + data
            chunks.append(section)
            written += len(section)
            if number % every == 0:
                sample.append(cid)
            number += 1
            if len(chunks) > 4096:
                out.write(b"".join(chunks))
                chunks = []
        out.write(b"".join(chunks))
    return number, sample


class Bytes(c.Structure):
    _fields_ = [("data", c.c_char_p), ("length", c.c_size_t)]


class Store:
    def __init__(self, path):
        self.library = c.CDLL(str(BUILD / "library/libsmelt.so.1"))
        for name in ("smelt_buffer_new", "smelt_error_text"):
            getattr(self.library, name).restype = c.c_void_p
        self.handle, error = c.c_void_p(), c.c_void_p()
        paths = (c.c_char_p * 1)(str(path).encode())
        if self.library.smelt_store_open(paths, c.c_size_t(1), c.byref(self.handle), c.byref(error)):
            raise RuntimeError(c.string_at(self.library.smelt_error_text(error)).decode())
        self.buffer = c.c_void_p(self.library.smelt_buffer_new())

    def get(self, cid):
        return self.library.smelt_store_get(self.handle, Bytes(cid, len(cid)), self.buffer, None) == 0

    def close(self):
        self.library.smelt_store_free(self.handle)


def anonymous():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) // 1024
    return 0


def drop_caches():
    try:
        os.sync()
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        return True
    except OSError:
        return False


def timed(work):
    start = time.monotonic()
    result = work()
    return time.monotonic() - start, result


def reads(store, cids):
    seconds, missing = timed(lambda: sum(not store.get(cid) for cid in cids))
    if missing:
        sys.exit(f"{missing} of {len(cids)} blocks are missing")
    return len(cids) / seconds


def measure_reads(name, path, cids):
    if drop_caches():
        store = Store(path)
        print(f"{name}: {reads(store, cids[: len(cids) // 20]):,.0f} reads/s cold", flush=True)
        store.close()
    store = Store(path)
    some = cids[: len(cids) // 4]
    reads(store, some)
    print(f"{name}: {reads(store, some):,.0f} reads/s warm, {anonymous()} MiB anonymous", flush=True)
    store.close()


def in_child(work):
    """Runs `work` in a process of its own, so that its memory is its own too."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work()
            sys.stdout.flush()
        except BaseException as error:
            print(f"failed: {error}", flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(1)


def first_receipt(path, form):
    """A transfer on the state inside, in a new process."""
    message = pathlib.Path(path).parent / "transfer.json"
    subprocess.run([BIN / "smelt", "message", "make", "--from", "f0100", "--to", "f099", "--nonce", "0", "--value", "1",
                    "-o", message], check=True)
    command = [BIN / "smelt", "apply", "--state", path, "--network-version", "28", "-m", message, "--quiet"]

    def work():
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, status, usage = os.wait4(process.pid, 0)
        return status, usage, process.stderr.read()

    seconds, (status, usage, said) = timed(work)
    if status:
        sys.exit(said.decode())
    print(f"{form}: first receipt after {seconds * 1000:.0f} ms, {usage.ru_maxrss // 1024} MiB at most", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--size", type=float, default=20)
    parser.add_argument("--reads", type=int, default=200_000)
    parser.add_argument("--keep", action="store_true", help="leave the files")
    options = parser.parse_args()
    if not SEED.is_file():
        sys.exit("not run: the state is in the shared data, which is not there (set SMELT_SHARED)")
    options.directory.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(options.directory / "cache")
    path = options.directory / "snapshot.car"
    size = int(options.size * 1e9)
    every = max(1, int(size / 2800 / options.reads))
    seconds, (count, sample) = timed(lambda: make(path, size, every))
    print(f"{count:,} blocks, {path.stat().st_size / 1e9:.1f} GB, made in {seconds:.0f} s", flush=True)
    random.Random(2).shuffle(sample)

    def opening():
        seconds, store = timed(lambda: Store(path))
        peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1]
        print(f"plain: opened without an index in {seconds:.1f} s, {int(peak) // 1024} MiB at most", flush=True)
        store.close()

    in_child(opening)
    index = sum(file.stat().st_size for file in (options.directory / "cache").rglob("*") if file.is_file())
    print(f"plain: index of {index / 1e6:.0f} MB", flush=True)

    def again():
        seconds, store = timed(lambda: Store(path))
        print(f"plain: opened with its index in {seconds * 1000:.1f} ms, {anonymous()} MiB anonymous", flush=True)
        store.close()

    in_child(again)
    first_receipt(path, "plain")
    in_child(lambda: measure_reads("plain", path, sample))

    database = options.directory / "lmdb"
    seconds, done = timed(lambda: subprocess.run(
        [BIN / "smelt", "chain", "import", path, "--into", database, "--quiet"], capture_output=True, text=True))
    if done.returncode:
        sys.exit(done.stderr)
    used = (database / "data.mdb").stat().st_blocks * 512
    print(f"LMDB: imported in {seconds:.0f} s, {used / 1e9:.1f} GB", flush=True)
    if not options.keep:
        path.unlink()
    in_child(lambda: measure_reads("LMDB", database, sample))
    first_receipt(database, "LMDB")
    if not options.keep:
        shutil.rmtree(options.directory)


if __name__ == "__main__":
    main()
