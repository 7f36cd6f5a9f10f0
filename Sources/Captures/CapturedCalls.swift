import Bundle
import CLinux
import Engine
import Primitives
import Replay
import WasmReference

/// A call of a function inside an actor, as it was found while a message was replayed.
public struct CapturedCall {
    /// In the index space.
    public var function: Int
    public var arguments: [UInt64]
    /// By index.
    public var globals: [UInt64]
    public var memory: CapturedMemory
    /// What imports answered to the instance; those before `answersBefore` came before the call.
    public var log: AnswerLog
    public var answersBefore: Int
    /// The vector, and which entry of the function in it.
    public var origin: String
}

/// Calls inside the actors of a bundle, out of the vectors that its network versions run.
///
/// Vectors run twice by the interpreter, which does the same each time. First it is noted which entries of functions
/// are worth having: those that charged for a block first, and some of each function from vectors far apart. Then,
/// actor by actor, these are copied.
public final class CapturedCalls {
    /// Which entries of a function, by their numbers in a vector.
    private typealias Wanted = [Int: Set<UInt32>]

    private let sessions: VectorSessions
    private let codes: [[UInt8]: [UInt8]]
    /// By code, vector (its place) and function.
    private var wanted: [[UInt8]: [Int: Wanted]] = [:]
    private var blockCounts: [[UInt8]: Int] = [:]
    /// Vectors that were replayed, all with the results they demand.
    public private(set) var vectors = 0
    /// Those that did not pass, with the reason; nothing is taken from them.
    public private(set) var failures: [String] = []

    /// Bytes of different pages that an actor's calls may have.
    private static let mostBytes = 1 << 30
    /// Bytes of memory that a call may find.
    private static let mostMemory = 8 << 20
    /// Calls of a function that are taken although they reach nothing new.
    private static let spread = 5

    /// Replays the vectors once.
    ///
    /// - Parameters:
    ///   - paths: vectors, or directories of them.
    ///   - networkVersions: those that run the bundle.
    ///   - names: actors of the bundle to look at; empty is all.
    ///   - progress: told how many vectors were looked at.
    /// - Throws: when the vectors are not there.
    public init(
        _ paths: [String], bundle: ActorBundle, networkVersions: [UInt32], actors names: Set<String> = [],
        progress: (Int) -> Void = { _ in }
    ) throws(ReplayError) {
        sessions = try VectorSessions(paths, engine: ReferenceEngine.fvm(), bundles: [bundle])
        var codes: [[UInt8]: [UInt8]] = [:]
        for (name, cid) in bundle.codes where names.isEmpty || names.contains(name) {
            codes[cid.bytes] = bundle.code(cid)
        }
        self.codes = codes
        let following = FollowingEngine { codes[$0] != nil }
        var seen: [[UInt8]: [Int]] = [:]
        for place in 0..<sessions.count {
            for followed in following.followed.values { followed.counts.reset() }
            let before = following.followed.mapValues(\.coverage.count)
            guard run(place, on: following, networkVersions) else { continue }
            for (key, followed) in following.followed {
                note(key, followed, place, firsts: before[key] ?? 0, seen: &seen[key, default: []])
            }
            progress(place)
        }
        // Some vectors use gigabytes, which the heap would keep.
        malloc_trim(0)
        blockCounts = following.followed.mapValues(\.coverage.count)
    }

    /// Metered blocks of the actor with this code that the messages reached.
    public func reachedBlocks(_ key: [UInt8]) -> Int { blockCounts[key] ?? 0 }

    /// Whether the vector is one of the bundle's and passed.
    private func run(_ place: Int, on engine: FollowingEngine, _ networkVersions: [UInt32]) -> Bool {
        var passed = false
        for case .session(let session) in sessions.open(place)
        where networkVersions.contains(session.networkVersion.rawValue) {
            let report = session.with(engine: engine).run()
            guard report.status == .passed else {
                failures.append("\(report.name): \(report.problem ?? "other results")")
                return false
            }
            vectors += 1
            passed = true
        }
        return passed
    }

    private func note(
        _ key: [UInt8], _ followed: FollowingEngine.Followed, _ place: Int, firsts: Int, seen: inout [Int]
    ) {
        var here: Wanted = [:]
        for first in followed.coverage.firsts[firsts...] { here[first.function, default: []].insert(first.entry) }
        let counts = followed.counts.byFunction
        if seen.isEmpty { seen = Array(repeating: 0, count: counts.count) }
        for (function, count) in counts.enumerated() where count > 0 {
            seen[function] += 1
            // The 1st, 2nd, 4th, 8th… vector that enters it, each time somewhere else.
            guard seen[function].nonzeroBitCount == 1, seen[function] < 1 << Self.spread else { continue }
            here[function, default: []].insert(1 + UInt32(seen[function] * 7_919) % count)
        }
        if !here.isEmpty { wanted[key, default: [:]][place] = here }
    }

    /// Calls inside the actor with this code: its vectors run once more.
    public func of(_ key: [UInt8]) -> [CapturedCall] {
        guard let wanted = wanted[key], let wasm = codes[key] else { return [] }
        let following = FollowingEngine { $0 == key }
        // Loaded before it is needed, so that entries can be waited for from the first on.
        guard (try? following.load(key: key) { wasm }) != nil, let counts = following.followed[key]?.counts else {
            return []
        }
        let pool = MemoryPool()
        var calls: [CapturedCall] = []
        for (place, here) in wanted.sorted(by: { $0.key < $1.key }) {
            var pending = here.mapValues { $0.sorted(by: >) }
            counts.reset()
            for function in here.keys { counts.wait(for: pending[function]?.popLast() ?? 0, of: function) }
            for case .session(let session) in sessions.open(place) {
                following.capture = { _, entry, memory, log in
                    counts.wait(for: pending[entry.function]?.popLast() ?? 0, of: entry.function)
                    guard memory.count <= Self.mostMemory, pool.byteCount < Self.mostBytes else { return }
                    calls.append(
                        CapturedCall(
                            function: entry.function, arguments: entry.arguments, globals: entry.globals,
                            memory: pool.capture(memory), log: log, answersBefore: log.answers.count,
                            origin: "\(session.name), entry \(entry.number)"))
                }
                _ = session.with(engine: following).run()
            }
        }
        return calls
    }
}
