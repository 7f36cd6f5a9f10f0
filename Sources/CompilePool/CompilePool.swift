import ArtifactFormat
import ArtifactStore
import CodeSettings
import Glibc
import Primitives
import Synchronization
import WorkerProtocol

/// Compiles modules in worker processes and keeps what comes of it in the store.
///
/// Usable from several threads; together they run at most `jobs` workers, or fewer with more threads. Everything a
/// module can do to the compiler ends in an outcome: a crash, too much time or memory is tried once more without
/// optimisation and is then a stated failure of this machine.
public final class CompilePool: Sendable {
    /// Stands for a worker's path where nothing is to be compiled.
    public static let noWorker = ""
    public let settings: CompileSettings
    let store: ArtifactStore?
    /// Processors of this machine.
    public static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    let jobs: Int
    private let workerPath: String?
    private let limits: @Sendable (Int) -> CompileLimits
    /// Seconds after which a worker that is stopped, or takes nothing, is given up.
    let patience: Double
    private let installed: InstalledCompiler
    private let state = Mutex(State())

    private struct State {
        var idle: [WorkerProcess] = []
        var running = 0
        /// What could not be written to the store, or all there is when there is none.
        var kept: [ArtifactKey: StoredResult] = [:]
    }

    /// - Parameters:
    ///   - store: nil keeps results in memory only.
    ///   - jobs: processors to use, by worker processes and their threads; 0 is all.
    ///   - worker: path of the compiler program; nil is `smelt-worker` beside the running program, and `noWorker` is
    ///     none, wherever one may be installed.
    ///   - patience: seconds after which a worker that stands still (stopped, or taking nothing) is given up.
    ///   - limits: what a compilation may use, by the size of the WASM binary in bytes.
    public init(
        store: ArtifactStore?, settings: CompileSettings = CompileSettings(), jobs: Int = 0, worker: String? = nil,
        patience: Double = 30,
        limits: @escaping @Sendable (Int) -> CompileLimits = { CompileLimits.forModule(size: $0) }
    ) {
        self.store = store
        self.settings = settings
        self.jobs = jobs > 0 ? jobs : CompilePool.processors
        workerPath = worker
        self.patience = patience
        self.limits = limits
        installed = InstalledCompiler(store: store)
    }

    /// A pool of the same store and compiler for another tier.
    public init(_ other: CompilePool, tier: Tier) {
        var settings = other.settings
        settings.tier = tier
        self.settings = settings
        store = other.store
        jobs = other.jobs
        workerPath = other.workerPath
        patience = other.patience
        limits = other.limits
        installed = other.installed
    }

    /// Which compiler the workers are; nil when no worker program is installed.
    ///
    /// - Throws: when there is one and it cannot be used.
    func installedCompiler() throws(LocalFailure) -> CompilerIdentity? {
        guard let path = workerPath ?? WorkerProcess.expectedPath, path != Self.noWorker, WorkerProcess.isThere(path)
        else { return nil }
        // What is made now is asked of a worker that runs, whatever was remembered.
        if let remembered = installed.remembered(at: path) { return remembered }
        return try identity()
    }

    /// Which compiler the workers are. Starts one when none has run yet.
    public func identity() throws(LocalFailure) -> CompilerIdentity {
        if let known = installed.identity { return known }
        giveBack(try takeWorker())
        guard let known = installed.identity else { throw .noCompiler("the worker has no identity") }
        return known
    }

    /// Compiles what is not in the store yet; outcomes are in the order of the inputs.
    ///
    /// - Parameter progress: called several times a second, on the calling thread.
    public func compile(
        _ inputs: [CompileInput], progress: (PoolProgress) -> Void = { _ in }
    ) -> [CompileOutcome] {
        compile(inputs, processors: jobs, progress)
    }

    /// Compiles with fewer processors than the pool has, for who needs the others.
    func compile(
        _ inputs: [CompileInput], processors: Int, _ progress: (PoolProgress) -> Void = { _ in }
    ) -> [CompileOutcome] {
        run(inputs, .so, processors: processors, progress).map { result in
            switch result {
            case .object(let actor): .compiled(actor)
            case .refused(let text): .refused(text)
            case .failed(let failure): .failed(failure)
            case .text: .failed(.compiler("the worker made something else than asked for"))
            }
        }
    }

    /// Makes something else than objects, for people; nothing is stored.
    ///
    /// - Returns: in the order of the inputs, bytes, or why there are none.
    public func emit(
        _ product: Product, _ inputs: [CompileInput], progress: (PoolProgress) -> Void = { _ in }
    ) -> [EmitOutcome] {
        run(inputs, product, processors: jobs, progress).map { result in
            switch result {
            case .text(let bytes, let facts, let usage): .made(bytes, facts, usage)
            case .object(let actor): .made(actor.object.bytes, actor.facts, actor.usage)
            case .refused(let text): .refused(text)
            case .failed(let failure): .failed(failure)
            }
        }
    }

