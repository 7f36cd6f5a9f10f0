#!/usr/bin/env python3
"""wasmtime and wabt as witnesses of what `smelt-fuzz` wrote.

    smelt-fuzz --seeds 0..999 --write FILE;    witness.py run FILE
    smelt-fuzz --seeds 0..9999 --mutants FILE; witness.py verdicts FILE

`run`: each module is instrumented by the executable model of the metering (fvm/instr.py in SMELT_SHARED), so that
wasmtime shows gas and stack heights too; results, traps, gas, memory and calls of imports must be the interpreter's.
`verdicts`: the front end refuses at decoding or validation exactly what wasmtime refuses under the FVM's features,
and what wasm-validate refuses, except for what stands in ALLOWED. Needs the PyPI package wasmtime.
Ends with `N passed, N failed, N skipped`.
"""
import collections
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT / "../shared")).resolve()
MASK = (1 << 64) - 1

# wasmtime's words for a trap; both a height above the limit and a spent counter are `unreachable` there.
TRAPS = {
    "unreachable": "UNREACHABLE", "out of gas": "UNREACHABLE", "stack height limit exceeded": "UNREACHABLE",
    "out of bounds memory access": "MEMORY_OUT_OF_BOUNDS", "out of bounds table access": "TABLE_OUT_OF_BOUNDS",
    "undefined element": "TABLE_OUT_OF_BOUNDS", "uninitialized element": "INDIRECT_CALL_TO_NULL",
    "indirect call type mismatch": "BAD_SIGNATURE", "integer divide by zero": "INTEGER_DIVISION_BY_ZERO",
    "integer overflow": "INTEGER_OVERFLOW", "invalid conversion to integer": "BAD_CONVERSION_TO_INTEGER",
}


