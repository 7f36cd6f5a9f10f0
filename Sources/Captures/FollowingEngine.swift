import Engine
import Metering
import WasmReference

/// The interpreter as an engine that counts entries of functions and captures some. Sendable although it has state: a
/// run takes place on one thread, and nothing else uses it.
final class FollowingEngine: ActorEngine, @unchecked Sendable {
    /// A module whose entries are counted.
    final class Followed {
        let code: FlatCode
        let coverage: ChargeCoverage
        let counts: EntryCounts

        init(_ code: FlatCode) {
            self.code = code
            coverage = ChargeCoverage(code)
            counts = EntryCounts(code)
        }
    }

    private let isFollowed: ([UInt8]) -> Bool
    private var loaded: [[UInt8]: LoadedCode] = [:]
    private(set) var followed: [[UInt8]: Followed] = [:]
    /// Gets the entries that are waited for; answers are recorded only when somebody does.
    var capture: ((_ key: [UInt8], EntryFollower.Entry, _ memory: Span<UInt8>, AnswerLog) -> Void)?

    /// - Parameter isFollowed: whether the code of a key is.
    init(isFollowed: @escaping ([UInt8]) -> Bool) { self.isFollowed = isFollowed }

    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        if let known = loaded[key] { return known }
        guard let bytes = wasm() else { return nil }
        let result = try ReferenceEngine.loaded(bytes) { code in
            guard isFollowed(key) else { return ReferenceModule(code) }
            let followed = Followed(code)
            self.followed[key] = followed
            return FollowedModule(key, followed, self)
        }
        loaded[key] = result
        return result
    }
}

/// Sendable for the same reason.
private final class FollowedModule: ActorModule, @unchecked Sendable {
    let facts: ModuleFacts
    private let key: [UInt8]
    private let followed: FollowingEngine.Followed
    private let module: ReferenceModule
    private unowned let engine: FollowingEngine

    init(_ key: [UInt8], _ followed: FollowingEngine.Followed, _ engine: FollowingEngine) {
        self.key = key
        self.followed = followed
        self.engine = engine
        module = ReferenceModule(followed.code, coverage: followed.coverage)
        facts = module.facts
    }

    func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        guard let capture = engine.capture else {
            let follower = EntryFollower(followed.counts) { _, _ in }
            return try module.makeInstance(handler: handler, limiter: limiter, follower: follower)
        }
        let log = AnswerLog()
        let key = key
        let follower = EntryFollower(followed.counts) { entry, memory in capture(key, entry, memory, log) }
        return try module.makeInstance(
            handler: RecordingHandler(handler, log), limiter: limiter, follower: follower)
    }
}
