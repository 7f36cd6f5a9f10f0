import ArtifactFormat
import CompilePool
import Engine
import GasSchedule
import Measuring
import NativeEngine
import SeededRandom
import Statistics

/// How long and how operators are measured.
public struct BenchSettings: Sendable {
    /// Rounds without which there is no number.
    public static let leastRounds = 11

    /// Wall-clock seconds for the rounds; compiling comes before.
    public var budget: Double
    /// Whether the budget is for compiling too.
    public var coversCompiling = false
    /// Where the order of runs and the starts of walks through memory come from.
    public var seed: UInt64
    /// What a run should take, in nanoseconds; far above the clock's overhead.
    public var run: Double
    public var prices: WasmPrices
    /// At most this many rounds.
    public var mostRounds: Int

    public init(
        budget: Double = 60, seed: UInt64 = 1, run: Double = 100_000, prices: WasmPrices = .fvm, mostRounds: Int = 400
    ) {
        self.budget = budget
        self.seed = seed
        self.run = run
        self.prices = prices
        self.mostRounds = mostRounds
    }
}

/// Measures kernels: compiles them with metering and without, proves by the gas counter how often each operator ran,
/// and times all of them in rounds whose order changes, so that what the machine does meanwhile meets all alike.
public final class OperatorBench {
    /// How far a measurement is.
    public struct Progress: Sendable {
        /// What is done now.
        public var stage: String
        public var done: Int
        public var total: Int
    }

    private let settings: BenchSettings
    private let kernels: [Kernel]
    private var metered: [Subject?]
    private var unmetered: [Subject?]
    /// Other engines, and by kernel the module of each that holds it.
    private let peers: [PeerEngine]
    private var peerModules: [[PeerEngine.Module?]]
    /// By peer: why it gives no numbers, if it does not.
    private var peerFailures: [String?]
    private var random: SplitMix64
    /// Every timed run of metered code.
    private(set) var runs: [GasFitInput.Run] = []
    private let created = ThreadClock.wall

    /// A kernel in one compiled form.
    private struct Subject {
        let module: NativeModule
        var instance: any ActorInstance
        let exports: [String]
        var iterations: UInt64 = 1
    }

    /// Compiles the kernels.
    ///
    /// - Parameters:
    ///   - pool: with the tier, CPU level and store to be used; its settings are metered.
    ///   - unmeteredPool: the same without metering; nil measures none.
    ///   - peers: engines that run the same kernels, instrumented, between Smelt's runs.
    /// - Throws: when a module is refused or an engine fails.
    public init(
        _ kernels: [Kernel], settings: BenchSettings, pool: CompilePool, unmeteredPool: CompilePool?,
        peers: [PeerEngine] = [], progress: (Progress) -> Void = { _ in }
    ) throws(BenchError) {
        self.settings = settings
        self.peers = peers
        peerModules = Array(repeating: Array(repeating: nil, count: kernels.count), count: peers.count)
        peerFailures = Array(repeating: nil, count: peers.count)
        self.kernels = kernels
        random = SplitMix64(seed: settings.seed)
        metered = Array(repeating: nil, count: kernels.count)
        unmetered = metered
        let batches = OperatorBench.batches(kernels)
        for (isMetered, pool) in [(true, pool), (false, unmeteredPool)] {
            guard let pool else { continue }
            for (index, batch) in batches.enumerated() {
                let done = index + (isMetered ? 0 : batches.count)
                progress(
                    Progress(
                        stage: "compile", done: done, total: batches.count * (unmeteredPool == nil ? 1 : 2)))
                let module = KernelModule(kernels: batch.map { kernels[$0] }, prices: settings.prices)
                let subjects = try OperatorBench.compile(module, pool)
                for (place, subject) in zip(batch, subjects) {
                    if isMetered { metered[place] = subject } else { unmetered[place] = subject }
                }
            }
        }
        for (number, batch) in batches.enumerated() where !peers.isEmpty {
            progress(Progress(stage: "instrument", done: number, total: batches.count))
            let module = KernelModule(kernels: batch.map { kernels[$0] }, prices: settings.prices)
            let instrumented: InstrumentedModule
            do { instrumented = try InstrumentedModule(module.bytes, prices: settings.prices) } catch {
                throw .notCompiled("refused: \(error)")
            }
            for peer in peers.indices {
                withPeer(peer) { (engine) throws(BenchError) in
                    let loaded = try engine.load(instrumented.bytes)
                    for place in batch { peerModules[peer][place] = loaded }
                }
            }
        }
    }

