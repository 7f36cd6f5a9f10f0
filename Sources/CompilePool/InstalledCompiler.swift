import ArtifactFormat
import ArtifactStore
import CodeSettings
import Synchronization

/// What is known of the compiler at a path, as long as the process lasts: pools of one store share it, so that the
/// store's notes are read once, and code of both tiers comes from one compiler.
final class InstalledCompiler: Sendable {
    private let store: ArtifactStore?
    private let state = Mutex(State())

    private struct State {
        /// As a worker said that ran.
        var identity: CompilerIdentity?
        /// As the store remembers it of an earlier one.
        var remembered: CompilerIdentity?
        /// Of the compiler's files; nil before the store was asked.
        var digests: [FileStamp: Digest]?
    }

    init(store: ArtifactStore?) { self.store = store }

    /// As a worker of this process said; nil when none ran yet.
    var identity: CompilerIdentity? { state.withLock { $0.identity } }

    /// Without starting a worker: by the compiler's files, which have not changed since one said who it is.
    func remembered(at path: String) -> CompilerIdentity? {
        // Pools that begin at the same time wait for the one that reads.
        state.withLock { state in
            if let known = state.identity ?? state.remembered { return known }
            let environment = WorkerProcess.environment
            state.remembered =
                store?.knownCompilers().first { $0.isInstalled(at: path, environment: environment) }?.identity
            return state.remembered
        }
    }

    /// Digests of the compiler's files that need not be taken again.
    var knownDigests: [FileStamp: Digest] {
        state.withLock { state in
            let known = state.digests ?? store?.knownDigests() ?? [:]
            state.digests = known
            return known
        }
    }

    /// Learns from a worker that began.
    ///
    /// - Returns: whether it is the compiler of the workers before it.
    func learn(from worker: WorkerProcess) -> Bool {
        // A store that cannot be written costs the next start some time; compiling will say what is wrong with it.
        if let compiler = worker.known { try? store?.remember(compiler) }
        let taken = worker.takenDigests
        if !taken.isEmpty { try? store?.remember(taken) }
        return state.withLock { state in
            if !taken.isEmpty { state.digests = (state.digests ?? [:]).merging(taken) { _, new in new } }
            if state.identity == nil { state.identity = worker.identity }
            return state.identity == worker.identity
        }
    }
}
