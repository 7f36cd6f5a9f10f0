import CompilePool
import GasSchedule
import JSON
import Measuring
import NativeEngine
import SeededRandom
import Statistics
import WasmFormat

/// Looks for the loop bodies that take the most time for their gas, by random and genetic search. It knows the
/// instructions and nothing of what the operator table says of them.
public struct GasSearch: Sendable {
    /// What is looked for and how long.
    public struct Settings: Sendable {
        /// Wall-clock seconds in all.
        public var budget: Double
        /// Equal seeds make equal first bodies; which of them live on is decided by the clock.
        public var seed: UInt64
        public var prices: WasmPrices
        /// Bodies that are kept.
        public var kept: Int

        public init(budget: Double = 300, seed: UInt64 = 1, prices: WasmPrices = .fvm, kept: Int = 5) {
            self.budget = budget
            self.seed = seed
            self.prices = prices
            self.kept = kept
        }
    }

    /// A loop that was found.
    public struct Found: Sendable {
        /// Its instructions, without what fetches operands.
        public var text: String
        /// A whole module: `export` takes a number of iterations and then `arguments`.
        public var wasm: [UInt8]
        public var export: String
        public var arguments: [UInt64]
        public var measure: LoopMeasure
    }

    /// A loop that the FVM accepts and the compiler does not manage: a fault of the compiler.
    public struct Failed: Sendable {
        public var text: String
        public var wasm: [UInt8]
        public var reason: String
    }

    /// What came of a search.
    public struct Outcome: Sendable {
        /// The worst first.
        public var found: [Found]
        /// Bodies that were measured, and those that trapped.
        public var measured: Int
        public var trapped: Int
        /// What could not be compiled.
        public var failed: [Failed]
        public var generations: Int
    }

    /// How far a search is.
    public struct Progress: Sendable {
        public var generation: Int
        public var measured: Int
        /// The worst nanoseconds per gas so far.
        public var worst: Double
        public var text: String
    }

    /// Iterations a run begins with.
    public static let iterations: UInt64 = 1

    private static let population = 24
    /// Bodies made at random in each generation.
    private static let strangers = 4
    /// The worst that are measured again in each generation: of many that are measured once those lead whose moment was
    /// a bad one.
    private static let elite = 6
    /// How many of the worst are measured with all that an interval needs, for each that is kept.
    private static let candidates = 3
    /// Memories that bodies of one generation walk through: to make one takes as long as to measure some bodies.
    private static let memories = 2
    /// Instances on which a body is measured before it may be given up, and those that are kept at least.
    private static let stretches = (first: 2, least: 5, most: 40)
    /// The share of the budget after which what was found is measured.
    private static let breeding = 2.0 / 3

    private let settings: Settings
    private let pool: CompilePool
    private var random: SplitMix64
    /// Nanoseconds per gas of each time a body was measured; none for one that trapped.
    private var known: [Genome: [Double]] = [:]

    /// Bodies whose memory had no turn yet.
    private var waiting: [Genome] = []

    private var failed: [Failed] = []

    private init(_ settings: Settings, _ pool: CompilePool) {
        self.settings = settings
        self.pool = pool
        random = SplitMix64(seed: settings.seed)
    }

    /// Searches. At least one generation is measured, however small the budget.
    public static func run(
        _ settings: Settings, pool: CompilePool, progress: (Progress) -> Void = { _ in }
    ) throws(BenchError) -> Outcome {
        var search = GasSearch(settings, pool)
        return try search.run(progress)
    }

