import Engine
import IPLD
import Kernel
import Primitives
import Syscalls

/// Actors' code with its imports bound, for machines that follow one another: what one has loaded the next one finds.
/// Not safe to use from several threads; the engine below it is.
public final class ActorCode {
    /// What came of asking for code.
    enum Answer {
        case bound(BoundModule)
        /// The FVM refuses the bytes.
        case refused(String)
    }

    private struct Key: Hashable {
        var code: Cid
        var generation: UInt8
    }

    private let engine: any ActorEngine
    private let redirects: [Cid: Cid]
    private var bound = RecentlyAsked<Key, BoundModule>(patience: codePatience, now: .now)

    /// - Parameters:
    ///   - engine: runs the actors; may be shared.
    ///   - redirects: code that runs in the place of other code; what actors are told of their code does not change. For
    ///     debugging (ref-fvm: `actor_redirect`).
    public init(engine: any ActorEngine, redirects: [Cid: Cid] = [:]) {
        self.engine = engine
        self.redirects = redirects
    }

    /// - Returns: nil when nobody has the code.
    func load(
        _ cid: Cid, _ syscalls: SyscallSet, from store: any Blockstore
    ) throws(ExecutionError) -> Answer? {
        let target = redirects[cid] ?? cid
        var readFailure: BlockstoreError?
        let loaded: LoadedCode?
        do throws(EngineError) {
            loaded = try engine.load(key: target.bytes) {
                do throws(BlockstoreError) {
                    return try store.get(target)
                } catch {
                    readFailure = error
                    return nil
                }
            }
        } catch {
            throw .local("code \(target.text): \(error)")
        }
        if let readFailure { throw ExecutionError(readFailure) }
        switch loaded {
        case nil: return nil
        case .refused(let reason): return .refused(reason)
        case .module(let module):
            let key = Key(code: target, generation: syscalls.generation)
            // The engine may have found faster code since.
            let now = ContinuousClock.now
            if let known = bound.ask(key, now).value, known.module === module { return .bound(known) }
            let fresh = BoundModule(module, syscalls: syscalls)
            bound.set(key, fresh, now)
            return .bound(fresh)
        }
    }
}
