import Engine
import GasSchedule
import IPLD
import Primitives

/// Bounds of an event (ref-fvm v3 `emit_event`); the encoded form may have as many bytes as a block.
private enum EventLimits {
    static let entries = 256
    /// Bytes of a key.
    static let key = 32
    /// Bytes of all values together.
    static let values = 8192
}

/// Flags of an event entry that ask for an index.
private enum EventFlags {
    static let indexedKey: UInt64 = 1
    static let indexedValue: UInt64 = 2
}

extension Kernel {
    /// v3: one CBOR-encoded event.
    func eventEmitEvent(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError) -> SyscallResult
    {
        let range = try guest.range(arguments, 0)
        let size = UInt64(range.length)
        try refuseWhenReadOnly("an event cannot be emitted")
        guard let validation = prices.onActorEventValidate(size: size) else {
            throw .local("price list \(prices.id) has no price for encoded events")
        }
        try gas.charge(validation)
        let limit = network.profile.limits.blockSize
        guard size <= limit else {
            throw .syscall(.illegalArgument, "an event of \(size) bytes, limit \(limit)")
        }
        let entries = try guest.decode(range, "an event") { (reader) throws(CborError) in
            try reader.list { (element) throws(CborError) in try ActorEvent.Entry(&element) }
        }
        try check(entries)
        var indexedElements: UInt64 = 0
        var indexedBytes: UInt64 = 0
        for entry in entries {
            if entry.flags & EventFlags.indexedKey != 0 {
                indexedElements += 1
                indexedBytes += UInt64(entry.key.count)
            }
            if entry.flags & EventFlags.indexedValue != 0 {
                indexedElements += 1
                indexedBytes += UInt64(entry.value.count)
            }
        }
        guard
            let acceptance = prices.onActorEventAccept(
                size: size, indexedElements: indexedElements, indexedBytes: indexedBytes)
        else { throw .local("price list \(prices.id) has no price for encoded events") }
        try gas.charge(acceptance)
        calls.emit(ActorEvent(emitter: frame.receiver, entries: entries))
        return .done
    }

    private func check(_ entries: [ActorEvent.Entry]) throws(ExecutionError) {
        guard entries.count <= EventLimits.entries else {
            throw .syscall(
                .illegalArgument, "an event of \(entries.count) entries, limit \(EventLimits.entries)")
        }
        var values = 0
        for (index, entry) in entries.enumerated() {
            guard entry.key.count <= EventLimits.key else {
                throw .syscall(
                    .illegalArgument,
                    "event entry \(index) has a key of \(entry.key.count) bytes, limit \(EventLimits.key)")
            }
            guard entry.codec == Codec.raw else {
                throw .syscall(
                    .illegalCodec,
                    "event entry \(index) has codec 0x\(String(entry.codec, radix: 16)), only raw is allowed")
            }
            values += entry.value.count
        }
        guard values <= EventLimits.values else {
            throw .syscall(
                .illegalArgument, "an event with values of \(values) bytes, limit \(EventLimits.values)")
        }
    }
}
