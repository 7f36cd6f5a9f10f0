import ArtifactFormat
import CodeSettings
import CompilePool
import Glibc
import WorkerProtocol

/// What one compilation of a bomb took.
public struct BombResult: Sendable {
    public var family: String
    public var tier: Tier
    /// Of the module.
    public var bytes: Int
    /// Processor seconds and bytes at the highest, as the worker reports them.
    public var seconds: Double
    public var memory: UInt64
    /// Why there is no object of this tier; nil when there is.
    public var failure: String?

    public init(
        family: String, tier: Tier, bytes: Int, seconds: Double, memory: UInt64, failure: String?
    ) {
        self.family = family
        self.tier = tier
        self.bytes = bytes
        self.seconds = seconds
        self.memory = memory
        self.failure = failure
    }
}

/// What compiling any module may take.
public struct BombLimits: Sendable {
    /// Processor seconds for a module of 1 MiB.
    public var seconds = 20.0
    /// Bytes for a module of 1 MiB.
    public var memory: UInt64 = 3 << 29
    /// How many times as long a module twice as large may take.
    public var ratio = 2.3
    /// Processor seconds below which no ratio is looked at: starting up and noise are part of them.
    public var least = 1.0

    public init() {}

    /// The rules that results of one family and tier, smallest module first, break.
    public func breaches(_ results: [BombResult]) -> [String] {
        var found: [String] = []
        for result in results {
            // Smaller modules have what the largest may have: starting up does not shrink.
            let share = max(1, Double(result.bytes) / Double(1 << 20))
            if let failure = result.failure { found.append("\(result.bytes) bytes: \(failure)") }
            if result.seconds > seconds * share { found.append("\(result.bytes) bytes: \(result.seconds) s") }
            if Double(result.memory) > Double(memory) * share {
                found.append("\(result.bytes) bytes: \(result.memory >> 20) MiB")
            }
        }
        for (small, large) in zip(results, results.dropFirst())
        where large.seconds >= least && large.failure == nil && small.seconds > 0 {
            guard let doublings = BombLimits.doublings(small, large) else { continue }
            let growth = large.seconds / small.seconds
            if growth > pow(ratio, doublings) {
                found.append("\(small.bytes) to \(large.bytes) bytes: \(growth) times as long")
            }
        }
        return found
    }

    /// How often the size doubles from one module to the next, more than once where sizes are further apart; nil where
    /// it does not, because the family has come to its cap: what little was added says nothing about growth.
    public static func doublings(_ small: BombResult, _ large: BombResult) -> Double? {
        let doublings = log2(Double(large.bytes) / Double(small.bytes))
        // Sizes are rounded to whole pieces.
        return doublings > 0.9 ? doublings : nil
    }
}

/// Compiles bombs as users do: in worker processes.
public struct BombRun: Sendable {
    private let worker: String?
    private let limits: CompileLimits
    /// How often what looks too slow is measured again; the shortest time of each size counts.
    private static let repetitions = 4

    /// - Parameters:
    ///   - worker: path of the compiler program; nil is the one beside this program.
    ///   - seconds: processor time at which a compilation is given up.
    public init(worker: String? = nil, seconds: UInt64 = 30) {
        self.worker = worker
        limits = CompileLimits(seconds: seconds, memory: 4 << 30)
    }

    /// Compiles the family's module of about this many bytes.
    public func measure(_ family: BombFamily, bytes: Int, tier: Tier) -> BombResult {
        let wasm = family.make(bytes)
        var result = BombResult(
            family: family.name, tier: tier, bytes: wasm.count, seconds: 0, memory: 0, failure: nil)
        let limits = limits
        var settings = CompileSettings()
        settings.tier = tier
        let pool = CompilePool(store: nil, settings: settings, jobs: 1, worker: worker) { _ in limits }
        switch pool.compile([CompileInput(name: family.name, wasm: wasm)])[0] {
        case .compiled(let actor):
            result.seconds = Double(actor.usage?.cpuMicroseconds ?? 0) / 1e6
            result.memory = actor.usage?.peakMemory ?? 0
            result.failure = actor.baselineReason.map { "the \(tier.rawValue) tier failed: \($0)" }
        case .refused(let text): result.failure = "refused: \(text)"
        case .failed(let failure): result.failure = "\(failure)"
        }
        return result
    }

    /// The family at each size, smallest first; what looks too slow for its size is measured again, because other
    /// programs of the machine slow it down too. Nothing larger is tried after a failure.
    public func measure(
        _ family: BombFamily, sizes: [Int], tier: Tier, limits: BombLimits
    ) -> [BombResult] {
        var results: [BombResult] = []
        for size in sizes.sorted() {
            results.append(measure(family, bytes: size, tier: tier))
            if results.last?.failure != nil { break }
            guard results.count > 1 else { continue }
            for _ in 0..<Self.repetitions where !limits.breaches(results.suffix(2)).isEmpty {
                for index in [results.count - 2, results.count - 1] {
                    let again = measure(family, bytes: sizes.sorted()[index], tier: tier)
                    if again.failure == nil, again.seconds < results[index].seconds { results[index] = again }
                }
            }
        }
        return results
    }
}
