import Engine
import IPLD
import Primitives

/// A range of guest memory.
struct GuestRange {
    var offset: UInt32
    var length: UInt32
}

extension GuestContext {
    /// The range, which must lie in memory.
    func range(offset: UInt32, length: UInt32) throws(ExecutionError) -> GuestRange {
        let size = memorySize
        guard contains(offset: offset, count: UInt64(length)) else {
            throw .syscall(
                .illegalArgument, "0x\(hex(offset)) + \(length) bytes end outside the \(size) bytes of memory")
        }
        return GuestRange(offset: offset, length: length)
    }

    /// The range, which must lie in memory.
    func check(_ range: GuestRange) throws(ExecutionError) -> GuestRange {
        try self.range(offset: range.offset, length: range.length)
    }

    /// The bytes of a checked range, copied.
    func bytes(_ range: GuestRange) throws(ExecutionError) -> [UInt8] {
        guard let bytes = read(offset: range.offset, count: range.length) else { throw Self.outside(range) }
        return bytes
    }

    /// Lends the bytes of a checked range.
    func withBytes<R>(
        _ range: GuestRange, _ body: (Span<UInt8>) throws(ExecutionError) -> R
    ) throws(ExecutionError) -> R {
        guard let result = try withBytes(offset: range.offset, count: range.length, body) else {
            throw Self.outside(range)
        }
        return result
    }

    private static func outside(_ range: GuestRange) -> ExecutionError {
        .syscall(.illegalArgument, "0x\(hex(range.offset)) + \(range.length) bytes are not in memory")
    }

    /// The CID that starts at `offset` and ends where it ends.
    func cid(at offset: UInt32) throws(ExecutionError) -> Cid {
        guard UInt64(offset) <= memorySize else {
            throw .syscall(.illegalArgument, "a CID at 0x\(hex(offset)) is outside the memory")
        }
        let length = UInt32(min(memorySize - UInt64(offset), Self.longestCid))
        return try withBytes(GuestRange(offset: offset, length: length)) { (bytes) throws(ExecutionError) in
            do throws(CidError) {
                var position = 0
                return try Cid.read(bytes, at: &position)
            } catch {
                throw .syscall(.illegalArgument, "no CID at 0x\(hex(offset)): \(error)")
            }
        }
    }

    /// Four varints of at most 10 bytes and a digest of at most 64.
    private static var longestCid: UInt64 { 4 * 10 + 64 }

    /// Protocol, a varint of at most 10 bytes and a subaddress of at most 54.
    private static var longestAddress: UInt32 { 1 + 10 + 54 }

    /// The address that a checked range holds.
    func address(_ range: GuestRange) throws(ExecutionError) -> Address {
        guard range.length <= Self.longestAddress else {
            throw .syscall(.illegalArgument, "an address of \(range.length) bytes")
        }
        let bytes = try bytes(range)
        do throws(AddressError) {
            return try Address(bytes: bytes)
        } catch {
            throw .syscall(.illegalArgument, "no address at 0x\(hex(range.offset)): \(error)")
        }
    }

    /// Whether a checked range holds UTF-8.
    func holdsText(_ range: GuestRange) throws(ExecutionError) -> Bool {
        try withBytes(range) { (bytes) throws(ExecutionError) -> Bool in
            do {
                _ = try UTF8Span(validating: bytes)
                return true
            } catch { return false }
        }
    }

    /// The UTF-8 text in a checked range.
    func text(_ range: GuestRange, _ what: StaticString) throws(ExecutionError) -> String {
        guard let text = String(validating: try bytes(range), as: UTF8.self) else {
            throw .syscall(.illegalArgument, "\(what) is not UTF-8")
        }
        return text
    }

    /// Decodes a range that is one CBOR structure and nothing else.
    ///
    /// A structure has no price before it is known, and what is wrong with it usually shows early: so only as
    /// much is copied as the decoder asks for, not the up to 512 MiB that the actor says there are.
    func decode<T>(
        _ range: GuestRange, _ what: StaticString, _ body: (inout CborReader) throws(CborError) -> T
    ) throws(ExecutionError) -> T {
        var length = min(range.length, 4096)
        while true {
            do throws(CborError) {
                var reader = CborReader(read(offset: range.offset, count: length) ?? [])
                let value = try body(&reader)
                guard length == range.length else {
                    throw CborError(.trailingBytes(Int(range.length) - reader.position), at: reader.position)
                }
                try reader.finish()
                return value
            } catch {
                guard error.reason == .truncated, length < range.length else {
                    throw .syscall(.illegalArgument, "\(what): \(error)")
                }
                length = UInt32(min(UInt64(range.length), UInt64(length) * 4))
            }
        }
    }

    /// Writes to the start of a checked range, which must be long enough, and returns the length written.
    mutating func write(_ bytes: [UInt8], to range: GuestRange, _ what: StaticString) throws(ExecutionError) -> UInt32 {
        guard bytes.count <= Int(range.length) else {
            throw .syscall(
                .bufferTooSmall, "\(what) needs \(bytes.count) bytes, the buffer has \(range.length)")
        }
        guard write(bytes.span, offset: range.offset) else {
            throw .syscall(.illegalArgument, "the buffer at 0x\(hex(range.offset)) is not in memory")
        }
        return UInt32(bytes.count)
    }
}
