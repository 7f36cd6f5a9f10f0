import WasmFormat

/// Chooses which runs a module gets.
struct RunPlanner {
    /// Milligas of a call with "full" gas: some hundred thousand instructions.
    static let fullGas: Int64 = 400_000_000
    /// Charges that a sweep follows at most.
    static let sweepLimit = 24

    let generated: GeneratedModule
    let module: FuzzModule
    var random: FuzzRandom

    /// - Parameter bits: whether floats pass the boundary as integers only.
    func callable(bits: Bool) -> [GeneratedModule.Export] {
        generated.functions.filter { !bits || !$0.type.hasFloats }
    }

    private mutating func call(_ export: GeneratedModule.Export, gas: Int64) -> FuzzCall {
        FuzzCall(
            export: export.name, arguments: export.type.parameters.map { Interesting.bits($0, &random) }, gas: gas)
    }

    /// The runs: full gas, limited memory with any gas, and every gas at which a charge of a call fails.
    mutating func runs(bits: Bool = false) throws -> [FuzzRun] {
        let exports = callable(bits: bits)
        let getters = generated.getters
        var runs: [FuzzRun] = []
        let observers = getters.map { FuzzCall(export: $0.name, arguments: [], gas: Self.fullGas) }

        var calls = exports.flatMap { export in (0..<2).map { _ in call(export, gas: Self.fullGas) } }
        calls.shuffle(using: &random)
        runs.append(FuzzRun(calls: calls + observers, gas: Self.fullGas))

        var limited = runs[0]
        limited.calls = limited.calls.map { old in
            var new = old
            new.gas = Int64(random.below(3_000_000))
            return new
        }
        limited.memoryLimit = UInt64(random.pick([3, 4, 6, 40_000]) ?? 4) * 65_536
        runs.append(limited)

        for _ in 0..<2 {
            guard let export = random.pick(exports) else { continue }
            runs.append(try sweep(call(export, gas: 0)))
        }
        if random.chance(20) { runs.append(try startSweep()) }
        return runs
    }

    /// Every variant of `makeTrapping` with two sets of arguments, on an instance of its own: what one leaves in
    /// memory is seen.
    mutating func trapRuns() -> [FuzzRun] {
        generated.functions.filter { $0.name.hasPrefix("v") }.map { export in
            FuzzRun(calls: (0..<2).map { _ in call(export, gas: Self.fullGas) }, gas: Self.fullGas)
        }
    }

    /// Calls that find every charge of one call: each at a limit that the next charge exceeds by one, and one at the
    /// limit that it just meets.
    private func sweep(_ first: FuzzCall) throws -> FuzzRun {
        var run = FuzzRun(calls: [], gas: Self.fullGas)
        var gas: Int64 = 0
        for _ in 0..<Self.sweepLimit {
            var next = first
            next.gas = gas
            run.calls.append(next)
            let seen = try module.interpret(run)
            guard case .trapped(11, _, _)? = seen.outcomes.last, let left = seen.gas.last, left < 0 else { break }
            // The counter was `gas` and is `gas - charged`.
            let (charged, overflow) = gas.subtractingReportingOverflow(left)
            guard !overflow, charged <= Self.fullGas else { break }
            next.gas = charged - 1
            run.calls.append(next)
            gas = charged
        }
        return run
    }

    /// Instantiation at a random limit.
    private mutating func startSweep() throws -> FuzzRun {
        FuzzRun(calls: [], gas: Int64(random.below(400_000)))
    }
}
