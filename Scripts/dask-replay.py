#!/usr/bin/env python3
"""Replay a chain on the workers of a Dask cluster: each runs parts of one file that all of them can read.

usage: dask-replay.py --parts N -o REPORT.json [--scheduler ADDRESS | --workers N] -- SMELT replay --chain FILE …

The command after `--` is the replay as one machine would run it; `--shard I/N --format json -q` are put behind it. A
worker that dies has its part run again elsewhere; a part counts once. `smelt report merge` joins the reports. Progress
is on Dask's dashboard, whose address is printed. Needs PyPI's dask[distributed]; workers need SMELT and the file under
the same paths, and stores of their own.
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from dask.distributed import Client, LocalCluster, as_completed


def replay(command, part, parts):
    """The report of one part; a mismatch is a result, everything else a failure of the task."""
    done = subprocess.run([*command, "--shard", "%d/%d" % (part, parts), "--format", "json", "-q"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1, 2) or not done.stdout:
        raise RuntimeError("part %d: status %d: %s" % (part, done.returncode, done.stderr.strip()))
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--scheduler", help="address of a running cluster (default: workers on this machine)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--lose-worker", action="store_true", help="kill a worker after the first part, as a trial")
    parser.add_argument("command", nargs="+", help="the replay, after --")
    options = parser.parse_args()
    cluster = None
    if options.scheduler is None:
        cluster = LocalCluster(n_workers=options.workers, threads_per_worker=1, processes=True,
                               dashboard_address="localhost:0")
    client = Client(cluster or options.scheduler)
    print("dashboard: %s" % client.dashboard_link, file=sys.stderr)
    futures = {client.submit(replay, options.command, part, options.parts, key="part-%d" % part, retries=2): part
               for part in range(1, options.parts + 1)}
    reports, lost = {}, not options.lose_worker
    for future in as_completed(futures):
        reports[futures[future]] = future.result()
        print("part %d: %d of %d" % (futures[future], len(reports), options.parts), file=sys.stderr)
        if not lost:
            lost = True
            holders = [worker for workers in client.who_has().values() for worker in workers]
            processes = client.run(os.getpid)
            # One that has a result, and probably is at the next part.
            os.kill(processes[holders[0]], signal.SIGKILL)
            print("killed worker %s" % holders[0], file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for part, report in sorted(reports.items()):
            paths.append(pathlib.Path(folder) / ("%d.json" % part))
            paths[-1].write_text(report)
        merged = subprocess.run([options.command[0], "report", "merge", "--format", "json", *paths],
                                stdout=subprocess.PIPE)
    options.output.write_bytes(merged.stdout)
    client.close()
    if cluster:
        cluster.close()
    sys.exit(merged.returncode)


if __name__ == "__main__":
    main()
