import GasSchedule
import Validator
import WasmFormat

extension MeteringPlan {
    /// Runs both instrumentation passes on paper and checks the limits of the module they would give, in the
    /// reference's order: stack limiter, gas, validation of the result, limits of the pooling allocator.
    ///
    /// - Parameters:
    ///   - prices: milligas.
    ///   - stackLimit: counted elements.
    public static func make(
        _ module: ValidatedModule, prices: WasmPrices,
        stackLimit: UInt32 = NetworkProfile.ExecutionLimits.fvm.wasmStack, profile: AcceptanceProfile = .fvm
    ) throws(Refusal) -> MeteringPlan {
        let source = module.module
        let imported = source.importedFunctionCount
        var functions: [Function] = []
        functions.reserveCapacity(source.bodies.count)

        var heights = StackHeight(module)
        try Refusal.orTrap { () throws(ChargeError) in
            for index in source.bodies.indices {
                functions.append(Function(stackCost: try heights.stackCost(ofBody: index), blocks: [], linear: []))
            }
        }
        if profile.refusesUninstrumentableSections { try SectionRules.stackLimiter(source) }

        var charges = BlockCharges(prices: prices, importedFunctions: imported)
        try Refusal.orTrap { () throws(ChargeError) in
            for (index, body) in source.bodies.enumerated() {
                let function = UInt32(truncatingIfNeeded: imported + index)
                (functions[index].blocks, functions[index].linear) =
                    try charges.charges(ofBody: body, module.sideTables[index], function: function)
            }
        }
        if profile.refusesUninstrumentableSections { try SectionRules.gas(source) }

        let plan = MeteringPlan(
            functions: functions, trampolines: trampolines(source, prices), stackLimit: stackLimit)
        try InstrumentedLimits(module: module, plan: plan).check(profile: profile)
        try PoolLimits.check(source, plan: plan, limits: .fvm)
        return plan
    }

    /// A trampoline for each defined function that is exported, listed in a segment of plain indices, or the
    /// start function. References made by initialisers of globals get none.
    private static func trampolines(_ module: Module, _ prices: WasmPrices) -> [UInt64?] {
        var result = [UInt64?](repeating: nil, count: module.functionCount)
        let imported = module.importedFunctionCount
        let types = module.functionTypeIndices
        func add(_ function: UInt32) {
            let index = Int(function)
            guard index >= imported, index < result.count, result[index] == nil else { return }
            let price = prices.trampoline(parameters: module.type(types[index])?.parameters.count ?? 0)
            result[index] = price == 0 ? 0 : price.addingSaturating(prices.gasCharge)
        }
        for export in module.exports where export.kind == .function { add(export.index) }
        for segment in module.elements {
            if case .functions(let items) = segment.items { items.forEach(add) }
        }
        if let start = module.start { add(start) }
        return result
    }
}
