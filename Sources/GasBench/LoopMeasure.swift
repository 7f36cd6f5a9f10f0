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
        /// Pairs of runs on each instance.
        public var rounds: Int
        /// Instances, one after the other: where the system puts an instance's memory decides about what walks through
        /// it take, and stays as it is while the instance lives.
        public var instances: Int

        public init(run: Double = 4_000_000, rounds: Int = 11, instances: Int = 9) {
            self.run = run
            self.rounds = rounds
            self.instances = instances
        }

        /// For choosing among many.
        static let quick = Effort(run: 200_000, rounds: 5, instances: 1)
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
        var series: [Series] = []
        for _ in 0..<max(1, effort.instances) {
            series.append(try Self.series(try module.started(), export, arguments, effort))
        }
        return try combined(series, export)
    }

    static func measure(
        _ instance: any ActorInstance, _ export: String, _ arguments: [UInt64], _ effort: Effort
    ) throws(BenchError) -> LoopMeasure {
        try combined([series(instance, export, arguments, effort)], export)
    }

    /// Measures on one instance.
    static func series(
        _ instance: any ActorInstance, _ export: String, _ arguments: [UInt64], _ effort: Effort
    ) throws(BenchError) -> Series {
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
        var series: [Series] = []
        for _ in 0..<max(1, effort.instances) {
            // A module of its own has an instance of its own.
            let module = try peer.load(instrumented.bytes)
            series.append(
                try measure(export, arguments, effort) { (arguments) throws(BenchError) in
                    try peer.timed(module, export, arguments, fresh: false)
                })
        }
        return try combined(series, export)
    }

    /// What one instance showed.
    struct Series {
        /// Nanoseconds per gas of each pair.
        var ratios: [Double]
        /// Milligas of all iterations of the shorter runs.
        var gas: Int64
        var iterations: UInt64
    }

    /// The median of all pairs. The interval is that of pairs, and reaches at least from the lowest to the highest
    /// median of an instance: pairs of one instance know nothing of how instances differ.
    static func combined(_ series: [Series], _ export: String) throws(BenchError) -> LoopMeasure {
        guard let first = series.first, let sample = try? Sample(series.flatMap(\.ratios)) else {
            throw .noTime(rounds: 0)
        }
        for other in series.dropFirst() {
            let expected = first.gas / Int64(first.iterations) * Int64(other.iterations)
            guard other.gas == expected else { throw .gasDiffers(export, expected: expected, used: other.gas) }
        }
        let medians = series.compactMap { (try? Sample($0.ratios))?.median }
        var estimate = Bootstrap().median(sample)
        estimate.interval = Interval(
            low: min(estimate.interval.low, medians.min() ?? estimate.value),
            high: max(estimate.interval.high, medians.max() ?? estimate.value))
        return LoopMeasure(
            nanosecondsPerGas: estimate, gas: Double(first.gas) / 1_000 / Double(first.iterations),
            iterations: first.iterations, rounds: sample.count)
    }

    private static func measure(
        _ export: String, _ arguments: [UInt64], _ effort: Effort,
        _ call: ([UInt64]) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64)
    ) throws(BenchError) -> Series {
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
        guard let gas else { throw .noTime(rounds: 0) }
        return Series(ratios: ratios, gas: gas, iterations: iterations)
    }
}
