#!/usr/bin/env python3
"""Compare Smelt's metering plans with the executable model of the FVM's instrumentation.

usage: compare-plans.py DIR...

Every DIR holds pairs NAME.wasm and NAME.plan (`smelt compile --emit plan`); a module that Smelt refuses has
NAME.refusal instead, holding one line `STAGE: text`.  The model is fvm/instr.py of the shared
specification, found through SMELT_SHARED (default: ../shared beside the project).
"""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SMELT_SHARED", ROOT.parent / "shared"))
sys.path.insert(0, str(SHARED / "fvm"))
import instr  # noqa: E402

PRICES = instr.price_list("hygge")
STAGE = {"limiter": "stack limiter", "gas": "gas", "decode": "decode"}


def expected(data):
    """The plan text the model gives for a module."""
    module, metered = instr.instrument(data, PRICES)
    imported = module.imported[0]
    entry = {m.func.thunk_of: sum(cost for _, cost in m.blocks)
             for m in metered if m.func.thunk_of is not None}
    lines = ["smelt-plan 1", "stack-limit 2048"]
    for index, m in enumerate(metered, imported):
        if m.func.thunk_of is not None:
            continue
        lines.append("function %d stack %d" % (index, m.func.stack_cost))
        if index in entry:
            lines.append("trampoline %d %d" % (index, entry[index]))
        origin = m.func.orig
        lines += ["block %d %d" % (origin[start], cost) for start, cost in m.blocks]
        lines += ["linear %d %d" % (origin[at], unit) for at, unit in m.dynamic]
    return "\n".join(lines) + "\n"


def compare(wasm):
    """None if equal, "invalid" if validation refuses the module, else what differs."""
    plan, refusal = wasm.with_suffix(".plan"), wasm.with_suffix(".refusal")
    # Validation comes first and is not the model's subject.
    if refusal.exists() and refusal.read_text().startswith(("validate:", "decode:")):
        return "invalid"
    try:
        want = expected(wasm.read_bytes())
    except instr.Rejected as rejection:
        want = rejection
    if isinstance(want, instr.Rejected):
        if not refusal.exists():
            return "the model refuses (%s), Smelt does not" % want
        stage = refusal.read_text().partition(":")[0]
        return None if stage == STAGE[want.stage] else "refused by %s, expected %s" % (stage, want)
    if not plan.exists():
        text = refusal.read_text().strip() if refusal.exists() else "no result"
        # Stages that the model does not have come after it.
        later = text.startswith(("validate instrumented:", "pool limits:"))
        return None if later else "Smelt refuses (%s), the model does not" % text
    # Where code stores the counter is no part of the plan.
    got = "".join(line for line in plan.read_text().splitlines(True) if not line.startswith("store "))
    if got == want:
        return None
    for number, (left, right) in enumerate(zip(want.splitlines(), got.splitlines()), 1):
        if left != right:
            return "line %d: expected %r, got %r" % (number, left, right)
    return "different number of lines"


def main():
    modules = sorted(path for d in sys.argv[1:] for path in pathlib.Path(d).rglob("*.wasm"))
    different = invalid = 0
    for wasm in modules:
        problem = compare(wasm)
        if problem == "invalid":
            invalid += 1
        elif problem:
            different += 1
            print("%s: %s" % (wasm, problem))
    print("%d modules compared, %d differ, %d invalid" % (len(modules) - invalid, different, invalid))
    return 1 if different or not modules else 0


if __name__ == "__main__":
    sys.exit(main())
