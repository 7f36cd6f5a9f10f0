import CompilePool
import Engine
import GasSchedule
import NativeEngine
import SeededRandom
import Statistics

/// A loop beside a row of the operator table, both measured in the same rounds: figures of different minutes say more of
/// the machine's neighbours than of the two.
public struct TableComparison: Sendable {
    /// The row, as the table names it.
    public var row: String
    /// Nanoseconds per gas of the row's step, and of the loop.
    public var table: Estimate
    public var found: Estimate
    /// The loop's by the row's, of the pairs of each round.
    public var ratio: Estimate
    public var rounds: Int

    /// The row that takes the most time for its gas, of all: each is measured as often as a number needs.
    public static func worstRow(_ settings: BenchSettings, pool: CompilePool) throws(BenchError) -> Kernel? {
        let kernels = KernelTable.all(settings.prices)
        var brief = settings
        brief.budget = 0
        let rows = try OperatorBench(kernels, settings: brief, pool: pool, unmeteredPool: nil).measure()
        let worst = zip(kernels, rows).filter { $0.1.stepGas > 0 }.max {
            $0.1.nanosecondsPerGas.value < $1.1.nanosecondsPerGas.value
        }
        return worst?.0
    }

    /// Measures both in turn, on new instances again and again.
    public static func measure(
        wasm: [UInt8], export: String, arguments: [UInt64], beside kernel: Kernel, prices: WasmPrices,
        pool: CompilePool, effort: LoopMeasure.Effort = LoopMeasure.Effort()
    ) throws(BenchError) -> TableComparison {
        var sides = [
            Side(loop: try NativeModule.compiled(wasm, pool), export, arguments),
            Side(
                row: try NativeModule.compiled(KernelModule(kernels: [kernel], prices: prices).bytes, pool), kernel,
                prices),
        ]
        var random = SplitMix64(seed: 1)
        var samples: [[Double]] = [[], []]
        var ratios: [Double] = []
        var stretches: [Double] = []
        for _ in 0..<max(1, effort.instances) {
            for side in sides.indices { try sides[side].renew(run: effort.run) }
            var stretch: [Double] = []
            for _ in 0..<effort.rounds {
                var times = [0.0, 0.0]
                let first = random.below(2)
                for side in [first, 1 - first] { times[side] = try sides[side].pair(&random) }
                for side in sides.indices { samples[side].append(times[side]) }
                stretch.append(times[0] / times[1])
            }
            ratios += stretch
            if let median = (try? Sample(stretch))?.median { stretches.append(median) }
        }
        guard let found = estimate(samples[0]), let table = estimate(samples[1]), var ratio = estimate(ratios) else {
            throw .noTime(rounds: ratios.count)
        }
        // As for a loop alone: at least as wide as instances differ.
        ratio.interval = Interval(
            low: min(ratio.interval.low, stretches.min() ?? ratio.value),
            high: max(ratio.interval.high, stretches.max() ?? ratio.value))
        return TableComparison(row: kernel.title, table: table, found: found, ratio: ratio, rounds: ratios.count)
    }

    private static func estimate(_ values: [Double]) -> Estimate? {
        (try? Sample(values)).map { Bootstrap().median($0) }
    }

    /// One of the two: what its short and its long run are.
    private struct Side {
        let module: NativeModule
        /// Exports of the short and of the long run, and how many times the short one's iterations each makes.
        let runs: [(export: String, times: UInt64)]
        /// Behind the number of iterations.
        let arguments: [UInt64]
        /// A row that walks through memory begins at another line each time; a loop goes on where it stopped.
        let walk: MemoryShape?
        /// Whether each run needs an instance of its own.
        let isFresh: Bool
        /// Milligas that the long run uses more, for each iteration of the short one; nil is not known in advance.
        let step: UInt64?
        var iterations: UInt64 = 1
        var instance: (any ActorInstance)?

        init(loop module: NativeModule, _ export: String, _ arguments: [UInt64]) {
            self.module = module
            runs = [(export, 1), (export, 2)]
            self.arguments = Array(arguments.dropFirst())
            walk = nil
            isFresh = false
            step = nil
        }

        init(row module: NativeModule, _ kernel: Kernel, _ prices: WasmPrices) {
            self.module = module
            runs = [(KernelModule.export(0, 1), 1), (KernelModule.export(0, 2), 1)]
            arguments = [kernel.a, kernel.b, kernel.start]
            walk = kernel.isWalk || kernel.memory.lines > 15 ? kernel.memory : nil
            isFresh = kernel.isFresh
            step = kernel.oneStep(prices).milligas * UInt64(kernel.copies)
        }

        /// Takes a new instance, and finds out how many iterations a run needs when that is not known.
        mutating func renew(run least: Double) throws(BenchError) {
            instance = nil
            instance = try module.started()
            guard iterations == 1, !isFresh else { return }
            var random = SplitMix64(seed: 2)
            while iterations < 1 << 30 {
                let time = min(try run(0, &random).nanoseconds, try run(0, &random).nanoseconds)
                if Double(time) >= least { break }
                iterations = min(1 << 30, UInt64(Double(iterations) * max(2, min(16, least / Double(max(time, 1))))))
            }
        }

        private func run(
            _ index: Int, _ random: inout SplitMix64
        ) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64) {
            var arguments = arguments
            if let walk { arguments[2] = (random.next() & walk.lineMask) << UInt64(walk.stride) }
            guard let instance = isFresh ? try module.started() : instance else { throw .noTime(rounds: 0) }
            return try instance.timed(runs[index].export, [iterations * runs[index].times] + arguments)
        }

        /// Nanoseconds per gas by which the long run is longer.
        func pair(_ random: inout SplitMix64) throws(BenchError) -> Double {
            let isSwapped = random.below(2) == 1
            var (short, long) = (try run(isSwapped ? 1 : 0, &random), try run(isSwapped ? 0 : 1, &random))
            if isSwapped { swap(&short, &long) }
            let more = long.gas - short.gas
            let expected = step.map { Int64($0 * iterations) } ?? more
            guard more > 0, more == expected else { throw .gasDiffers(runs[0].export, expected: expected, used: more) }
            return (Double(long.nanoseconds) - Double(short.nanoseconds)) / (Double(more) / 1_000)
        }
    }
}
