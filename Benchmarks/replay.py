#!/usr/bin/env python3
"""Times replay of the mainnet messages beside the recorded figures of the reference.

The reference cannot run here, so five native kernels (timed with the same script in both places) tell how much
faster or slower this machine is. Prints reference time x factor / own time, in total and by method, the five
factors, and a range where they spread by more than 15 %. The reference's figures are the best of 20 runs of each
message in one process, and so are ours; what messages take when each runs once in a new process is printed at the end.
usage: Benchmarks/replay.py [--rounds N] [--processes N] [--bundle FILE] [--store DIR] [--tier TIER]
"""
import argparse
import collections
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT / "../shared")).resolve()
BIN = pathlib.Path(os.environ.get("SMELT_BIN", ROOT / ".build/release"))


def calibrate():
    return json.loads(subprocess.run(["bash", SHARED / "perf/calibrate.sh"], check=True, capture_output=True).stdout)


def replay(bundle, store, tier, rounds):
    command = [BIN / "smelt", "replay", SHARED / "vectors/nv18", "--bundle", bundle,
               "--rounds", str(rounds), "--jobs", "1", "--format", "ndjson", "--quiet", "--wait", "--tier", tier]
    command += ["--store", store] if store else []
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    times = {}
    for line in lines:
        row = json.loads(line)
        if row.get("status") == "passed":
            # Processor time, as the calibrators': other work on this machine lengthens neither.
            times[row["name"]] = sum(message["processor_nanoseconds"] for message in row["messages"])
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="runs of each message in a process (default: 20)")
    parser.add_argument("--processes", type=int, default=3, help="how often all is done (default: 3)")
    parser.add_argument("--bundle", default=SHARED / "bundles/builtin-actors-mainnet-v10.car.zst")
    parser.add_argument("--store")
    parser.add_argument("--tier", choices=["optimised", "baseline"], default="optimised")
    options = parser.parse_args()
    if not (SHARED / "perf/replay-reference.json").is_file():
        sys.exit("not run: the reference's figures are in the shared data, which is not there (set SMELT_SHARED)")
    reference = json.loads((SHARED / "perf/replay-reference.json").read_text())

    replay(options.bundle, options.store, options.tier, 1)  # fills the store
    samples, calibrations, first = (collections.defaultdict(list) for _ in range(3))
    for _ in range(options.processes):
        for name, nanoseconds in calibrate().items():
            calibrations[name].append(nanoseconds)
        for name, nanoseconds in replay(options.bundle, options.store, options.tier, options.rounds).items():
            samples[name].append(nanoseconds)
        for name, nanoseconds in replay(options.bundle, options.store, options.tier, 1).items():
            first[name].append(nanoseconds)
    # The reference's figures are the best of its runs, so the calibrators' and ours are too.
    factors = {name: min(values) / reference["calibrator_ns"][name] for name, values in calibrations.items()}
    own = {name: min(values) for name, values in samples.items()}
    missing = sorted(set(reference["messages"]) - set(own))
    if missing:
        sys.exit(f"{len(missing)} messages did not pass, {missing[0]} first: no comparison")

    low, high = min(factors.values()), max(factors.values())
    mean = math.exp(statistics.fmean(map(math.log, factors.values())))
    spread = high / low - 1
    print("machine factors: " + ", ".join(f"{name} {factor:.3f}" for name, factor in sorted(factors.items()))
          + f"; geometric mean {mean:.3f}, spread {spread:.0%}")

    def ratio(names):
        base = sum(reference["messages"][name] for name in names) / sum(own[name] for name in names)
        text = f"{base * mean:6.2f}"
        return text + (f"  ({base * low:.2f} to {base * high:.2f})" if spread > 0.15 else "")

    methods = collections.defaultdict(list)
    for name in reference["messages"]:
        actor, method = name.split("__")[:2]
        methods[f"{actor.removeprefix('fil_10_')} {method}"].append(name)
    names = sorted(reference["messages"])
    print(f"{'reference / smelt':42}  messages   reference ms    smelt ms   ratio")
    for method, group in sorted(methods.items()) + [("total", names)]:
        print(f"{method:42}{len(group):10}{sum(reference['messages'][n] for n in group) * mean / 1e6:15.2f}"
              f"{sum(own[n] for n in group) / 1e6:12.2f}  {ratio(group)}")
    logs = [math.log(reference["messages"][name] * mean / own[name]) for name in names]
    print(f"geometric mean of the ratios by message: {math.exp(statistics.fmean(logs)):.2f}")
    once = sum(min(first[name]) for name in names)
    print(f"each message once in a new process: {once / 1e6:.2f} ms, "
          f"ratio {sum(reference['messages'][name] for name in names) * mean / once:.2f}")


if __name__ == "__main__":
    main()
