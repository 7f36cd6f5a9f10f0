import GasSchedule
import Validator
import WasmFormat

/// Validation of the instrumented module, as far as it can differ from that of the source.
///
/// The instrumented module has the trampolines and one charging function more, one import (the counter), two
/// globals (counter and height), possibly one type, and one local more in bodies with run-time charges.
struct InstrumentedLimits {
    let module: ValidatedModule
    let plan: MeteringPlan
    private var source: Module { module.module }

    func check(profile: AcceptanceProfile) throws(Refusal) {
        let trampolines = plan.trampolines.reduce(0) { $1 == nil ? $0 : $0 + 1 }
        let chargeType = FunctionType(parameters: [.i64], results: [])
        try check(source.functionCount + trampolines + 1, Limits.functions, "functions")
        try check(source.types.count + (source.types.contains(chargeType) ? 0 : 1), Limits.types, "types")
        try check(source.imports.count + 1, Limits.imports, "imports")
        try check(source.globals.count + source.importedGlobalCount + 2, Limits.globals, "globals")
        let typeSize = source.typeSize + 1
        guard typeSize < Limits.typeSize else {
            throw Self.refuse("types of imports and exports have size \(typeSize), limit \(Limits.typeSize - 1)")
        }
        try checkLocals()
        if profile.refusesUninstrumentableSections, source.importedGlobalCount > 0 { try checkGlobals() }
    }

    private static func refuse(_ rule: String, function: UInt32? = nil) -> Refusal {
        Refusal(stage: .postValidate, function: function, rule: rule)
    }

    private func check(_ count: Int, _ limit: UInt64, _ what: StaticString) throws(Refusal) {
        guard UInt64(count) <= limit else { throw Self.refuse("\(count) \(what) once instrumented, limit \(limit)") }
    }

    private func checkLocals() throws(Refusal) {
        let imported = source.importedFunctionCount
        for (index, function) in plan.functions.enumerated() where !function.linear.isEmpty {
            let parameters = source.type(source.functions[index])?.parameters.count ?? 0
            let locals = source.bodies[index].localGroups.reduce(UInt64(parameters)) { $0 + UInt64($1.count) }
            guard locals < Limits.locals else {
                throw Self.refuse(
                    "\(locals + 1) parameters and locals once instrumented, limit \(Limits.locals)",
                    function: UInt32(truncatingIfNeeded: imported + index))
            }
        }
    }

    /// The instrumentation adds 1 to every global index in bodies and places the height after as many globals
    /// as the module defines, both of which are only right when the module imports none.
    private func checkGlobals() throws(Refusal) {
        var instrumented = Array(source.globalTypes.prefix(source.importedGlobalCount))
        instrumented.append(GlobalType(value: .i64, isMutable: true))
        instrumented.append(contentsOf: source.globals.map(\.type))
        instrumented.append(GlobalType(value: .i32, isMutable: true))
        do {
            try module.revalidateBodies(globals: Array(instrumented.dropFirst()))
        } catch {
            throw Refusal(
                stage: .postValidate, function: error.function, offset: error.offset,
                rule: error.rule + ", once the imported globals are renumbered")
        }
        let guarded = plan.trampolines.contains { $0 != nil } || callsDefinedFunction
        let height = instrumented[source.globals.count + 1]
        guard !guarded || height == GlobalType(value: .i32, isMutable: true) else {
            throw Self.refuse("the height counter falls on another global because globals are imported")
        }
    }

    private var callsDefinedFunction: Bool {
        let imported = source.importedFunctionCount
        return source.bodies.contains { body in
            body.instructions.contains { $0.opcode == .call && Int($0.index) >= imported }
        }
    }
}