    /// The object for an actor's code, for running: from memory, from the store, or compiled now.
    ///
    /// Of the store's objects, first the one that the installed compiler made, then what the user imported, whatever
    /// compiler made it; one of the tier that was asked for, or where none can be made now, of the other. Where no
    /// compiler is installed, what any compiler made serves: such a machine cannot ask for more.
    ///
    /// - Parameter wasm: asked only when the code is not at hand; nil when the caller does not have it either.
    /// - Returns: nil when there is neither an object nor WASM.
    public func load(code: Cid, wasm: () -> [UInt8]?) -> CompileOutcome? {
        let outcome: CompileOutcome
        do throws(LocalFailure) {
            let compiler = try installedCompiler()
            if let known = find(code, compiler, tiers: [.optimised]) {
                outcome = known
            } else if compiler != nil, let bytes = wasm() ?? store?.wasm(code) {
                let made = compile([CompileInput(name: code.text, cid: code, wasm: bytes)])[0]
                if case .failed = made, let known = find(code, compiler, tiers: [.baseline]) {
                    outcome = known
                } else {
                    outcome = made
                }
            } else if let known = find(code, compiler, tiers: [.baseline]) {
                outcome = known
            } else {
                guard compiler == nil, (wasm() ?? store?.wasm(code)) != nil else { return nil }
                throw nothingToRun()
            }
        } catch {
            // A compiler that is there and does not work: what was imported runs without it.
            guard let imported = find(code, nil, importedOnly: true) else { return .failed(error) }
            outcome = imported
        }
        guard case .compiled(let actor) = outcome else { return outcome }
        do { try ArtifactFormat.checkRunnable(actor.manifest) } catch { return .failed(.badObject(error)) }
        return outcome
    }

    /// What is known of a code in one tier, for running; nil when nothing is, or nothing that runs here.
    func known(_ code: Cid, tier: Tier) -> CompileOutcome? {
        // A compiler that does not work is reported where something is to be compiled.
        let compiler = try? installedCompiler()
        guard let outcome = find(code, compiler, tiers: [tier]) else { return nil }
        if case .compiled(let actor) = outcome {
            guard (try? ArtifactFormat.checkRunnable(actor.manifest)) != nil else { return nil }
        }
        return outcome
    }

    // MARK: What is known already

    /// A result of an earlier compilation, the first tier's before the second's.
    private func find(
        _ code: Cid, _ compiler: CompilerIdentity?, tiers: [Tier] = Tier.allCases, importedOnly: Bool = false
    ) -> CompileOutcome? {
        let tiers = tiers.map(settings)
        for settings in tiers {
            guard let compiler else { break }
            if let known = find(compiler.inputs(wasm: code, settings: settings)) { return CompilePool.outcome(known) }
        }
        let importedOnly = importedOnly || compiler != nil
        for settings in tiers {
            let known = store?.find(wasm: code) { inputs, origin in
                inputs.serves(settings) && (origin == .imported || !importedOnly)
            }
            if let known { return CompilePool.outcome(known) }
        }
        return nil
    }

    private static func outcome(_ known: StoredResult) -> CompileOutcome {
        switch known {
        case .object(let object):
            .compiled(CompiledActor(object: object.object, manifest: object.manifest, facts: nil, usage: nil))
        case .refused(let text): .refused(text)
        }
    }

    /// Why code that nobody compiled yet cannot be run here.
    private func nothingToRun() -> LocalFailure {
        let place = store.map { "\($0.directory) has no object of it" } ?? "there is no store"
        let worker = workerPath ?? WorkerProcess.expectedPath ?? "smelt-worker"
        let lack = worker == Self.noWorker ? "none was named" : "\(worker) is not installed"
        return .noCompiler(
            "\(lack), and \(place) for CPU level \(settings.cpu.rawValue) and bounds "
                + settings.bounds.rawValue)
    }

    func find(_ inputs: ArtifactInputs) -> StoredResult? {
        if let kept = state.withLock({ $0.kept[inputs.key] }) { return kept }
        return store?.find(inputs)
    }

    func settings(_ tier: Tier) -> CompileSettings {
        var settings = settings
        if tier == .baseline { settings.tier = .baseline }
        return settings
    }

    /// Keeps a result; when the store cannot take it, in memory.
    func keep(_ result: StoredResult, _ inputs: ArtifactInputs, wasm: [UInt8]) {
        guard let store else { return state.withLock { $0.kept[inputs.key] = result } }
        do {
            switch result {
            case .object(let object): try store.publish(object.object.bytes, inputs)
            case .refused(let text): try store.publishRefusal(text, inputs)
            }
            try store.publishWasm(wasm, inputs.wasm)
        } catch {
            state.withLock { $0.kept[inputs.key] = result }
            store.warnOnce("write", "\(error); compiled code is kept in memory only")
        }
    }

    // MARK: Workers

    /// Takes the right to use so many processors, or as many as there are.
    func takeSlots(_ wanted: Int) -> Int {
        state.withLock { state in
            let taken = max(0, min(wanted, jobs - state.running))
            state.running += taken
            return taken
        }
    }

    func giveBack(slots: Int) { state.withLock { $0.running -= slots } }

    func takeWorker() throws(LocalFailure) -> WorkerProcess {
        while let idle = state.withLock({ $0.idle.popLast() }) {
            if idle.isThere { return idle }
        }
        let path: String
        if let workerPath { path = workerPath } else { path = try WorkerProcess.locate() }
        let worker = try WorkerProcess(path: path, digests: installed.knownDigests)
        guard installed.learn(from: worker) else {
            throw .noCompiler("\(path) was replaced while this program ran; start it again")
        }
        return worker
    }

    func giveBack(_ worker: WorkerProcess) { state.withLock { $0.idle.append(worker) } }

    private func run(
        _ inputs: [CompileInput], _ product: Product, processors: Int, _ progress: (PoolProgress) -> Void
    ) -> [JobResult] {
        do {
            let compiler = try identity()
            return CompileRun(self, compiler, inputs, product, processors: processors, limits).run(progress)
        } catch {
            return inputs.map { _ in .failed(error) }
        }
    }
}

/// What came of asking for something else than an object.
public enum EmitOutcome: Sendable {
    case made([UInt8], CompileFacts?, CompileUsage?)
    case refused(String)
    case failed(LocalFailure)
}

/// What came of one input, whatever was asked for.
enum JobResult {
    case object(CompiledActor)
    case text([UInt8], CompileFacts, CompileUsage)
    case refused(String)
    case failed(LocalFailure)
}
