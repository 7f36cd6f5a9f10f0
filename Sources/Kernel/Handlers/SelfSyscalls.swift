import Engine
import GasSchedule
import Primitives
import StateTree

extension Kernel {
    /// The state of the running actor, which it may have deleted.
    private func ownState() throws(ExecutionError) -> ActorState {
        let id = frame.receiver
        guard let state = try calls.actor(id) else {
            throw .syscall(.illegalOperation, "actor \(id) has been deleted")
        }
        return state
    }

    // MARK: Root

    func selfRootV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let buffer = try arguments.output(guest)
        return .number(try guest.write(ownState().state.bytes, to: buffer, "the state root"))
    }

    /// The root can be reached from now on.
    func selfRootV4(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let buffer = try arguments.output(guest)
        try gas.charge(prices.onActorGetRoot())
        let root = try ownState().state
        registry.makeReachable(root)
        return .number(try guest.write(root.bytes, to: buffer, "the state root"))
    }

    func selfSetRootV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let root = try arguments.cid(guest)
        try refuseWhenReadOnly("a state root cannot be set")
        return try setRoot(root)
    }

    /// Only what the actor can reach can be its root.
    func selfSetRootV4(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let root = try arguments.cid(guest)
        try refuseWhenReadOnly("a state root cannot be set")
        try gas.charge(prices.onActorSetRoot())
        try registry.requireReachable(root)
        return try setRoot(root)
    }

    private func setRoot(_ root: Cid) throws(ExecutionError) -> SyscallResult {
        var state = try ownState()
        state.state = root
        try calls.setActor(frame.receiver, state)
        return .done
    }

    // MARK: Balance

    func selfCurrentBalance() throws(ExecutionError) -> SyscallResult {
        try .amount(ownBalance(), "the actor's balance")
    }

    /// The running actor's balance, 0 when it has been deleted.
    private func ownBalance() throws(ExecutionError) -> TokenAmount {
        try gas.charge(prices.onSelfBalance())
        return try calls.actor(frame.receiver)?.balance ?? .zero
    }

    // MARK: Deletion

    /// Leaves the balance to a beneficiary.
    func selfSelfDestructV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let beneficiary = try arguments.address(guest)
        try refuseWhenReadOnly("an actor cannot delete itself")
        try gas.charge(prices.onDeleteActor())
        let balance = try ownBalance()
        if !balance.isZero {
            let receiver = try resolve(beneficiary)
            guard receiver != frame.receiver else {
                throw .syscall(.forbidden, "actor \(receiver) cannot be its own beneficiary")
            }
            try calls.transfer(from: frame.receiver, to: receiver, value: balance)
        }
        try calls.deleteActor(frame.receiver)
        return .done
    }

    /// Burns the balance where the flag says so, and demands that there is none otherwise (FIP-0072).
    func selfSelfDestructV4(_ arguments: inout Arguments) throws(ExecutionError) -> SyscallResult {
        let burns = try arguments.u32() != 0
        try refuseWhenReadOnly("an actor cannot delete itself")
        try gas.charge(prices.onDeleteActor())
        let balance = try ownBalance()
        if !balance.isZero {
            guard burns else {
                throw .syscall(.illegalOperation, "\(balance.decimal) attoFIL are left and were not to be burned")
            }
            do throws(ExecutionError) {
                try calls.transfer(from: frame.receiver, to: Singleton.burntFunds, value: balance)
            } catch {
                // The reference makes anything that goes wrong here fatal, running out of gas included.
                if case .local = error { throw error }
                throw .fatal("the balance of actor \(frame.receiver) cannot be burned: \(error)")
            }
        }
        try calls.deleteActor(frame.receiver)
        return .done
    }

    func refuseWhenReadOnly(_ what: StaticString) throws(ExecutionError) {
        guard !frame.readOnly else { throw .syscall(.readOnly, "\(what) in a read-only call") }
    }

    /// `OnResolveAddress` of the syscall itself, then the lookup with its own charge.
    func resolve(_ address: Address) throws(ExecutionError) -> UInt64 {
        try gas.charge(prices.onResolveAddress())
        guard let id = try calls.resolve(address) else {
            throw .syscall(.notFound, "address \(address.text(.mainnet)) does not resolve")
        }
        return id
    }
}
