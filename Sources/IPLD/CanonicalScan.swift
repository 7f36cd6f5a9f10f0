import Primitives

/// Finds where items end that are canonical DAG-CBOR and hold nothing but numbers, byte strings, arrays, null and links
/// of the usual form: what blocks of chain state are made of. Allocates nothing.
///
/// A short cut past `CborReader`, which decides about everything else: nil says nothing about an item.
enum CanonicalScan {
    /// Bytes of a link of the usual form: a head of 11 and a digest.
    private static let linkLength = linkHeadLength + 32
    private static let linkHeadLength = 11
    /// The deepest nesting of arrays that is followed.
    private static let maxDepth = 8

    /// The end of a link of the usual form at `start`: tag 42, a string of 39 bytes, 0, version 1, a codec of one byte,
    /// blake2b-256, 32 bytes.
    static func link(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        guard bytes.count - start >= linkLength, bytes[start] == 0xd8, bytes[start + 1] == 42,
            bytes[start + 2] == 0x58, bytes[start + 3] == 39, bytes[start + 4] == 0, bytes[start + 5] == 1,
            bytes[start + 6] < 0x80, bytes[start + 7] == 0xa0, bytes[start + 8] == 0xe4, bytes[start + 9] == 2,
            bytes[start + 10] == 32
        else { return nil }
        return start + linkLength
    }

    /// The CID of a link that `link` found at `start`.
    static func cid(_ bytes: Span<UInt8>, _ start: Int) -> Cid {
        Cid(
            codec: UInt64(bytes[start + 6]),
            blake2b256: bytes.extracting(start + linkHeadLength..<start + linkLength))
    }

    /// The end of a link of the usual form to a DAG-CBOR block.
    static func dagCborLink(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        guard let end = link(bytes, start), UInt64(bytes[start + 6]) == Cid.dagCbor else { return nil }
        return end
    }

    /// The argument of a head in shortest form, with its major type, and where what follows begins.
    private static func head(_ bytes: Span<UInt8>, _ start: Int) -> (major: UInt8, argument: UInt64, end: Int)? {
        guard start < bytes.count else { return nil }
        let byte = bytes[start]
        let low = byte & 0x1f
        if low < 24 { return (byte >> 5, UInt64(low), start + 1) }
        guard low < 28 else { return nil }
        let width = 1 << Int(low - 24)
        guard bytes.count - start > width else { return nil }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(bytes[start + index]) }
        guard value >= (width == 1 ? 24 : UInt64(1) << UInt64(width * 4)) else { return nil }
        return (byte >> 5, value, start + 1 + width)
    }

    /// The content of a byte string at `start`.
    static func byteString(_ bytes: Span<UInt8>, _ start: Int) -> Range<Int>? {
        guard let head = head(bytes, start), head.major == 2, head.argument <= UInt64(bytes.count - head.end)
        else { return nil }
        return head.end..<head.end + Int(head.argument)
    }

    /// The end of the item at `start`.
    static func item(_ bytes: Span<UInt8>, _ start: Int, depth: Int = 0) -> Int? {
        guard start < bytes.count, depth < maxDepth else { return nil }
        switch bytes[start] >> 5 {
        case 0, 1: return head(bytes, start)?.end
        case 2: return byteString(bytes, start)?.upperBound
        case 4:
            // Each element takes a byte, so a false count ends with the block.
            guard let head = head(bytes, start) else { return nil }
            var position = head.end
            var left = head.argument
            while left > 0 {
                guard let end = item(bytes, position, depth: depth + 1) else { return nil }
                position = end
                left -= 1
            }
            return position
        case 6: return link(bytes, start)
        default: return bytes[start] == 0xf6 ? start + 1 : nil
        }
    }
}
