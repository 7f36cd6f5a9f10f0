import Engine
import GasSchedule
import Primitives

extension Kernel {
    private static var readOnlyFlag: UInt64 { 1 }

    func sendSend(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let recipient = try guest.address(arguments, 0)
        let value = TokenAmount(hi: arguments[4], lo: arguments[5])
        let limit = arguments[6]
        let flags = arguments[7]
        guard flags & ~Self.readOnlyFlag == 0 else {
            throw .syscall(.illegalArgument, "send flags 0x\(String(flags, radix: 16)) are not known")
        }
        let readOnly = frame.readOnly || flags & Self.readOnlyFlag != 0
        guard !readOnly || value.isZero else {
            throw .syscall(.readOnly, "value cannot be sent in a read-only call")
        }
        let handle = arguments.u32(3)
        let params = handle == 0 ? nil : try registry.block(handle)
        guard !registry.isFull else {
            throw .syscall(.limitExceeded, "the block registry has no room for a return block")
        }
        let outcome = try calls.send(
            CallRequest(
                from: frame.receiver, to: recipient, method: arguments[2], params: params, value: value,
                gasLimit: limit == .max ? nil : Milligas.fromGas(limit), readOnly: readOnly))
        var result = ResultBytes()
        result.append(outcome.exitCode.rawValue)
        if let block = outcome.block {
            result.append(try registry.insert(block))
            result.append(block.codec)
            result.append(UInt32(clamping: block.data.count))
        } else {
            result.append(UInt32(0))
            result.append(UInt64(0))
            result.append(UInt32(0))
        }
        return .value(result)
    }
}