    /// Does something with a peer that still answers; when it does not, that is noted, and it is asked no more.
    private func withPeer(_ peer: Int, _ body: (PeerEngine) throws(BenchError) -> Void) {
        guard peerFailures[peer] == nil else { return }
        do { try body(peers[peer]) } catch { peerFailures[peer] = error.description }
    }

    /// Peers that gave up, with the reason.
    public var failures: [String] { peerFailures.compactMap(\.self) }

    /// Kernels of a module: few enough that finding an export takes no time, and with one memory.
    private static func batches(_ kernels: [Kernel]) -> [[Int]] {
        let most = 24
        var batches: [[Int]] = []
        var open: [MemoryShape: Int] = [:]
        for (index, kernel) in kernels.enumerated() {
            if let batch = open[kernel.memory], batches[batch].count < most {
                batches[batch].append(index)
            } else {
                open[kernel.memory] = batches.count
                batches.append([index])
            }
        }
        return batches
    }

    private static func compile(_ module: KernelModule, _ pool: CompilePool) throws(BenchError) -> [Subject] {
        let native = try NativeModule.compiled(module.bytes, pool)
        let instance = try native.started()
        return module.kernels.indices.map { index in
            Subject(
                module: native, instance: instance,
                exports: [KernelModule.export(index, 1), KernelModule.export(index, 2)])
        }
    }

    // MARK: Runs

