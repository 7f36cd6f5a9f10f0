import Engine
import Primitives

extension Kernel {
    /// Bytes of an exit message that are kept.
    private static var longestExitMessage: Int { 1024 }

    func vmExit(_ arguments: Span<UInt64>, _ guest: inout GuestContext) -> SyscallResult {
        let code = arguments.u32(0)
        let block = arguments.u32(1)
        guard code == 0 || code >= ExitCode.firstActorCode else {
            return .exit(
                .sysIllegalExitCode, block: block, message: "actor ended with the reserved exit code \(code)")
        }
        let message = exitMessage(offset: arguments.u32(2), length: arguments.u32(3), guest)
        return .exit(ExitCode(rawValue: code), block: block, message: message)
    }

    private func exitMessage(offset: UInt32, length: UInt32, _ guest: borrowing GuestContext) -> String {
        guard length > 0 else { return "actor gave no message" }
        guard let bytes = guest.read(offset: offset, count: length) else { return "actor's message is not in memory" }
        guard bytes.count > Self.longestExitMessage else { return String(decoding: bytes, as: UTF8.self) }
        let half = Self.longestExitMessage / 2
        let omitted = bytes.count - 2 * half
        return String(decoding: bytes.prefix(half), as: UTF8.self) + " [\(omitted) bytes left out] "
            + String(decoding: bytes.suffix(half), as: UTF8.self)
    }

    func vmMessageContext() throws(ExecutionError) -> SyscallResult {
        try gas.charge(prices.onMessageContext())
        let message = calls.message
        var result = ResultBytes()
        result.append(message.originID)
        result.append(message.nonce)
        result.append(frame.caller)
        result.append(frame.receiver)
        result.append(frame.method)
        try result.append(frame.value, "the value received")
        try result.append(message.effectivePremium, "the gas premium")
        result.append(UInt64(frame.readOnly ? 1 : 0))
        return .value(result)
    }
}
