import Engine
import GasSchedule
import IPLD
import Primitives

/// Bounds of an event (ref-fvm v3 and v4 `emit_event`); an encoded form may have as many bytes as a block.
private enum EventLimits {
    static let entriesV3 = 256
    static let entriesV4: UInt32 = 255
    /// Bytes of a key.
    static let keyV3 = 32
    static let keyV4: UInt32 = 31
    /// Bytes of all values together.
    static let values: UInt32 = 8192
}

/// Flags of an event entry that ask for an index.
private enum EventFlags {
    static let indexedKey: UInt64 = 1
    static let indexedValue: UInt64 = 2
}

extension Kernel {
    // MARK: Encoded events

    /// One CBOR-encoded event.
    func eventEmitEventV3(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let range = try arguments.input(guest)
        let size = UInt64(range.length)
        try refuseWhenReadOnly("an event cannot be emitted")
        try gas.charge(prices.onActorEventValidate(size: size))
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
        try gas.charge(
            prices.onActorEventAccept(size: size, indexedElements: indexedElements, indexedBytes: indexedBytes))
        calls.emit(ActorEvent(emitter: frame.receiver, entries: entries))
        return .done
    }

    private func check(_ entries: [ActorEvent.Entry]) throws(ExecutionError) {
        let count = entries.count
        guard count <= EventLimits.entriesV3 else {
            throw .syscall(.illegalArgument, "an event of \(count) entries, limit \(EventLimits.entriesV3)")
        }
        var values = 0
        for (index, entry) in entries.enumerated() {
            guard entry.key.count <= EventLimits.keyV3 else {
                throw .syscall(
                    .illegalArgument,
                    "event entry \(index) has a key of \(entry.key.count) bytes, limit \(EventLimits.keyV3)")
            }
            guard entry.codec == Cid.raw else {
                throw .syscall(
                    .illegalCodec,
                    "event entry \(index) has codec 0x\(String(entry.codec, radix: 16)), only raw is allowed")
            }
            values += entry.value.count
        }
        let sum = values
        guard sum <= Int(EventLimits.values) else {
            throw .syscall(.illegalArgument, "an event with values of \(sum) bytes, limit \(EventLimits.values)")
        }
    }

    // MARK: Events in three buffers

    /// An entry as it lies in memory: flags, codec, length of the key, length of the value.
    private static var entrySize: UInt32 { 8 + 8 + 4 + 4 }

    /// Entries, and the keys and values they take one after another.
    func eventEmitEventV4(
        _ arguments: inout Arguments, _ guest: inout GuestContext
    ) throws(ExecutionError) -> SyscallResult {
        let count: UInt32
        let table: GuestRange
        do {
            // Here the length counts entries.
            let counted = try arguments.uncheckedInput()
            count = counted.length
            let (bytes, overflow) = count.multipliedReportingOverflow(by: Self.entrySize)
            guard !overflow else { throw .syscall(.illegalArgument, "\(count) event entries") }
            table = try guest.range(offset: counted.offset, length: bytes)
        }
        let keys = try arguments.input(guest)
        let values = try arguments.input(guest)
        try refuseWhenReadOnly("an event cannot be emitted")
        try gas.charge(
            prices.onActorEvent(
                entries: UInt64(count), keySize: UInt64(keys.length), valueSize: UInt64(values.length)))
        guard count <= EventLimits.entriesV4 else {
            throw .syscall(.limitExceeded, "an event of \(count) entries, limit \(EventLimits.entriesV4)")
        }
        guard values.length <= EventLimits.values else {
            throw .syscall(
                .limitExceeded, "an event with values of \(values.length) bytes, limit \(EventLimits.values)")
        }
        guard try guest.holdsText(keys) else { throw .syscall(.illegalArgument, "the keys of an event are not UTF-8") }
        let entries = try EventEntries(
            count: Int(count), table: guest.bytes(table), keys: guest.bytes(keys), values: guest.bytes(values)
        ).read()
        calls.emit(ActorEvent(emitter: frame.receiver, entries: entries))
        return .done
    }
}

/// The three buffers of an event, copied.
private struct EventEntries {
    let count: Int
    let table: [UInt8]
    /// UTF-8 as a whole.
    let keys: [UInt8]
    let values: [UInt8]

    func read() throws(ExecutionError) -> [ActorEvent.Entry] {
        var entries: [ActorEvent.Entry] = []
        entries.reserveCapacity(count)
        var key = 0
        var value = 0
        for index in 0..<count {
            let start = index * 24
            let flags = number(start, 8)
            let codec = number(start + 8, 8)
            let keyLength = Int(number(start + 16, 4))
            let valueLength = Int(number(start + 20, 4))
            guard flags & ~(EventFlags.indexedKey | EventFlags.indexedValue) == 0 else {
                throw Self.refusal(.illegalArgument, index, "flags 0x\(String(flags, radix: 16)) are not known")
            }
            guard keyLength <= Int(EventLimits.keyV4) else {
                throw Self.refusal(.limitExceeded, index, "a key of \(keyLength) bytes")
            }
            guard valueLength <= Int(EventLimits.values) else {
                throw Self.refusal(.illegalArgument, index, "a value of \(valueLength) bytes")
            }
            let (keyStart, valueStart) = (key, value)
            guard key + keyLength <= keys.count, isBoundary(key), isBoundary(key + keyLength) else {
                throw Self.refusal(.illegalArgument, index, "the keys cannot be cut at \(keyStart) + \(keyLength)")
            }
            guard value + valueLength <= values.count else {
                throw Self.refusal(.illegalArgument, index, "the values end before \(valueStart) + \(valueLength)")
            }
            guard codec == Cid.raw || codec == Cid.cbor else {
                throw Self.refusal(.illegalCodec, index, "codec 0x\(String(codec, radix: 16))")
            }
            entries.append(
                ActorEvent.Entry(
                    flags: flags, key: Array(keys[key..<key + keyLength]), codec: codec,
                    value: Array(values[value..<value + valueLength])))
            key += keyLength
            value += valueLength
        }
        guard key == keys.count, value == values.count else {
            throw .syscall(.illegalArgument, "an event's buffers are longer than its entries say")
        }
        return entries
    }

    private static func refusal(
        _ number: ErrorNumber, _ index: Int, _ what: @autoclosure @escaping @Sendable () -> String
    ) -> ExecutionError { .syscall(number, "event entry \(index): \(what())") }

    /// Whether a character begins at `offset`, or none does because it is the end.
    private func isBoundary(_ offset: Int) -> Bool { offset == keys.count || keys[offset] & 0xC0 != 0x80 }

    private func number(_ start: Int, _ width: Int) -> UInt64 {
        (0..<width).reversed().reduce(0) { $0 << 8 | UInt64(table[start + $1]) }
    }
}
