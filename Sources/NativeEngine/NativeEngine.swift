import ArtifactFormat
import CActorRuntime
import Engine
import Synchronization

/// What a source of objects has for an actor's code.
public enum ArtifactAnswer: Sendable {
    /// For a processor level this machine has.
    case object(LoadableObject)
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
}

/// Runs compiled actors. Modules are mapped once and shared; usable from several threads.
public final class NativeEngine: ActorEngine {
    private let source: any ArtifactSource
    private let perfMap: PerfMap?
    private let codeMap: CodeMap?
    private let signals: Bool
    private let loaded = Mutex<[[UInt8]: LoadedCode]>([:])

    /// - Parameters:
    ///   - perfMap: where the functions of modules are named for a profiler; nil is nowhere.
    ///   - codeMap: told where the functions of modules lie; nil is nobody.
    ///   - signals: whether handlers of faults may be installed in this process; without, only code that checks bounds
    ///     itself runs.
    public init(
        source: any ArtifactSource, perfMap: PerfMap? = nil, codeMap: CodeMap? = nil, signals: Bool = true
    ) {
        self.source = source
        self.perfMap = perfMap
        self.codeMap = codeMap
        self.signals = signals
    }

    public func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        if let known = loaded.withLock({ $0[key] }) { return known }
        // Compiling can take minutes: no lock is held. Two threads may map the same object; the first one stays.
        let code: LoadedCode
        let better: @Sendable (LoadableObject) -> Void = { [weak self] in self?.replace(key, by: $0) }
        switch try source.artifact(key: key, wasm: wasm, better: better) {
        case .object(let object)?:
            let module = try NativeModule(object: object, signals: signals)
            perfMap?.add(module, key: key)
            codeMap?.add(module, key: key)
            code = .module(module)
        case .refused(let text)?: code = .refused(text)
        case nil: return nil
        }
        return loaded.withLock { loaded in
            if let known = loaded[key] { return known }
            loaded[key] = code
            return code
        }
    }

    /// Maps a better object for code that runs already; instances from now on use it. One that cannot be mapped is no
    /// loss: what is there stays.
    private func replace(_ key: [UInt8], by object: LoadableObject) {
        guard let module = try? NativeModule(object: object, signals: signals) else { return }
        perfMap?.add(module, key: key)
        codeMap?.add(module, key: key)
        loaded.withLock { $0[key] = .module(module) }
    }
}
