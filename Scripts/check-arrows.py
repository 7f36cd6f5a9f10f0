#!/usr/bin/env python3
"""Checks the layers: every import is declared in Package.swift and every declared dependency is imported, targets
depend only on targets declared above them, and the two sides (compiler, host) never meet. Reads sources as text; prints every breach and fails."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
package = (root / "Package.swift").read_text()
rows = re.findall(r'^\s+(?:layer|program)\(\s*"([^"]+)"(?:,\s*\[([^\]]*)\])?', package, re.M)
declared = {name: re.findall(r'"([^"]+)"', dependencies or "") for name, dependencies in rows}
order = [name for name, _ in rows]

COMPILER_SIDE = {"LLVMKit", "Lowering", "Compiler", "smelt-worker"}
HOST_SIDE = {"NativeEngine", "StateTree", "Kernel", "Machine", "Genesis", "Replay", "GasBench", "smelt"}
WITNESSES = {"WasmReference", "SpecSuite", "TestSupport", "ModuleFuzz", "Captures", "Witness", "Bombs"}
# The interpreter counts gas by function for a report; no other layer of the product names it, and nothing runs by it.
COUNTS_BY_INTERPRETER = "GasReport"
PROGRAMS_OF_WITNESSES = {"smelt-spec", "smelt-samples", "smelt-fuzz", "smelt-witness"}
NO_FOUNDATION = set(order) - {"smelt", "smelt-worker", "smelt-spec", "smelt-samples", "smelt-fuzz", "smelt-witness",
                               "SpecSuite", "TestSupport"}
breaches = []


def closure(name, seen=None):
    seen = set() if seen is None else seen
    for dependency in declared.get(name, []):
        if dependency not in seen:
            seen.add(dependency)
            closure(dependency, seen)
    return seen


for name in order:
    for dependency in declared[name]:
        if dependency in declared and order.index(dependency) > order.index(name):
            breaches.append(f"{name} depends on {dependency}, which is declared below it")
    below = closure(name)
    if name in HOST_SIDE and below & COMPILER_SIDE:
        breaches.append(f"{name} (host side) reaches {sorted(below & COMPILER_SIDE)}")
    if name in COMPILER_SIDE and below & HOST_SIDE:
        breaches.append(f"{name} (compiler side) reaches {sorted(below & HOST_SIDE)}")
    forbidden = set(WITNESSES)
    if name == COUNTS_BY_INTERPRETER or (COUNTS_BY_INTERPRETER in below and "WasmReference" not in declared[name]):
        forbidden.discard("WasmReference")
    if name not in WITNESSES | PROGRAMS_OF_WITNESSES and below & forbidden:
        breaches.append(f"{name} reaches the witness {sorted(below & forbidden)}")
    if "CLLVM" in declared[name] and name != "LLVMKit":
        breaches.append(f"{name} imports CLLVM; only LLVMKit may")

modules = set(declared) | set(re.findall(r'library\("([^"]+)"', package)) | {"CActorRuntime"}
for name in order:
    imported = set()
    for source in sorted((root / "Sources" / name).rglob("*.swift")):
        for module in re.findall(r"^(?:@\w+(?:\([^)]*\))? )*(?:public |package |internal |private )?import (?:\w+ )?(\w+)",
                                 source.read_text(), re.M):
            place = source.relative_to(root)
            imported.add(module)
            if module in modules and module not in declared[name]:
                breaches.append(f"{place} imports {module}, which Package.swift does not give to {name}")
            if module == "Foundation" and name in NO_FOUNDATION:
                breaches.append(f"{place} imports Foundation")
    for dependency in declared[name]:
        if dependency not in imported:
            breaches.append(f"Package.swift gives {dependency} to {name}, which does not import it")

for name, dependencies in re.findall(r'^\s+tests\(\s*"([^"]+)",\s*\[([^\]]*)\]', package, re.M):
    sources = sorted((root / "Tests" / f"{name}Tests").rglob("*.swift"))
    imported = {module for source in sources
                for module in re.findall(r"^(?:@\w+ )*import (?:\w+ )?(\w+)", source.read_text(), re.M)}
    given = set(re.findall(r'"([^"]+)"', dependencies))
    # A program is given so that it is built before it is run.
    for dependency in sorted(given - imported - {"smelt-worker"}):
        breaches.append(f"Package.swift gives {dependency} to {name}Tests, which does not import it")
    for module in sorted((imported & modules) - given - {"TestSupport"}):
        breaches.append(f"{name}Tests imports {module}, which Package.swift does not give to it")

for breach in breaches:
    print(breach, file=sys.stderr)
print(f"arrows: {len(order)} targets, {sum(map(len, declared.values()))} arrows, {len(breaches)} breaches")
sys.exit(bool(breaches))