def load_model():
    spec = importlib.util.spec_from_file_location("instr", SHARED / "fvm/instr.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["instr"] = module
    spec.loader.exec_module(module)
    return module


def make_engine(wasmtime):
    config = wasmtime.Config()
    for feature in ("simd", "relaxed_simd", "multi_value", "multi_memory", "memory64", "threads", "tail_call",
                    "exceptions", "gc", "function_references", "wide_arithmetic", "custom_page_sizes",
                    "stack_switching", "component_model"):
        if hasattr(wasmtime.Config, "wasm_" + feature):
            setattr(config, "wasm_" + feature, False)
    config.wasm_bulk_memory = True
    config.wasm_reference_types = True
    config.gc_support = False
    config.cranelift_nan_canonicalization = True
    config.max_wasm_stack = 2 << 20  # the most that it takes
    return wasmtime.Engine(config)


class Runner:
    """An instance with the scripted host of Sources/ModuleFuzz/Observation.swift."""

    def __init__(self, wasmtime, engine, module):
        self.wasmtime, self.store = wasmtime, wasmtime.Store(engine)
        self.counter = wasmtime.Global(
            self.store, wasmtime.GlobalType(wasmtime.ValType.i64(), True), wasmtime.Val.i64(0))
        self.calls = 0
        imports = []
        for entry in module.imports:
            if isinstance(entry.type, wasmtime.FuncType):
                imports.append(wasmtime.Func(self.store, entry.type, self.host(entry.type), access_caller=True))
            else:
                imports.append(self.counter)
        self.imports, self.module = imports, module

    def gas(self):
        return self.counter.value(self.store)

    def set_gas(self, value):
        self.counter.set_value(self.store, self.wasmtime.Val.i64(value))

    def host(self, kind):
        widths = [32 if str(t) == "i32" else 64 for t in kind.params]
        results = [32 if str(t) == "i32" else 64 for t in kind.results]

        def call(caller, *arguments):
            self.set_gas(self.gas() - 1000)
            self.calls += 1
            digest = 0xCBF29CE484222325
            for word, width in zip(arguments, widths):
                digest = (digest ^ (word & ((1 << width) - 1))) * 0x100000001B3 & MASK
            digest = (digest + self.calls) & MASK
            memory = caller.get("memory")
            if memory is not None and digest % 251 < memory.data_len(caller):
                memory.write(caller, bytes([digest & 255]), digest % 251)
            if results:
                return signed(digest, results[0])
        return call

    def attempt(self, action, widths):
        try:
            values = action()
        except self.wasmtime.Trap as trap:
            return "trap", trap.trap_code.name if trap.trap_code is not None else str(trap)
        except self.wasmtime.WasmtimeError as error:
            return "error", str(error)
        if values is None:
            return "returned", []
        return "returned", [values & ((1 << widths[0]) - 1)]


def signed(value, width):
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def compare_run(wasmtime, engine, module, run):
    """The first difference of a run, or None."""
    runner = Runner(wasmtime, engine, module)
    runner.set_gas(int(run["gas"]))
    instance = []

    def instantiate():
        instance.append(wasmtime.Instance(runner.store, module, runner.imports))

    def check(what, got, expected):
        kind, values, gas = expected
        if kind == "returned":
            want = ("returned", [int(v) for v in values])
        else:
            want = ("trap", TRAPS.get(kind, kind))
        if got != want:
            return f"{what}: wasmtime {got}, expected {expected}"
        if runner.gas() != int(gas):
            return f"{what}: wasmtime leaves {runner.gas()}, expected {gas}"

    outcomes = run["outcomes"]
    failure = check("instantiation", runner.attempt(instantiate, []), outcomes[0])
    if failure or not instance:
        return failure
    exports = instance[0].exports(runner.store)
    for (name, arguments, gas), expected in zip(run["calls"], outcomes[1:]):
        function = exports[name]
        kind = function.type(runner.store)
        widths = [32 if str(t) == "i32" else 64 for t in kind.params]
        results = [32 if str(t) == "i32" else 64 for t in kind.results]
        runner.set_gas(int(gas))
        values = [signed(int(a), w) for a, w in zip(arguments, widths)]
        failure = check(f"{name}({arguments}) with gas {gas}",
                        runner.attempt(lambda: function(runner.store, *values), results), expected)
        if failure:
            return failure
    if "memory" in [e.name for e in module.exports]:
        memory = exports["memory"]
        size = memory.data_len(runner.store)
        if size != run["bytes"]:
            return f"memory has {size} bytes, expected {run['bytes']}"
        if zlib.crc32(memory.read(runner.store, 0, size)) != run["crc"]:
            return "contents of memory differ"


def witness_runs(path, wasmtime):
    model, engine = load_model(), make_engine(wasmtime)
    prices = model.price_list("hygge")
    tally = collections.Counter()
    outcomes = 0
    for line in open(path):
        case = json.loads(line)
        if case["seed"] % 4 == 3:
            tally["skipped"] += 1  # imports with floats, whose bits Python cannot hold
            continue
        source = bytes.fromhex(case["wasm"])
        mod, result = model.instrument(source, prices, case["stack"], "gas")
        module = wasmtime.Module(engine, bytes(model.emit(mod, result, prices, "gas")))
        failure = None
        for run in case["runs"]:
            failure = failure or compare_run(wasmtime, engine, module, run)
            outcomes += len(run["outcomes"])
        tally["failed" if failure else "passed"] += 1
        if failure:
            print(f"FAILED seed {case['seed']}: {failure}", flush=True)
    print(f"{outcomes} outcomes compared")
    return tally


# What the witnesses see differently, by words of what is printed.
ALLOWED = (
    # wasmtime reads limits of memories as numbers of 64 bits though memory64 is off; the reference's instrumentation
    # (an older wasmparser) reads 32 bits and refuses the rest. The FVM refuses the module either way.
    ("integer representation too long", "wasmtime: accepted"),
    # wabt 1.0.32 lets bodies pass whose constructs are still open.
    ("unexpected end", "wabt: accepted"),
    # … and modules whose data count has no data section.
    ("the data section has 0 segments", "wabt: accepted"),
)


def witness_verdicts(path, wasmtime):
    engine = make_engine(wasmtime)
    tally = collections.Counter()
    stages = collections.Counter()
    flags = ["--disable-multi-value", "--disable-simd"]
    with tempfile.TemporaryDirectory() as folder:
        for line in open(path):
            case = json.loads(line)
            source = bytes.fromhex(case["wasm"])
            stages[case["stage"]] += 1
            ours = case["stage"] not in ("decode", "validate")
            try:
                wasmtime.Module.validate(engine, source)
                theirs, why = True, ""
            except wasmtime.WasmtimeError as error:
                theirs, why = False, str(error).replace("\n", " ")
            failure = None
            if ours != theirs:
                failure = f"front end: {case['stage']} ({case['rule']}); wasmtime: {why or 'accepted'}"
            elif case["seed"] % 16 == 0:
                name = pathlib.Path(folder) / "m.wasm"
                name.write_bytes(source)
                answer = subprocess.run(["wasm-validate", *flags, name], capture_output=True, text=True)
                if (answer.returncode == 0) != ours:
                    text = answer.stderr.strip().splitlines()
                    failure = f"front end: {case['stage']} ({case['rule']}); wabt: {text[0] if text else 'accepted'}"
            if failure and any(all(word in failure for word in words) for words in ALLOWED):
                tally["skipped"] += 1
                continue
            tally["failed" if failure else "passed"] += 1
            if failure:
                print(f"FAILED seed {case['seed']}: {failure}", flush=True)
    print(", ".join(f"{count} {stage}" for stage, count in sorted(stages.items())))
    return tally


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("run", "verdicts"):
        sys.exit(__doc__)
    try:
        import wasmtime
    except ImportError:
        sys.exit("not run: the peer is missing (pip install wasmtime)")
    tally = (witness_runs if sys.argv[1] == "run" else witness_verdicts)(sys.argv[2], wasmtime)
    print(f"{tally['passed']} passed, {tally['failed']} failed, {tally['skipped']} skipped")
    os._exit(1 if tally["failed"] else 0)


if __name__ == "__main__":
    # Recursion up to the counted height needs more native stack than the main thread has.
    threading.stack_size(256 << 20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
