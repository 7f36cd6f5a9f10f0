import Engine
import GasSchedule
import Primitives
import StateTree

extension Kernel {
    /// The only actor that may create others.
    private static var initActor: UInt64 { 1 }

    func actorResolveAddress(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        .number(try resolve(guest.address(arguments, 0)))
    }

    private func existing(_ id: UInt64) throws(ExecutionError) -> ActorState {
        guard let state = try calls.actor(id) else { throw .syscall(.notFound, "there is no actor \(id)") }
        return state
    }

    func actorLookupDelegatedAddress(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let buffer = try guest.range(arguments, 1)
        try gas.charge(prices.onLookupDelegatedAddress())
        guard let address = try existing(arguments[0]).delegatedAddress else { return .number(UInt32(0)) }
        return .number(try guest.write(address.bytes, to: buffer, "the delegated address"))
    }

    func actorGetActorCodeCid(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let buffer = try guest.range(arguments, 1)
        try gas.charge(prices.onGetActorCodeCid())
        let code = try existing(arguments[0]).code
        return .number(try guest.write(code.bytes, to: buffer, "the code CID"))
    }

    func actorNextActorAddress(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let buffer = try guest.range(arguments, 0)
        let address = try calls.nextActorAddress()
        return .number(try guest.write(address.bytes, to: buffer, "the address"))
    }

    func actorCreateActor(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let code = try guest.cid(arguments, 1)
        let address = arguments.u32(3) > 0 ? try guest.address(arguments, 2) : nil
        guard frame.receiver == Self.initActor else {
            throw .syscall(.forbidden, "actor \(frame.receiver) is not the init actor, which alone creates actors")
        }
        try refuseWhenReadOnly("an actor cannot be created")
        guard code != calls.placeholderCode else {
            throw .syscall(.forbidden, "placeholders are created by sends only")
        }
        try calls.createActor(id: arguments[0], code: code, delegatedAddress: address)
        return .done
    }

    func actorGetBuiltinActorType(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let code = try guest.cid(arguments, 0)
        try gas.charge(prices.onGetBuiltinActorType())
        // Of equal codes the reference's map keeps the last.
        let position = calls.builtinActors.lastIndex(of: code)
        return .number(Int32(clamping: position.map { $0 + 1 } ?? 0))
    }

    func actorGetCodeCidForType(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let type = arguments.u32(0)
        let buffer = try guest.range(arguments, 1)
        try gas.charge(prices.onGetCodeCidForType())
        let codes = calls.builtinActors
        guard type >= 1, Int(type) <= codes.count else {
            throw .syscall(.illegalArgument, "there is no built-in actor type \(type)")
        }
        return .number(try guest.write(codes[Int(type) - 1].bytes, to: buffer, "the code CID"))
    }

    func actorBalanceOf(_ arguments: Span<UInt64>) throws(ExecutionError) -> SyscallResult {
        try gas.charge(prices.onBalanceOf())
        return try .amount(existing(arguments[0]).balance, "the balance of actor \(arguments[0])")
    }
}
