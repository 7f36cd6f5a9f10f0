import Engine

extension Kernel {
    func debugEnabled() -> SyscallResult { .number(Int32(network.actorDebugging ? 0 : -1)) }

    /// Gives the line to the node.
    func debugLogV3(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        guard let line = try line(&arguments, guest) else { return .done }
        calls.externs.debugLog(line, actor: frame.receiver)
        return .done
    }

    /// Gives the line to the node, and to the trace.
    func debugLogV4(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult {
        guard let line = try line(&arguments, guest) else { return .done }
        calls.externs.debugLog(line, actor: frame.receiver)
        calls.trace?.record(.log(line))
        return .done
    }

    /// nil with debugging off, when nobody looks at the arguments.
    private func line(
        _ arguments: inout Arguments, _ guest: borrowing GuestContext
    ) throws(ExecutionError) -> String? {
        guard network.actorDebugging else { return nil }
        return try guest.text(arguments.input(guest), "a log line")
    }

    func debugStoreArtifact(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        guard network.actorDebugging else { return .done }
        let nameRange = try arguments.input(guest)
        let data = try guest.bytes(arguments.input(guest))
        let name = try guest.text(nameRange, "the name of an artifact")
        guard (1...256).contains(name.utf8.count), !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")) else {
            throw .syscall(.illegalArgument, "\(name.debugDescription) cannot name an artifact")
        }
        calls.externs.storeArtifact(name: name, data: data, actor: frame.receiver)
        return .done
    }
}
