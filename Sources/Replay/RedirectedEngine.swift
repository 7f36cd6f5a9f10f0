import Bundle
import Engine
import Primitives
import Synchronization

/// Runs the code of one bundle where a state has that of another one (ref-fvm's `actor_redirect`): the state keeps
/// naming the old code.
public final class RedirectedEngine: ActorEngine {
    private let engine: any ActorEngine
    private let codes: [[UInt8]: (key: [UInt8], wasm: [UInt8])]
    private let uses = Atomic<Int>(0)

    /// How often code was asked for that is redirected.
    public var useCount: Int { uses.load(ordering: .relaxed) }
    /// Actors of old bundles that the new ones lack or have unchanged: their code stays.
    public let kept: [String]
    /// How many codes are redirected.
    public var count: Int { codes.count }

    /// - Parameter bundles: the code of an actor of the first of a pair is that of the same name in the second.
    public init(_ engine: any ActorEngine, bundles: [(old: ActorBundle, new: ActorBundle)]) {
        self.engine = engine
        var codes: [[UInt8]: (key: [UInt8], wasm: [UInt8])] = [:]
        var kept: [String] = []
        for (old, new) in bundles {
            for (name, cid) in old.codes {
                guard let other = new.manifest.code(named: name), other != cid, let wasm = new.code(other) else {
                    kept.append(name)
                    continue
                }
                codes[cid.bytes] = (other.bytes, wasm)
            }
        }
        self.codes = codes
        self.kept = kept
    }

    public func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        guard let other = codes[key] else { return try engine.load(key: key, wasm: wasm) }
        uses.add(1, ordering: .relaxed)
        return try engine.load(key: other.key) { other.wasm }
    }
}
