import CompilePool
import Engine
import GasSchedule
import NativeEngine
import Statistics

/// How long a loop takes for its gas: a function whose first parameter says how often it runs.
public struct LoopMeasure: Sendable {
    /// Nanoseconds of processor time per gas: the time that twice as many iterations take longer, by the gas they use
    /// more.
    public var nanosecondsPerGas: Estimate
    /// Gas of one iteration.
    public var gas: Double
    /// Iterations of the shorter runs.
    public var iterations: UInt64
    /// Pairs of runs.
    public var rounds: Int

    /// Seconds that a block's worth of gas takes in this loop.
    public var blockSeconds: Estimate { nanosecondsPerGas.scaled(by: GasAnchor.blockGas / 1e9) }

    /// How much is measured.
    public struct Effort: Sendable {
        /// What the shorter run should take, in nanoseconds.
        public var run: Double
        /// Pairs of runs.
        public var rounds: Int

        public init(run: Double = 2_000_000, rounds: Int = 31) {
            self.run = run
            self.rounds = rounds
        }

        /// For choosing among many.
        static let quick = Effort(run: 200_000, rounds: 5)
    }

    /// Compiles a module and measures one of its functions.
    ///
    /// - Parameters:
    ///   - arguments: slots; the first is the number of iterations to begin with, and more are taken until a run is
    ///     long enough.
    /// - Throws: `trapped`, or `gasDiffers` when twice the iterations do not use the same gas more each time.
    public static func measure(
        wasm: [UInt8], export: String, arguments: [UInt64], pool: CompilePool, effort: Effort = Effort()
    ) throws(BenchError) -> LoopMeasure {
        try measure(try NativeModule.compiled(wasm, pool), export: export, arguments: arguments, effort: effort)
    }

    /// Measures a function of a module that is compiled already.
    public static func measure(
        _ module: NativeModule, export: String, arguments: [UInt64], effort: Effort = Effort()
    ) throws(BenchError) -> LoopMeasure {
        try measure(try module.started(), export, arguments, effort)
    }

    static func measure(
        _ instance: any ActorInstance, _ export: String, _ arguments: [UInt64], _ effort: Effort
    ) throws(BenchError) -> LoopMeasure {
        try measure(export, arguments, effort) { (arguments) throws(BenchError) in
            try instance.timed(export, arguments)
        }
    }

    /// Measures the same loop in another engine, instrumented as the reference does it.
    ///
    /// - Throws: also when the FVM refuses the module, and `peer` when the engine fails.
    public static func measure(
        wasm: [UInt8], export: String, arguments: [UInt64], prices: WasmPrices, peer: PeerEngine,
        effort: Effort = Effort()
    ) throws(BenchError) -> LoopMeasure {
        let instrumented: InstrumentedModule
        do { instrumented = try InstrumentedModule(wasm, prices: prices) } catch { throw .notCompiled("\(error)") }
        let module = try peer.load(instrumented.bytes)
        return try measure(export, arguments, effort) { (arguments) throws(BenchError) in
            try peer.timed(module, export, arguments, fresh: false)
        }
    }

    private static func measure(
        _ export: String, _ arguments: [UInt64], _ effort: Effort,
        _ call: ([UInt64]) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64)
    ) throws(BenchError) -> LoopMeasure {
        var arguments = arguments
        guard let first = arguments.first else { throw .trapped(export, "it has no parameter that counts iterations") }
        // Twice the iterations has to fit in an i32.
        let most: UInt64 = 1 << 30
        var iterations = max(1, min(first, most))
        func run(_ factor: UInt64) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64) {
            arguments[0] = iterations * factor
            return try call(arguments)
        }
        while true {
            let time = min(try run(1).nanoseconds, try run(1).nanoseconds)
            if Double(time) >= effort.run || iterations >= most { break }
            iterations = min(most, UInt64(Double(iterations) * max(2, min(16, effort.run / Double(max(time, 1))))))
        }
        var ratios: [Double] = []
        var gas: Int64?
        for round in 0..<effort.rounds {
            let isSwapped = round % 2 == 1
            var (one, two) = (try run(isSwapped ? 2 : 1), try run(isSwapped ? 1 : 2))
            if isSwapped { swap(&one, &two) }
            let more = two.gas - one.gas
            guard more > 0, more == gas ?? more else { throw .gasDiffers(export, expected: gas ?? 1, used: more) }
            gas = more
            ratios.append((Double(two.nanoseconds) - Double(one.nanoseconds)) / (Double(more) / 1_000))
        }
        guard let sample = try? Sample(ratios), let gas else { throw .noTime(rounds: 0) }
        return LoopMeasure(
            nanosecondsPerGas: Bootstrap().median(sample), gas: Double(gas) / 1_000 / Double(iterations),
            iterations: iterations, rounds: effort.rounds)
    }
}