    /// One run: its time, its gas (milligas) and its result.
    private func run(
        _ subject: Subject, _ kernel: Kernel, _ factor: Int, start: UInt64
    ) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64) {
        try warm(subject, kernel)
        let instance = kernel.isFresh ? try subject.module.started() : subject.instance
        let arguments = [subject.iterations, kernel.a, kernel.b, start]
        return try instance.timed(subject.exports[factor - 1], arguments)
    }

    /// The same in another engine.
    private func run(
        _ engine: PeerEngine, _ module: PeerEngine.Module, _ index: Int, _ factor: Int, start: UInt64
    ) throws(BenchError) -> (nanoseconds: UInt64, gas: Int64, result: UInt64) {
        guard let subject = metered[index] else { throw .noTime(rounds: 0) }
        let kernel = kernels[index]
        if kernel.isWalk, kernel.memory.warmLines > 0 {
            let iterations = kernel.memory.warmLines / UInt64(kernel.copies) + 1
            _ = try engine.timed(module, subject.exports[0], [iterations, kernel.a, kernel.b, 0], fresh: false)
        }
        return try engine.timed(
            module, subject.exports[factor - 1], [subject.iterations, kernel.a, kernel.b, start],
            fresh: kernel.isFresh)
    }

    /// Where a walk through memory begins: at another line each time, so that it does not find what the last one left.
    private func start(_ kernel: Kernel) -> UInt64 {
        guard kernel.isWalk || kernel.memory.lines > 15 else { return kernel.start }
        return (random.next() & kernel.memory.lineMask) << UInt64(kernel.memory.stride)
    }

    /// Reads what a run shall find in the caches.
    private func warm(_ subject: Subject, _ kernel: Kernel) throws(BenchError) {
        guard kernel.isWalk, kernel.memory.warmLines > 0 else { return }
        let iterations = kernel.memory.warmLines / UInt64(kernel.copies) + 1
        _ = try subject.instance.timed(subject.exports[0], [iterations, kernel.a, kernel.b, 0])
    }

    /// Finds out how many iterations a run needs, and that all forms give the same result.
    private func prepare(_ index: Int) throws(BenchError) {
        let kernel = kernels[index]
        guard var subject = metered[index] else { return }
        if !kernel.isFresh {
            subject.iterations = 4
            while subject.iterations < 1 << 24 {
                // The faster of two: a run that was interrupted must not look long enough.
                var time = UInt64.max
                for _ in 0..<2 { time = min(time, try run(subject, kernel, 1, start: start(kernel)).nanoseconds) }
                if Double(time) >= settings.run { break }
                let factor = max(2, min(16, settings.run / Double(max(time, 1)) + 1))
                subject.iterations = UInt64(Double(subject.iterations) * factor)
            }
        }
        metered[index] = subject
        unmetered[index]?.iterations = subject.iterations
        for peer in peers.indices {
            guard peerFailures[peer] == nil, let module = peerModules[peer][index] else { continue }
            let start = start(kernel)
            let first = try run(subject, kernel, 1, start: start)
            var second: UInt64?
            withPeer(peer) { (engine) throws(BenchError) in
                second = try run(engine, module, index, 1, start: start).result
            }
            if let second, second != first.result { throw .peerDiffers(peers[peer].name, kernel.title) }
        }
        guard let bare = unmetered[index] else { return }
        for factor in [1, 2] {
            let start = start(kernel)
            let first = try run(subject, kernel, factor, start: start)
            let second = try run(bare, kernel, factor, start: start)
            guard second.gas == 0 else { throw .baselineCharges(kernel.title) }
            guard first.result == second.result else { throw .resultsDiffer(kernel.title) }
        }
    }

    /// One kernel's measured steps.
    private struct Series {
        var metered: [Double] = []
        var unmetered: [Double] = []
        /// By peer.
        var peers: [[Double]] = []
        var steps: UInt64 = 0
    }

    /// What the yardstick took in each round, nanoseconds: rows are as if it had always taken its median.
    public private(set) var yardsticks: [Double] = []

    /// Measures until the time is over.
    ///
    /// - Returns: a row for each kernel, in their order.
    public func measure(progress: (Progress) -> Void = { _ in }) throws(BenchError) -> [OperatorRow] {
        for index in kernels.indices {
            progress(Progress(stage: "prepare", done: index, total: kernels.count))
            try prepare(index)
        }
        let empty = Series(peers: Array(repeating: [], count: peers.count))
        var series = Array(repeating: empty, count: kernels.count)
        let start = settings.coversCompiling ? created : ThreadClock.wall
        func passed() -> Double { Double(ThreadClock.wall - start) / 1e9 }
        let compiled = passed()
        var yardstick = Yardstick(.arithmetic)
        var rounds = 0
        var stretch = 1
        while rounds < settings.mostRounds, rounds < BenchSettings.leastRounds || passed() < settings.budget {
            let share = Double(stretch) / Double(Rounds.stretches.upperBound)
            if stretch < Rounds.stretches.upperBound, passed() > compiled + (settings.budget - compiled) * share {
                try renew()
                stretch += 1
            }
            let before = yardstick.measure()
            for index in kernels.indices.shuffled(using: &random) { try round(index, &series[index]) }
            yardsticks.append((before + yardstick.measure()) / 2)
            rounds += 1
            progress(Progress(stage: "round", done: rounds, total: settings.mostRounds))
        }
        return try rows(series)
    }

    /// Gives all kernels new instances. Which machine pages a guest's memory lies on decides what the caches hold of
    /// it; in another run it lies elsewhere, so it does so in each stretch of this one.
    private func renew() throws(BenchError) {
        for isMetered in [true, false] {
            var instances: [ObjectIdentifier: any ActorInstance] = [:]
            for index in kernels.indices {
                guard let subject = isMetered ? metered[index] : unmetered[index] else { continue }
                let old = ObjectIdentifier(subject.instance)
                let instance: any ActorInstance
                if let known = instances[old] { instance = known } else { instance = try subject.module.started() }
                instances[old] = instance
                if isMetered { metered[index]?.instance = instance } else { unmetered[index]?.instance = instance }
            }
        }
    }

    /// The four runs of a kernel, in changing order.
    private func round(_ index: Int, _ series: inout Series) throws(BenchError) {
        let kernel = kernels[index]
        let step = kernel.oneStep(settings.prices).milligas
        let swapped = random.next() & 1 == 1
        for isMetered in random.next() & 1 == 1 ? [true, false] : [false, true] {
            guard let subject = isMetered ? metered[index] : unmetered[index] else { continue }
            var runs: [(nanoseconds: UInt64, gas: Int64, result: UInt64)] = []
            for factor in swapped ? [2, 1] : [1, 2] {
                runs.append(try run(subject, kernel, factor, start: start(kernel)))
            }
            if swapped { runs.swapAt(0, 1) }
            let steps = subject.iterations * UInt64(kernel.copies)
            let expected = isMetered ? Int64(steps * step) : 0
            guard runs[1].gas - runs[0].gas == expected else {
                throw .gasDiffers(kernel.title, expected: expected, used: runs[1].gas - runs[0].gas)
            }
            let time = (Double(runs[1].nanoseconds) - Double(runs[0].nanoseconds)) / Double(steps)
            if isMetered {
                note(index, "smelt", steps, runs.map(\.nanoseconds))
                series.metered.append(time)
                series.steps += steps
            } else {
                series.unmetered.append(time)
            }
        }
        for peer in peers.indices.shuffled(using: &random) {
            guard let module = peerModules[peer][index], let subject = metered[index] else { continue }
            var runs: [(nanoseconds: UInt64, gas: Int64, result: UInt64)] = []
            withPeer(peer) { (engine) throws(BenchError) in
                for factor in swapped ? [2, 1] : [1, 2] {
                    runs.append(try run(engine, module, index, factor, start: start(kernel)))
                }
            }
            guard runs.count == 2 else { continue }
            if swapped { runs.swapAt(0, 1) }
            let steps = subject.iterations * UInt64(kernel.copies)
            // What its counter says is the instrumentation's own count: no plan of ours stands between.
            guard runs[1].gas - runs[0].gas == Int64(steps * step) else {
                throw .gasDiffers(
                    "\(kernel.title) in \(peers[peer].name)", expected: Int64(steps * step),
                    used: runs[1].gas - runs[0].gas)
            }
            note(index, peers[peer].name, steps, runs.map(\.nanoseconds))
            series.peers[peer].append((Double(runs[1].nanoseconds) - Double(runs[0].nanoseconds)) / Double(steps))
        }
    }

    /// Keeps both runs of a pair: `steps` and twice as many.
    private func note(_ kernel: Int, _ engine: String, _ steps: UInt64, _ times: [UInt64]) {
        for (factor, time) in times.enumerated() {
            runs.append(
                GasFitInput.Run(kernel: kernel, engine: engine, steps: steps * UInt64(factor + 1), nanoseconds: time))
        }
    }

    private func rows(_ series: [Series]) throws(BenchError) -> [OperatorRow] {
        let bootstrap = Bootstrap(seed: settings.seed)
        func estimate(_ values: [Double]) -> Estimate? {
            // An engine that came late or was lost has no value of some rounds: nothing to divide by.
            let isWhole = values.count == yardsticks.count
            return try? Rounds.median(
                isWhole ? Rounds.levelled(values, yardsticks: yardsticks) : values, bootstrap: bootstrap)
        }
        let steps = series.map { estimate($0.metered) }
        let glue = GlueTimes(kernels, steps, settings.prices)
        return try kernels.indices.map { (index) throws(BenchError) in
            guard let time = steps[index] else { throw .noTime(rounds: series[index].metered.count) }
            let others = peers.indices.compactMap { peer -> PeerTime? in
                guard peerFailures[peer] == nil, let time = estimate(series[index].peers[peer]) else { return nil }
                return PeerTime(engine: peers[peer].name, step: time)
            }
            return OperatorRow(
                kernels[index], step: time, unmetered: estimate(series[index].unmetered), peers: others, glue: glue,
                executions: series[index].steps, rounds: series[index].metered.count, prices: settings.prices)
        }
    }
}
