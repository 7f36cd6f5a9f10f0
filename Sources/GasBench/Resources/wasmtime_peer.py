"""Runs instrumented modules in PyPI's wasmtime, in the configuration of the FVM's reference as far as the package
lets one set it, and tells the time of calls.

Speaks in lines, which 'smelt gas' writes and reads:

    (start)                                           engine VERSION | missing REASON
    load ID HEX                                       ok
    run ID EXPORT FRESH ARGUMENT...                   NANOSECONDS MILLIGAS RESULT

Arguments and results are signed decimals, times are processor time of the thread. An error is `error REASON`.
FRESH is 1 where the call needs an instance of its own.
"""
import gc
import sys
import time
from importlib import metadata

FULL = 2**63 - 1


def configuration(wasmtime):
    """As ref-fvm sets its engine up: no SIMD, canonical NaNs, memories that stay where they are."""
    config = wasmtime.Config()
    for feature in ("relaxed_simd", "simd", "multi_memory", "memory64", "threads", "multi_value", "tail_call"):
        if hasattr(wasmtime.Config, "wasm_" + feature):
            setattr(config, "wasm_" + feature, False)
    config.cranelift_nan_canonicalization = True
    for name, value in (("memory_may_move", False), ("native_unwind_info", False)):
        if hasattr(wasmtime.Config, name):
            setattr(config, name, value)
    return config


class Instance:
    def __init__(self, wasmtime, engine, module):
        self.store = wasmtime.Store(engine)
        self.full = wasmtime.Val.i64(FULL)
        kind = wasmtime.GlobalType(wasmtime.ValType.i64(), True)
        self.counter = wasmtime.Global(self.store, kind, self.full)
        self.exports = wasmtime.Instance(self.store, module, [self.counter]).exports(self.store)
        self.functions = {}

    def run(self, name, arguments):
        function = self.functions.get(name) or self.functions.setdefault(name, self.exports[name])
        self.counter.set_value(self.store, self.full)
        start = time.thread_time_ns()
        result = function(self.store, *arguments)
        end = time.thread_time_ns()
        return end - start, FULL - self.counter.value(self.store), result or 0


def main():
    try:
        import wasmtime
    except ImportError as error:
        return print("missing", error, flush=True)
    engine = wasmtime.Engine(configuration(wasmtime))
    modules, instances = {}, {}
    gc.disable()
    print("engine", metadata.version("wasmtime"), flush=True)
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "load":
                modules[words[1]] = wasmtime.Module(engine, bytes.fromhex(words[2]))
                print("ok", flush=True)
            else:
                name, export, fresh = words[1:4]
                if fresh == "1":
                    instance = Instance(wasmtime, engine, modules[name])
                else:
                    instance = instances.get(name)
                    if instance is None:
                        instance = instances[name] = Instance(wasmtime, engine, modules[name])
                print(*instance.run(export, [int(word) for word in words[4:]]), flush=True)
                instance = None
        except Exception as error:  # pylint: disable=broad-except
            print("error", " ".join(str(error).split()), flush=True)


main()
