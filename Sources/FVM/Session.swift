import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// The FVM for a node: an engine with the actors' code, a block store, and one state after the other.
///
/// An epoch is begun on a state root with what the node knows of the tipset; messages are applied in it; a flush writes
/// the blocks that are new and gives the root of the state after them, on which the next epoch may begin. Code with its
/// imports bound lives as long as the session, and so do nodes of the state tree from one epoch to the next where the
/// next begins on the root that was flushed last.
///
/// Used by one thread at a time, but not always the same; `interruption` by any.
public final class Session {
    /// Ends the message that runs, from any thread.
    public let interruption = Interruption()
    private let store: any Blockstore
    private let code: ActorCode
    private var machine: Machine?
    private var fault: String?

    /// - Parameters:
    ///   - engine: runs the actors; sessions may share one.
    ///   - store: has the states, and gets what is flushed.
    ///   - redirects: code that runs in the place of other code, for debugging.
    public init(engine: any ActorEngine, store: any Blockstore, redirects: [Cid: Cid] = [:]) {
        self.store = store
        code = ActorCode(engine: engine, redirects: redirects)
    }

    // MARK: Epochs

    /// Begins an epoch; what was not flushed of an earlier one is lost.
    ///
    /// - Parameters:
    ///   - facts: the tipset's.
    ///   - stateRoot: of the state before it.
    ///   - outside: what the node answers; of all of its calls, those about randomness, tipsets, faults and proofs.
    ///   - trace: told what happens; nil costs nothing.
    public func begin(
        _ facts: NetworkFacts, stateRoot: Cid, outside: any Externs, trace: (any TraceSink)? = nil
    ) throws(SessionError) {
        try checkUsable()
        let previous = machine
        machine = nil
        interruption.reset()
        do throws(StateError) {
            machine = try Machine(
                network: facts, stateRoot: stateRoot, store: store, code: code, externs: outside, trace: trace,
                interruption: interruption, after: previous)
        } catch { throw failed(SessionError(error)) }
    }

    /// Writes what is new in the state to the store.
    ///
    /// - Returns: the state's root. Messages may follow.
    public func flush() throws(SessionError) -> Cid {
        let machine = try running()
        do throws(StateError) { return try machine.flush() } catch { throw failed(SessionError(error)) }
    }

    // MARK: Messages

    /// Applies a message.
    ///
    /// - Parameter chainLength: bytes of the message as the chain stores it, with its signature where it is stored with
    ///   one; without meaning for implicit messages.
    public func apply(
        _ message: Message, kind: ApplyKind = .explicit, chainLength: UInt64
    ) throws(SessionError) -> ApplyResult {
        let executor = Executor(try running())
        do throws(ApplyError) {
            return try executor.apply(message, kind: kind, chainLength: chainLength)
        } catch { throw failed(SessionError(error)) }
    }

    /// Applies a message and takes back what it changed.
    public func simulate(
        _ message: Message, kind: ApplyKind = .explicit, chainLength: UInt64
    ) throws(SessionError) -> ApplyResult {
        let machine = try running()
        machine.state.begin()
        defer {
            // After some failures the machine is gone, and the transaction with it.
            if self.machine === machine { machine.state.end(revert: true) }
        }
        return try apply(message, kind: kind, chainLength: chainLength)
    }

    /// An actor as the state has it now, changes of this epoch included.
    ///
    /// - Returns: nil where no actor has the address.
    public func actor(_ address: Address) throws(SessionError) -> (id: UInt64, state: ActorState)? {
        let machine = try running()
        do throws(StateError) {
            guard let id = try machine.state.resolve(address), let state = try machine.state.actor(id) else {
                return nil
            }
            return (id, state)
        } catch { throw failed(SessionError(error)) }
    }

    // MARK: Failures

    private func checkUsable() throws(SessionError) {
        if let fault { throw .poisoned(fault) }
    }

    private func running() throws(SessionError) -> Machine {
        try checkUsable()
        guard let machine else { throw .noEpoch }
        return machine
    }

    /// What the caller is told, after what follows from it is done.
    private func failed(_ error: SessionError) -> SessionError {
        guard case .hostFault(let reason) = error else { return error }
        machine = nil
        if interruption.isRequested { return .interrupted }
        fault = reason
        return error
    }
}
