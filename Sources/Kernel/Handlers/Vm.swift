import Engine
import Primitives

extension Kernel {
    /// Bytes of an exit message that are kept.
    private static var longestExitMessage: UInt32 { 1024 }

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
        guard guest.contains(offset: offset, count: UInt64(length)) else { return "actor's message is not in memory" }
        func text(_ offset: UInt32, _ count: UInt32) -> String {
            String(decoding: guest.read(offset: offset, count: count) ?? [], as: UTF8.self)
        }
        guard length > Self.longestExitMessage else { return text(offset, length) }
        let half = Self.longestExitMessage / 2
        // The whole range is in memory, so its end fits.
        return text(offset, half) + " [\(length - 2 * half) bytes left out] " + text(offset + (length - half), half)
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
