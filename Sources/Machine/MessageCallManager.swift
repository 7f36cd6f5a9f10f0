import Engine
import GasSchedule
import IPLD
import Kernel
import Primitives
import StateTree

/// Runs the calls of one message: gas, depth, transactions, access charges, events and the chain of failures.
///
/// One object per message; nothing of it survives the message but what it wrote to the state tree.
final class MessageCallManager: CallManager {
    let machine: Machine
    let gas: GasTracker
    let message: MessageFacts
    /// nil when the message is not traced.
    let trace: (any TraceSink)?
    let limiter: ResourceLimiter

    var accesses = AccessTracker()
    private(set) var events = EventAccumulator()
    /// For each call in progress, outermost first, the failure of the last call it made that failed; the first is the
    /// message's own. One is kept until its caller has ended: a later call that succeeds does not explain why the
    /// caller fails after all.
    var failures = [Backtrace()]
    /// Actor calls in progress; 1 inside the call made by the message itself.
    var depth: UInt32 = 0
    /// Actors created by `create_actor`; reverts do not lower it.
    private var createdActors: UInt64 = 0

    init(machine: Machine, gasLimit: UInt64, message: MessageFacts, trace: (any TraceSink)?) {
        self.machine = machine
        self.message = message
        self.trace = trace
        gas = GasTracker(gasLimit: gasLimit, trace: trace)
        let limits = machine.network.profile.limits
        limiter = ResourceLimiter(
            limit: limits.messageMemory,
            instance: InstanceLimits(
                memory: limits.instanceMemory, tableElements: limits.tableElements))
    }

    var network: NetworkFacts { machine.network }
    var prices: PriceList { machine.network.prices }
    var externs: any Externs { machine.externs }
    var builtinActors: [Cid] { machine.manifest.codes }
    var placeholderCode: Cid { machine.manifest.placeholder }
    var interruption: Interruption? { machine.interruption }

    /// Records what the message has touched before its first call: the actors every message may update, the
    /// sender (its update is part of the inclusion price) and the receiver.
    func primeAccesses(receiver: Address, receiverID: UInt64?) {
        for id in ChargeConstants.preloadedActors { accesses.record(.updated, to: id) }
        accesses.record(.updated, to: message.originID)
        accesses.recordResolution(of: message.originAddress)
        if let receiverID { accesses.record(.read, to: receiverID) }
        accesses.recordResolution(of: receiver)
    }

    // MARK: Transactions

    func begin() {
        machine.state.begin()
        accesses.begin()
        events.begin()
    }

    func end(revert: Bool) {
        events.end(revert: revert)
        machine.state.end(revert: revert)
        accesses.end(revert: revert)
    }

    // MARK: State access with its charges

    func resolve(_ address: Address) throws(ExecutionError) -> UInt64? {
        if let id = address.id { return id }
        if !accesses.isResolved(address) { try gas.charge(prices.onResolveAddress()) }
        guard let id = try machine.onState({ (state) throws(StateError) in try state.resolve(address) }) else {
            return nil
        }
        accesses.recordResolution(of: address)
        return id
    }

    func actor(_ id: UInt64) throws(ExecutionError) -> ActorState? {
        let isFirst = accesses.access(to: id) == nil
        if isFirst { try gas.charge(prices.onActorLookup()) }
        let state = try machine.onState { (state) throws(StateError) in try state.actor(id) }
        if isFirst { accesses.record(.read, to: id) }
        return state
    }

    func setActor(_ id: UInt64, _ state: ActorState) throws(ExecutionError) {
        try chargeUpdate(of: id)
        machine.state.setActor(id, state)
        accesses.record(.updated, to: id)
    }

    func deleteActor(_ id: UInt64) throws(ExecutionError) {
        try chargeUpdate(of: id)
        machine.state.deleteActor(id)
        accesses.record(.updated, to: id)
    }

    private func chargeUpdate(of id: UInt64) throws(ExecutionError) {
        let access = accesses.access(to: id)
        if access == nil { try gas.charge(prices.onActorLookup()) }
        if access != .updated { try gas.charge(prices.onActorUpdate()) }
    }

    func transfer(from: UInt64, to: UInt64, value: TokenAmount) throws(ExecutionError) {
        guard !value.isNegative else { throw .syscall(.illegalArgument, "transfer of a negative amount") }
        guard var payer = try actor(from) else {
            throw .syscall(.insufficientFunds, "sender f0\(from) does not exist")
        }
        let funds = payer.balance
        guard funds >= value else {
            throw .syscall(
                .insufficientFunds,
                "actor f0\(from) has \(funds.decimal) attoFIL, \(value.decimal) were to be sent")
        }
        guard from != to else { return }
        guard var payee = try actor(to) else { throw .syscall(.notFound, "receiver f0\(to) does not exist") }
        payer.balance = payer.balance - value
        payee.balance = payee.balance + value
        try setActor(from, payer)
        try setActor(to, payee)
    }

    // MARK: Actors

    func nextActorAddress() throws(ExecutionError) -> Address {
        do throws(AddressError) {
            return try NextActorAddress.make(
                origin: message.originAddress, nonce: message.nonce, created: createdActors)
        } catch {
            throw .fatal("next actor address: \(error)")
        }
    }

    func createActor(id: UInt64, code: Cid, delegatedAddress: Address?) throws(ExecutionError) {
        if var existing = try actor(id) {
            guard existing.code == placeholderCode else {
                throw .syscall(.forbidden, "actor f0\(id) exists already")
            }
            guard let address = existing.delegatedAddress else {
                throw .fatal("placeholder f0\(id) has no delegated address")
            }
            guard address == delegatedAddress else {
                throw .syscall(.forbidden, "placeholder f0\(id) has another delegated address")
            }
            existing.code = code
            try setActor(id, existing)
        } else {
            try gas.charge(prices.onCreateActor(newAddress: false))
            try setActor(id, .empty(code: code, delegatedAddress: delegatedAddress))
        }
        createdActors += 1
    }

    // MARK: Blocks and events

    func readBlock(_ cid: Cid) throws(ExecutionError) -> [UInt8]? {
        do throws(BlockstoreError) { return try machine.store.get(cid) } catch { throw ExecutionError(error) }
    }

    func writeBlock(_ cid: Cid, _ data: [UInt8]) throws(ExecutionError) {
        do throws(BlockstoreError) { try machine.store.put(cid, data) } catch { throw ExecutionError(error) }
    }

    func emit(_ event: ActorEvent) { events.append(event) }
}
