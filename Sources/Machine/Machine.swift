import Engine
import IPLD
import Kernel
import Primitives
import StateTree
import Syscalls

/// One state of the chain on which messages are executed: blocks, state tree, actors' code and the facts of
/// the tipset (FVM machine specification, section 3). Not safe to use from several threads.
public final class Machine {
    public let network: NetworkFacts
    public let externs: any Externs
    public let state: StateTree
    public let manifest: BuiltinManifest
    /// Where events of the messages applied go; nil when nobody listens.
    public var trace: (any TraceSink)?

    /// Who may end the message that runs; nil is nobody.
    public let interruption: Interruption?

    let store: BufferedBlockstore
    private let code: ActorCode
    private let syscalls: SyscallSet
    private var bound: [Cid: BoundModule] = [:]
    /// The root of the last flush; nil when something may have changed since.
    private(set) var flushed: Cid?
    /// Time spent on finding, compiling and mapping actors' code so far; no part of executing messages, since a
    /// node has its actors loaded.
    public private(set) var codeLoading = ElapsedTime.zero

    /// Opens the state at `stateRoot`.
    /// - Parameters:
    ///   - store: holds the state and, where the engine does not have it yet, the actors' code.
    ///   - engine: runs the actors; may be shared by machines.
    public convenience init(
        network: NetworkFacts, stateRoot: Cid, store base: any Blockstore, engine: any ActorEngine,
        externs: any Externs, trace: (any TraceSink)? = nil
    ) throws(StateError) {
        try self.init(
            network: network, stateRoot: stateRoot, store: base, code: ActorCode(engine: engine), externs: externs,
            trace: trace)
    }

    /// Opens the state at `stateRoot`.
    /// - Parameters:
    ///   - store: holds the state and, where nobody has it yet, the actors' code.
    ///   - code: the actors' code, for machines that follow one another on one thread at a time.
    ///   - previous: the machine that left this state with its last flush, whose nodes of the state tree are taken over;
    ///     it must not be used any more. One that left another state is passed over.
    public init(
        network: NetworkFacts, stateRoot: Cid, store base: any Blockstore, code: ActorCode, externs: any Externs,
        trace: (any TraceSink)? = nil, interruption: Interruption? = nil, after previous: Machine? = nil
    ) throws(StateError) {
        self.network = network
        self.externs = externs
        self.code = code
        self.trace = trace
        self.interruption = interruption
        syscalls = .of(network.profile.syscalls)
        if let previous, previous.flushed == stateRoot, previous.store.base === base {
            store = previous.store
            state = previous.state
            store.discard()
        } else {
            _ = try base.block(stateRoot, "state root")
            do throws(BlockstoreError) {
                try base.put(EmptyArray.cid, EmptyArray.block)
            } catch {
                throw .local("\(error)")
            }
            store = BufferedBlockstore(base: base)
            state = try StateTree(store: store, root: stateRoot)
        }
        manifest = try BuiltinManifest.load(from: state, store: store)
    }

    /// Writes what the state reaches to the base store and returns the new state root.
    public func flush() throws(StateError) -> Cid {
        let root = try state.flush()
        do throws(BlockstoreError) {
            try store.flush(root)
        } catch {
            throw error.isLocal ? .local("\(error)") : .invalid("flush of \(root.text): \(error)")
        }
        flushed = root
        return root
    }

    /// The code behind a CID with its imports bound; its absence is fatal for the message.
    func code(_ cid: Cid) throws(ExecutionError) -> BoundModule {
        if let known = bound[cid] { return known }
        // An engine may know code from elsewhere; what is not in the state does not run for that.
        if manifest.name(of: cid) == nil, try !has(cid) { throw .fatal("code \(cid.text) is not in the store") }
        trace?.begin(.codeLoading)
        let clock = ExecutionClock()
        defer {
            codeLoading = codeLoading + clock.elapsed
            trace?.begin(.callBegin)
        }
        switch try code.load(cid, syscalls, from: store) {
        case nil:
            // The reference loads the built-in actors before the first message and has no receipts without them.
            if let name = manifest.name(of: cid) {
                throw .local("code of the \(name) actor, \(cid), is neither in the store nor in a bundle")
            }
            throw .fatal("code \(cid.text) is not in the store")
        case .refused(let reason):
            throw .fatal("code \(cid.text) is refused: \(reason)")
        case .bound(let module):
            bound[cid] = module
            return module
        }
    }

    /// Told that the state is about to change.
    func changes() { flushed = nil }

    private func has(_ cid: Cid) throws(ExecutionError) -> Bool {
        do throws(BlockstoreError) { return try store.has(cid) } catch { throw ExecutionError(error) }
    }

    /// Reads or changes the state for an actor: what goes wrong there is fatal.
    func onState<R>(_ body: (StateTree) throws(StateError) -> R) throws(ExecutionError) -> R {
        do throws(StateError) {
            return try body(state)
        } catch {
            throw ExecutionError(error)
        }
    }
}
