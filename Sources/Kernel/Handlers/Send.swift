import Engine
import GasSchedule
import Primitives

extension Kernel {
    private static var readOnlyFlag: UInt64 { 1 }

    func sendSend(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let recipient = try arguments.address(guest)
        let method = try arguments.u64()
        let handle = try arguments.u32()
        let high = try arguments.u64()
        let value = TokenAmount(hi: high, lo: try arguments.u64())
        let limit = try arguments.u64()
        let flags = try arguments.u64()
        guard flags & ~Self.readOnlyFlag == 0 else {
            throw .syscall(.illegalArgument, "send flags 0x\(String(flags, radix: 16)) are not known")
        }
        let readOnly = frame.readOnly || flags & Self.readOnlyFlag != 0
        guard !readOnly || value.isZero else {
            throw .syscall(.readOnly, "value cannot be sent in a read-only call")
        }
        let params = handle == 0 ? nil : try registry.block(handle)
        guard !registry.isFull else {
            throw .syscall(.limitExceeded, "the block registry has no room for a return block")
        }
        let outcome = try calls.send(
            CallRequest(
                from: frame.receiver, to: recipient, method: method, params: params, value: value,
                gasLimit: limit == .max ? nil : Milligas.fromGas(limit), readOnly: readOnly))
        let returned = try outcome.block.map { (block) throws(ExecutionError) in try registry.insertReachable(block) }
        return .value(.send(outcome.exitCode, handle: returned ?? 0, block: outcome.block))
    }
}
