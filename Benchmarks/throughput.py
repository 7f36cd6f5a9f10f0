#!/usr/bin/env python3
"""Messages per second, end to end: processes that start, read the mainnet vectors, run each once and report.

Side by side, ROUNDS times in changing order: one job, two jobs, two processes of one job with half of the vectors
each; then what one process takes to its first receipt, and where the time of one job goes (reading and running).
Prints medians over the rounds and ratios of medians. With --before, another build's programs run in the same rounds.
usage: Benchmarks/throughput.py [--rounds N] [--bundle FILE] [--store DIR] [--tier TIER] [--before DIR]
"""
import argparse
import collections
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT / "../shared")).resolve()
BIN = pathlib.Path(os.environ.get("SMELT_BIN", ROOT / ".build/release"))
VECTORS = SHARED / "vectors/nv18"


class Build:
    """A build's programs, and a store of its own: objects are those of their compiler."""

    def __init__(self, name, directory, store, options):
        self.name, self.program, self.store = name, pathlib.Path(directory) / "smelt", store
        self.options = ["--bundle", options.bundle, "--quiet", "--wait", "--tier", options.tier, "--store", store]

    def command(self, *arguments):
        return [self.program, "replay", *arguments, *self.options]


def run(*commands):
    """Runs the commands side by side; seconds until the last one ended."""
    start = time.monotonic()
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    if any([process.wait() for process in processes]):
        sys.exit("a vector did not pass: no figures")
    return time.monotonic() - start


def first_receipt(command):
    """Milliseconds from the start of a process to its first line."""
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        elapsed = time.monotonic() - start
        process.stdout.read()
    return elapsed * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--bundle", default=SHARED / "bundles/builtin-actors-mainnet-v10.car.zst")
    parser.add_argument("--store")
    parser.add_argument("--tier", choices=["optimised", "baseline"], default="optimised")
    parser.add_argument("--before", help="directory of another build's smelt and smelt-worker")
    options = parser.parse_args()
    if not VECTORS.is_dir():
        sys.exit("not run: the mainnet vectors are in the shared data, which is not there (set SMELT_SHARED)")
    with tempfile.TemporaryDirectory() as scratch:
        default = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "smelt"
        builds = [Build("", BIN, options.store or default, options)]
        if options.before:
            builds.append(Build("before: ", options.before, pathlib.Path(scratch) / "store", options))
        for build in builds:
            run(build.command(VECTORS, "--jobs", "1"))  # fills the store and the page cache
        small = min(VECTORS.glob("*multisig__Propose__Ok*.json"), key=lambda file: file.stat().st_size)
        ways = {}
        for build in builds:
            ways[build.name + "1 job"] = lambda b=build: run(b.command(VECTORS, "--jobs", "1"))
            ways[build.name + "2 jobs"] = lambda b=build: run(b.command(VECTORS, "--jobs", "2"))
            ways[build.name + "2 processes"] = lambda b=build: run(
                *(b.command(VECTORS, "--jobs", "1", "--shard", f"{part}/2") for part in (1, 2)))
            ways[build.name + "first receipt"] = lambda b=build: statistics.median(
                first_receipt([b.program, "replay", small, "--jobs", "1", "--quiet", "--wait", "--tier", options.tier,
                               "--store", b.store]) for _ in range(5))
        samples = collections.defaultdict(list)
        generator = random.Random(1)
        for _ in range(options.rounds):
            for name in generator.sample(list(ways), len(ways)):
                samples[name].append(ways[name]())
        medians = {name: statistics.median(values) for name, values in samples.items()}
        count = sum(1 for _ in VECTORS.glob("*.json"))
        for build in builds:
            print(f"{build.name}{count} messages, median of {options.rounds}:")
            alone = medians[build.name + "1 job"]
            for way in ("1 job", "2 jobs", "2 processes"):
                seconds = medians[build.name + way]
                print(f"  {way:14}{count / seconds:8.0f} messages/s   {alone / seconds:5.2f} of 1 job")
            print(f"  2 jobs to 2 processes: {medians[build.name + '2 processes'] / medians[build.name + '2 jobs']:.2f}")
            print(f"  a process to its first receipt: {medians[build.name + 'first receipt']:.1f} ms")
            lines = subprocess.run(build.command(VECTORS, "--jobs", "1", "--format", "ndjson"), check=True,
                                   capture_output=True, text=True).stdout.splitlines()
            rows = [row for row in map(json.loads, lines) if "name" in row]
            running = sum(message["processor_nanoseconds"] for row in rows for message in row["messages"]) / 1e9
            reading = sum(row.get("reading_nanoseconds", 0) for row in rows) / 1e9
            print(f"  processor time of 1 job: reading the vectors {reading:.3f} s, their messages {running:.3f} s")
        if options.before:
            for way in ("1 job", "2 jobs", "2 processes", "first receipt"):
                print(f"before / now, {way}: {medians['before: ' + way] / medians[way]:.2f}")


if __name__ == "__main__":
    main()
