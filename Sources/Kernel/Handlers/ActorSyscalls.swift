import Engine
import GasSchedule
import Primitives
import StateTree

extension Kernel {
    func actorResolveAddress(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        .number(try resolve(arguments.address(guest)))
    }

    private func existing(_ id: UInt64) throws(ExecutionError) -> ActorState {
        guard let state = try calls.actor(id) else { throw .syscall(.notFound, "there is no actor \(id)") }
        return state
    }

    func actorLookupDelegatedAddress(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let id = try arguments.u64()
        let buffer = try arguments.output(guest)
        try gas.charge(prices.onLookupDelegatedAddress())
        guard let address = try existing(id).delegatedAddress else { return .number(UInt32(0)) }
        return .number(try guest.write(address.bytes, to: buffer, "the delegated address"))
    }

    func actorGetActorCodeCid(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let id = try arguments.u64()
        let buffer = try arguments.output(guest)
        try gas.charge(prices.onGetActorCodeCid())
        return .number(try guest.write(existing(id).code.bytes, to: buffer, "the code CID"))
    }

    func actorNextActorAddress(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let buffer = try arguments.output(guest)
        let address = try calls.nextActorAddress()
        return .number(try guest.write(address.bytes, to: buffer, "the address"))
    }

    func actorCreateActor(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let id = try arguments.u64()
        let code = try arguments.cid(guest)
        let range = try arguments.uncheckedInput()
        // Without a length there is no delegated address, wherever it is said to be.
        let address = range.length > 0 ? try guest.address(guest.check(range)) : nil
        let caller = frame.receiver
        guard caller == Singleton.initActor else {
            throw .syscall(.forbidden, "actor \(caller) is not the init actor, which alone creates actors")
        }
        try refuseWhenReadOnly("an actor cannot be created")
        guard code != calls.placeholderCode else {
            throw .syscall(.forbidden, "placeholders are created by sends only")
        }
        try calls.createActor(id: id, code: code, delegatedAddress: address)
        return .done
    }

    func actorGetBuiltinActorType(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let code = try arguments.cid(guest)
        try gas.charge(prices.onGetBuiltinActorType())
        // Of equal codes the reference's map keeps the last.
        let position = calls.builtinActors.lastIndex(of: code)
        return .number(Int32(clamping: position.map { $0 + 1 } ?? 0))
    }

    func actorGetCodeCidForType(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let type = try arguments.u32()
        let buffer = try arguments.output(guest)
        try gas.charge(prices.onGetCodeCidForType())
        let codes = calls.builtinActors
        guard type >= 1, Int(type) <= codes.count else {
            throw .syscall(.illegalArgument, "there is no built-in actor type \(type)")
        }
        return .number(try guest.write(codes[Int(type) - 1].bytes, to: buffer, "the code CID"))
    }

    func actorBalanceOf(_ arguments: inout Arguments) throws(ExecutionError) -> SyscallResult {
        let id = try arguments.u64()
        try gas.charge(prices.onBalanceOf())
        return try .amount(existing(id).balance, "the actor's balance")
    }
}
