#!/usr/bin/env python3
"""Times metered kernels: Smelt (guard pages, explicit checks) beside wasmtime running the module as the reference
instruments it, and native code, all in one run.

Native code is made by clang 19 -O2, whose code generator Smelt uses too. Kernels are those of Benchmarks/kernels and
of SMELT_SHARED, where the instrumentation model is too; without it, clang-19 or the PyPI package wasmtime it says so
and stops. Every run is the first of a new instance or process, and every engine's checksum must agree. Thread CPU
time; rounds interleave the engines; the figures are medians, and ratios of medians. `matrix` is left out of the second
mean: it is nothing but floats, of which actors have none to speak of, and shows what canonical NaNs cost.
usage: Benchmarks/kernels.py [--rounds N] [--level CPU] [KERNEL…]
"""
import argparse
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT / "../shared")).resolve()
SMELT = pathlib.Path(os.environ.get("SMELT_BIN", ROOT / ".build/release")) / "smelt"
OWN = pathlib.Path(__file__).resolve().parent / "kernels"
# Arguments that make a native run last some tens of milliseconds.
SIZES = {"blake2b": 30000, "cbor": 1500, "hamt": 60, "interp": 800, "keccak": 60000, "matrix": 600, "memops": 200000,
         "sha256": 30000, "u256": 150000,
         "calls": 12000, "dispatch": 10000, "runs": 900, "sort": 300, "utf8": 5000}


def sh(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


def build(name, work):
    """The kernel as native program, plain module, and module instrumented as the reference does."""
    source = OWN / f"{name}.c"
    if not source.is_file():
        source = SHARED / "perf/kernels" / f"{name}.c"
    clang = pathlib.Path(sh("sh", "-c", "readlink -f $(command -v swiftc)").strip()).parent / "clang"
    native, wasm, metered = work / name, work / f"{name}.wasm", work / f"{name}.metered.wasm"
    sh("clang-19", "-O2", "-w", OWN / "native.c", source, "-o", native, "-lm")
    sh(clang, "--target=wasm32-unknown-unknown", "-O2", "-ffreestanding", "-w", "-mbulk-memory", "-mno-multivalue",
       "-mno-reference-types", "-c", source, "-o", work / f"{name}.o")
    sh(clang.parent / "wasm-ld", "--no-entry", "--export=run", work / f"{name}.o", "-o", wasm)
    sh(sys.executable, SHARED / "fvm/instr.py", wasm, "--prices", "hygge", "--json", "", "--emit", metered)
    return native, wasm, metered


def time_native(program, size):
    checksum, nanoseconds = sh(program, size).split()
    return int(checksum), float(nanoseconds)


def time_smelt(wasm, size, bounds, level, store):
    answer = json.loads(
        sh(SMELT, "run", "--json", "--bounds", bounds, "--cpu", level, "--store", store, wasm, "run", size))
    return int(answer["results"][0]["value"]), float(answer["nanoseconds"])


class Wasmtime:
    """wasmtime on the instrumented module: an imported counter, a call per metered block, canonical NaNs."""

    def __init__(self, path):
        import wasmtime
        config = wasmtime.Config()
        config.wasm_relaxed_simd = False
        config.wasm_simd = False
        config.cranelift_nan_canonicalization = True
        config.memory_may_move = False
        config.native_unwind_info = False
        engine = wasmtime.Engine(config)
        self.engine = engine
        self.module = wasmtime.Module.from_file(engine, str(path))

    def time(self, size):
        import wasmtime
        store = wasmtime.Store(self.engine)
        counter = wasmtime.Global(store, wasmtime.GlobalType(wasmtime.ValType.i64(), True),
                                  wasmtime.Val.i64(2**63 - 1))
        linker = wasmtime.Linker(self.engine)
        linker.define(store, "gas", "gas_counter", counter)
        run = linker.instantiate(store, self.module).exports(store)["run"]
        start = time.thread_time_ns()
        result = run(store, size)
        return result, float(time.thread_time_ns() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--level", default="x86-64-v2", help="CPU level of Smelt's code (default: x86-64-v2)")
    parser.add_argument("kernels", nargs="*", default=sorted(SIZES))
    options = parser.parse_args()
    if not (SHARED / "perf/kernels").is_dir():
        sys.exit("not run: the kernels are in the shared data, which is not there (set SMELT_SHARED)")
    if not shutil.which("clang-19"):
        sys.exit("not run: the native compiler is missing (apt-get install clang-19)")
    try:
        import wasmtime  # noqa: F401
    except ImportError:
        sys.exit("not run: the peer is missing (pip install wasmtime)")

    engines = ["native", "smelt guard", "smelt check", "wasmtime as reference"]
    print(f"{'kernel':10}" + "".join(f"{engine:>24}" for engine in engines) + f"{'reference / smelt':>20}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for name in options.kernels:
            native, wasm, metered = build(name, work)
            peer = Wasmtime(metered)
            samples = {engine: [] for engine in engines}
            checksums = set()
            for _ in range(options.rounds):
                for engine, sample in (
                        ("native", lambda: time_native(native, SIZES[name])),
                        ("smelt guard", lambda: time_smelt(wasm, SIZES[name], "guard", options.level, work / "store")),
                        ("smelt check", lambda: time_smelt(wasm, SIZES[name], "check", options.level, work / "store")),
                        ("wasmtime as reference", lambda: peer.time(SIZES[name]))):
                    checksum, nanoseconds = sample()
                    checksums.add(checksum)
                    samples[engine].append(nanoseconds)
            if len(checksums) != 1:
                sys.exit(f"{name}: checksums differ: {checksums}")
            medians = [statistics.median(samples[engine]) for engine in engines]
            rows.append((name, [median / medians[0] for median in medians]))
            print(f"{name:10}" + "".join(f"{m / 1e6:13.2f} ms ({m / medians[0]:4.2f}x)" for m in medians)
                  + f"{medians[3] / medians[1]:20.2f}", flush=True)
    for title, left_out in (("geomean", ()), ("no matrix", ("matrix",))):
        kept = [row for name, row in rows if name not in left_out]
        means = [math.exp(statistics.fmean(math.log(row[i]) for row in kept)) for i in range(len(engines))]
        print(f"{title:10}" + "".join(f"{mean:22.2f}x " for mean in means) + f"{means[3] / means[1]:19.2f}")


if __name__ == "__main__":
    main()
