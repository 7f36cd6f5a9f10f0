import IPLD
import Kernel
import Primitives

/// The commitment to a message's events that stands in its receipt.
public enum EventsRoot {
    /// The root of an AMT (version 3, bit width 5) of the events in order of emission. Its blocks are not kept.
    static func of(_ events: [ActorEvent]) throws(ApplyError) -> Cid {
        do {
            let amt = Amt(store: MemoryBlockstore(), bitWidth: 5)
            for (index, event) in events.enumerated() {
                try amt.set(UInt64(index), encode(event))
            }
            return try amt.flush()
        } catch {
            throw .local("events root: \(error)")
        }
    }

    /// The events as nodes hand them on: a CBOR list of them.
    public static func list(_ events: [ActorEvent]) -> [UInt8] {
        var writer = CborWriter()
        writer.array(events.count)
        for event in events { writer.encoded(encode(event)) }
        return writer.bytes
    }

    /// `[emitter, [[flags, key, codec, value]…]]`.
    static func encode(_ event: ActorEvent) -> [UInt8] {
        var writer = CborWriter()
        writer.array(2)
        writer.unsigned(event.emitter)
        writer.array(event.entries.count)
        for entry in event.entries {
            writer.array(4)
            writer.unsigned(entry.flags)
            writer.text(String(decoding: entry.key, as: UTF8.self))
            writer.unsigned(entry.codec)
            writer.byteString(entry.value)
        }
        return writer.bytes
    }
}
