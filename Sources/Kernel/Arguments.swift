import Engine
import IPLD
import Primitives

extension Span where Element == UInt64 {
    /// Parameter `index` as an unsigned 32-bit number.
    func u32(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: self[index]) }
    /// Parameter `index` as a signed 64-bit number.
    func i64(_ index: Int) -> Int64 { Int64(bitPattern: self[index]) }
}

/// A range of guest memory that was found to lie inside.
struct GuestRange {
    var offset: UInt32
    var length: UInt32
}

extension GuestContext {
    /// Checks the range whose offset is parameter `index` and whose length is the next one.
    func range(_ arguments: Span<UInt64>, _ index: Int) throws(ExecutionError) -> GuestRange {
        try range(offset: arguments.u32(index), length: arguments.u32(index + 1))
    }

    func range(offset: UInt32, length: UInt32) throws(ExecutionError) -> GuestRange {
        guard contains(offset: offset, count: UInt64(length)) else {
            throw .syscall(
                .illegalArgument,
                "0x\(hex(offset)) + \(length) bytes end outside the \(memorySize) bytes of memory")
        }
        return GuestRange(offset: offset, length: length)
    }

    /// The bytes of a checked range.
    func bytes(_ range: GuestRange) throws(ExecutionError) -> [UInt8] {
        guard let bytes = read(offset: range.offset, count: range.length) else {
            throw .syscall(.illegalArgument, "0x\(hex(range.offset)) + \(range.length) bytes are not in memory")
        }
        return bytes
    }

    /// The bytes whose offset and length are parameters `index` and `index + 1`.
    func bytes(_ arguments: Span<UInt64>, _ index: Int) throws(ExecutionError) -> [UInt8] {
        try bytes(range(arguments, index))
    }

    /// The CID that starts at parameter `index`.
    func cid(_ arguments: Span<UInt64>, _ index: Int) throws(ExecutionError) -> Cid {
        let offset = arguments.u32(index)
        guard UInt64(offset) <= memorySize else {
            throw .syscall(.illegalArgument, "a CID at 0x\(hex(offset)) is outside the memory")
        }
        let length = UInt32(min(memorySize - UInt64(offset), Self.longestCid))
        let bytes = try bytes(GuestRange(offset: offset, length: length))
        do throws(CidError) {
            var position = 0
            return try Cid.read(bytes.span, at: &position)
        } catch {
            throw .syscall(.illegalArgument, "no CID at 0x\(hex(offset)): \(error)")
        }
    }

    /// Four varints of at most 10 bytes and a digest of at most 64.
    private static var longestCid: UInt64 { 4 * 10 + 64 }

    /// Protocol, a varint of at most 10 bytes and a subaddress of at most 54.
    private static var longestAddress: UInt32 { 1 + 10 + 54 }

    /// The address whose offset and length are parameters `index` and `index + 1`.
    func address(_ arguments: Span<UInt64>, _ index: Int) throws(ExecutionError) -> Address {
        let range = try range(arguments, index)
        guard range.length <= Self.longestAddress else {
            throw .syscall(.illegalArgument, "an address of \(range.length) bytes")
        }
        let bytes = try bytes(range)
        do throws(AddressError) {
            return try Address(bytes: bytes)
        } catch {
            throw .syscall(.illegalArgument, "no address at 0x\(hex(arguments.u32(index))): \(error)")
        }
    }

    /// Decodes a range that is one CBOR structure and nothing else.
    ///
    /// A structure has no price before it is known, and what is wrong with it usually shows early: so only as
    /// much is copied as the decoder asks for, not the up to 512 MiB that the actor says there are.
    func decode<T>(
        _ range: GuestRange, _ what: String, _ body: (inout CborReader) throws(CborError) -> T
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

    /// The UTF-8 text whose offset and length are parameters `index` and `index + 1`.
    func text(_ arguments: Span<UInt64>, _ index: Int, _ what: String) throws(ExecutionError) -> String {
        guard let text = String(validating: try bytes(arguments, index), as: UTF8.self) else {
            throw .syscall(.illegalArgument, "\(what) is not UTF-8")
        }
        return text
    }

    /// Writes to the start of a checked range, which must be long enough, and returns the length written.
    mutating func write(_ bytes: [UInt8], to range: GuestRange, _ what: String) throws(ExecutionError) -> UInt32 {
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