    private mutating func run(_ progress: (Progress) -> Void) throws(BenchError) -> Outcome {
        let start = ThreadClock.wall
        let end = start + UInt64(settings.budget * 1e9 * GasSearch.breeding)
        var generation = 0
        // Each instruction alone, and some bodies at random.
        var population = Genome.alone
        for _ in 0..<GasSearch.population { population.append(.random(&random)) }
        var ranked: [Genome] = []
        repeat {
            try evaluate(population + ranked.prefix(GasSearch.elite))
            ranked = known.filter { !$0.value.isEmpty }.keys.map { (genome: $0, fitness: fitness($0)) }
                .sorted { $0.fitness > $1.fitness }.map(\.genome)
            generation += 1
            if let best = ranked.first {
                progress(
                    Progress(
                        generation: generation, measured: ranked.count, worst: fitness(best), text: best.text))
            }
            population = next(ranked)
        } while ThreadClock.wall < end
        let found = try confirm(ranked, until: start + UInt64(settings.budget * 1e9))
        return Outcome(
            found: found, measured: ranked.count, trapped: known.count - ranked.count - failed.count,
            failed: failed, generations: generation)
    }

    private func fitness(_ genome: Genome) -> Double {
        known[genome].flatMap { try? Sample($0) }?.median ?? 0
    }

    /// What the best two are without what does not matter and elsewhere in memory, children of the best, and some
    /// strangers.
    private mutating func next(_ ranked: [Genome]) -> [Genome] {
        var next: [Genome] = []
        for other in ranked.prefix(2).flatMap({ $0.elsewhere + $0.simpler })
        where known[other] == nil && !next.contains(other) && next.count < GasSearch.population / 2 {
            next.append(other)
        }
        // Of those with the same instructions the worst alone: else all would soon be children of one.
        var shapes: Set<Set<Opcode>> = []
        let parents = ranked.filter { shapes.insert(Set($0.genes.map(\.opcode))).inserted }
            .prefix(GasSearch.population)
        while next.count < GasSearch.population - GasSearch.strangers, !parents.isEmpty {
            // Of three the best.
            let first = (0..<3).map { _ in random.below(parents.count) }.min() ?? 0
            let second = random.below(parents.count)
            let child =
                random.below(2) == 0
                ? parents[first].mutated(&random) : parents[first].crossed(with: parents[second], &random)
            if known[child] == nil, !next.contains(child) {
                next.append(child)
            } else {
                next.append(child.mutated(&random))
            }
        }
        while next.count < GasSearch.population { next.append(.random(&random)) }
        return next
    }

    /// Measures bodies, in one module for each memory: of those memories that most bodies wait for.
    private mutating func evaluate(_ population: [Genome]) throws(BenchError) {
        var fresh: [Genome] = []
        var seen: Set<Genome> = []
        for genome in waiting + population where known[genome]?.isEmpty != true && seen.insert(genome).inserted {
            fresh.append(genome)
        }
        let groups = Dictionary(grouping: fresh, by: \.walk)
        let walks = Genome.Walk.all.filter { groups[$0] != nil }.sorted {
            (groups[$0]?.count ?? 0) > (groups[$1]?.count ?? 0)
        }
        for walk in walks.prefix(GasSearch.memories) { try compile(groups[walk] ?? []) }
        waiting = walks.dropFirst(GasSearch.memories).flatMap { groups[$0] ?? [] }
    }

    /// Compiles and measures; of bodies that are not compiled together, each half alone, until those are found that
    /// the compiler fails on.
    private mutating func compile(_ fresh: [Genome]) throws(BenchError) {
        let kernels = fresh.map { $0.kernel(settings.prices) }
        let wasm = KernelModule(kernels: kernels, prices: settings.prices, isFound: true).bytes
        let native: NativeModule
        do { native = try NativeModule.compiled(wasm, pool) } catch .notCompiled(let reason) {
            guard fresh.count > 1 else {
                known[fresh[0]] = []
                failed.append(Failed(text: fresh[0].text, wasm: wasm, reason: reason))
                return
            }
            try compile(Array(fresh.prefix(fresh.count / 2)))
            return try compile(Array(fresh.dropFirst(fresh.count / 2)))
        } catch { throw error }
        var instance = try native.started()
        for (index, genome) in fresh.enumerated() {
            let arguments = [GasSearch.iterations, kernels[index].a, kernels[index].b, kernels[index].start]
            do {
                _ = try instance.timed(KernelModule.rewind, [])
                let measure = try LoopMeasure.measure(instance, KernelModule.loop(index), arguments, .quick)
                known[genome, default: []].append(measure.nanosecondsPerGas.value)
                if genome.writes { _ = try instance.timed(KernelModule.prepare, []) }
            } catch .trapped {
                // What it left behind is not for the next.
                known[genome] = []
                instance = try native.started()
            } catch { throw error }
        }
    }

