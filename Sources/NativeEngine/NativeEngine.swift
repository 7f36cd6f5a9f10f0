import ArtifactFormat
import CActorRuntime
import Engine
import Synchronization

/// What a source of objects has for an actor's code.
public enum ArtifactAnswer: Sendable {
    /// For a processor level this machine has.
    case object(LoadableObject)
    /// One that was mapped before.
    case module(NativeModule)
    /// The FVM refuses the module: stage, place and rule.
    case refused(String)
}

/// Finds or makes verified objects; the store with its compiler, or a single file.
public protocol ArtifactSource: AnyObject, Sendable {
    /// - Parameters:
    ///   - key: the code CID's bytes.
    ///   - wasm: asked only when the code is not at hand.
    ///   - better: to be called at most once, at any time and on any thread, when there is an object with the same
    ///     results that runs faster.
    /// - Returns: nil when there is neither an object nor WASM.
    func artifact(
        key: [UInt8], wasm: () -> [UInt8]?, better: @escaping @Sendable (LoadableObject) -> Void
    ) throws(EngineError) -> ArtifactAnswer?

    /// Told that an object it gave was mapped: a source that keeps objects has no need of the bytes any more.
    func mapped(_ object: LoadableObject, to module: NativeModule, key: [UInt8])
}

extension ArtifactSource {
    public func mapped(_ object: LoadableObject, to module: NativeModule, key: [UInt8]) {}
}

/// Runs compiled actors. Modules are mapped once and shared, and unmapped when nobody asked for them for long and nobody
/// holds them; usable from several threads.
public final class NativeEngine: ActorEngine {
    private let source: any ArtifactSource
    private let perfMap: PerfMap?
    private let codeMap: CodeMap?
    private let signals: Bool
    private let loaded: Mutex<RecentlyAsked<[UInt8], LoadedCode>>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - perfMap: where the functions of modules are named for a profiler; nil is nowhere.
    ///   - codeMap: told where the functions of modules lie; nil is nobody.
    ///   - signals: whether handlers of faults may be installed in this process; without, only code that checks bounds
    ///     itself runs.
    ///   - patience: how long a module stays that nobody asks for. Without a meaning where the addresses of modules are
    ///     told to somebody, who could not tell two of one address apart: there all stay.
    ///   - now: the time, for tests.
    public init(
        source: any ArtifactSource, perfMap: PerfMap? = nil, codeMap: CodeMap? = nil, signals: Bool = true,
        patience: Duration = codePatience, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.source = source
        self.perfMap = perfMap
        self.codeMap = codeMap
        self.signals = signals
        self.now = now
        let isNamed = perfMap != nil || codeMap != nil
        loaded = Mutex(RecentlyAsked(patience: isNamed ? nil : patience, now: now()))
    }

    public func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        if let known = known(key) { return known }
        // Compiling can take minutes: no lock is held. Two threads may map the same object; the first one stays.
        let code: LoadedCode
        let better: @Sendable (LoadableObject) -> Void = { [weak self] in self?.replace(key, by: $0) }
        switch try source.artifact(key: key, wasm: wasm, better: better) {
        case .object(let object)?:
            let module = try NativeModule(object: object, signals: signals)
            source.mapped(object, to: module, key: key)
            code = named(module, key)
        case .module(let module)?: code = named(module, key)
        case .refused(let text)?: code = .refused(text)
        case nil: return nil
        }
        return loaded.withLock { loaded in
            if let known = loaded.ask(key, now()).value { return known }
            loaded.set(key, code, now())
            return code
        }
    }

    private func named(_ module: NativeModule, _ key: [UInt8]) -> LoadedCode {
        perfMap?.add(module, key: key)
        codeMap?.add(module, key: key)
        return .module(module)
    }

    private func known(_ key: [UInt8]) -> LoadedCode? {
        // What is gone is let go of outside of the lock: unmapping takes its time.
        let (known, gone) = loaded.withLock { $0.ask(key, now()) }
        _ = consume gone
        return known
    }

    /// Maps a better object for code that runs already; instances from now on use it. One that cannot be mapped is no
    /// loss: what is there stays.
    private func replace(_ key: [UInt8], by object: LoadableObject) {
        guard let module = try? NativeModule(object: object, signals: signals) else { return }
        let code = named(module, key)
        // Code that went meanwhile has no place any more; its better form is in the store.
        _ = loaded.withLock { $0.replace(key, code) }
    }
}
