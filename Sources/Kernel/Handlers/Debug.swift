import Engine

extension Kernel {
    func debugEnabled() -> SyscallResult { .number(Int32(network.actorDebugging ? 0 : -1)) }

    func debugLog(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        guard network.actorDebugging else { return .done }
        calls.externs.debugLog(try guest.text(arguments, 0, "a log line"), actor: frame.receiver)
        return .done
    }

    func debugStoreArtifact(
        _ arguments: Span<UInt64>, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        guard network.actorDebugging else { return .done }
        let nameRange = try guest.range(arguments, 0)
        let data = try guest.bytes(arguments, 2)
        guard let name = String(validating: try guest.bytes(nameRange), as: UTF8.self) else {
            throw .syscall(.illegalArgument, "the name of an artifact is not UTF-8")
        }
        guard (1...256).contains(name.utf8.count), !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")) else {
            throw .syscall(.illegalArgument, "\(name.debugDescription) cannot name an artifact")
        }
        calls.externs.storeArtifact(name: name, data: data, actor: frame.receiver)
        return .done
    }
}