    /// A body on its way to a figure with an interval.
    private struct Candidate {
        let genome: Genome
        let kernel: Kernel
        let wasm: [UInt8]
        let module: NativeModule
        var series: [LoopMeasure.Series] = []
        var median: Double { (try? Sample(series.flatMap(\.ratios)))?.median ?? 0 }

        var arguments: [UInt64] { [GasSearch.iterations, kernel.a, kernel.b, kernel.start] }
    }

    /// The worst once more, each in a module of its own, with all the rounds an interval needs. All are measured in
    /// turn, on one new instance each, so that a bad moment of the machine meets all alike; the half that takes less is
    /// given up again and again, and the time that is left goes to those that are kept.
    private func confirm(_ ranked: [Genome], until end: UInt64) throws(BenchError) -> [Found] {
        var candidates = try candidates(ranked)
        var stretch = 0
        while stretch < GasSearch.stretches.least || ThreadClock.wall < end, stretch < GasSearch.stretches.most {
            for index in candidates.indices {
                do {
                    let instance = try candidates[index].module.started()
                    let series = try LoopMeasure.series(
                        instance, KernelModule.loop(0), candidates[index].arguments, LoopMeasure.Effort())
                    candidates[index].series.append(series)
                } catch .trapped { candidates[index].series = [] } catch { throw error }
            }
            stretch += 1
            candidates = candidates.filter { !$0.series.isEmpty }.sorted { $0.median > $1.median }
            let isLate = ThreadClock.wall >= end
            if stretch >= GasSearch.stretches.first || isLate {
                candidates = Array(candidates.prefix(isLate ? settings.kept : max(settings.kept, candidates.count / 2)))
            }
        }
        return try candidates.prefix(settings.kept).map { (candidate) throws(BenchError) in
            Found(
                text: candidate.genome.text, wasm: candidate.wasm, export: KernelModule.loop(0),
                arguments: Array(candidate.arguments.dropFirst()),
                measure: try LoopMeasure.combined(candidate.series, KernelModule.loop(0)))
        }
    }

    /// The worst, more than are kept, since what led by little may not lead then. Of bodies with the same instructions on
    /// the same memory one is enough.
    private func candidates(_ ranked: [Genome]) throws(BenchError) -> [Candidate] {
        var candidates: [Candidate] = []
        var shapes: Set<Genome> = []
        for genome in ranked where candidates.count < settings.kept * GasSearch.candidates {
            let names = Set(genome.genes.map(\.opcode)).sorted { $0.name < $1.name }
            let shape = Genome(
                genes: names.map { Genome.Gene(opcode: $0, takesTop: true, source: 0, immediate: 0) },
                walk: genome.walk)
            guard shapes.insert(shape).inserted else { continue }
            let kernel = genome.kernel(settings.prices)
            let wasm = KernelModule(kernels: [kernel], prices: settings.prices, isFound: true).bytes
            let module = try NativeModule.compiled(wasm, pool)
            candidates.append(Candidate(genome: genome, kernel: kernel, wasm: wasm, module: module))
        }
        return candidates
    }
}

extension LoopMeasure {
    /// Members of reports: nanoseconds per gas, gas of an iteration, seconds of a full block.
    public var json: JSONValue {
        .object([
            "ns_per_gas": nanosecondsPerGas.json, "gas_per_iteration": .decimal(gas),
            "block_seconds": blockSeconds.json, "iterations": .integer(iterations), "rounds": .integer(rounds),
        ])
    }
}
