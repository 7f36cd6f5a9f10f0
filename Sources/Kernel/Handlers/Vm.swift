import Engine
import Primitives

extension Kernel {
    /// Bytes of an exit message that are kept.
    private static var longestExitMessage: UInt32 { 1024 }

    /// Always ends the invocation.
    func vmExit(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        let code = try arguments.u32()
        let block = try arguments.u32()
        let message = try arguments.uncheckedInput()
        guard code == 0 || code >= ExitCode.firstActorCode else {
            throw .exit(
                .sysIllegalExitCode, block: block,
                Diagnostic { "actor ended with the reserved exit code \(code)" })
        }
        throw .exit(ExitCode(rawValue: code), block: block, exitMessage(message, guest))
    }

    /// The message is copied, since memory goes away; it is made text when somebody reads it.
    private func exitMessage(_ range: GuestRange, _ guest: borrowing GuestContext) -> Diagnostic {
        guard range.length > 0 else { return Diagnostic { "actor gave no message" } }
        guard guest.contains(offset: range.offset, count: UInt64(range.length)) else {
            return Diagnostic { "actor's message is not in memory" }
        }
        guard range.length > Self.longestExitMessage else {
            let bytes = guest.read(offset: range.offset, count: range.length) ?? []
            return Diagnostic { String(decoding: bytes, as: UTF8.self) }
        }
        let half = Self.longestExitMessage / 2
        // The whole range is in memory, so its end fits.
        let front = guest.read(offset: range.offset, count: half) ?? []
        let back = guest.read(offset: range.offset + (range.length - half), count: half) ?? []
        return Diagnostic {
            String(decoding: front, as: UTF8.self) + " [\(range.length - 2 * half) bytes left out] "
                + String(decoding: back, as: UTF8.self)
        }
    }

    func vmMessageContext() throws(ExecutionError) -> SyscallResult {
        try gas.charge(prices.onMessageContext())
        return .value(try .messageContext(calls.message, frame))
    }
}
