import Engine
import GasSchedule
import Primitives
import StateTree

extension Kernel {
    /// The state of the running actor, which it may have deleted.
    private func ownState() throws(ExecutionError) -> ActorState {
        guard let state = try calls.actor(frame.receiver) else {
            throw .syscall(.illegalOperation, "actor \(frame.receiver) has been deleted")
        }
        return state
    }

    func selfRoot(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let buffer = try guest.range(arguments, 0)
        let root = try ownState().state
        return .number(try guest.write(root.bytes, to: buffer, "the state root"))
    }

    func selfSetRoot(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let root = try guest.cid(arguments, 0)
        try refuseWhenReadOnly("a state root cannot be set")
        var state = try ownState()
        state.state = root
        try calls.setActor(frame.receiver, state)
        return .done
    }

    func selfCurrentBalance() throws(ExecutionError) -> SyscallResult {
        try .amount(ownBalance(), "the balance of actor \(frame.receiver)")
    }

    /// The running actor's balance, 0 when it has been deleted.
    private func ownBalance() throws(ExecutionError) -> TokenAmount {
        try gas.charge(prices.onSelfBalance())
        return try calls.actor(frame.receiver)?.balance ?? .zero
    }

    func selfSelfDestruct(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let beneficiary = try guest.address(arguments, 0)
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

    func refuseWhenReadOnly(_ what: String) throws(ExecutionError) {
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
