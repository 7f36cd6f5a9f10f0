import Primitives

/// Finds where items end that are canonical DAG-CBOR and hold nothing but numbers, byte strings, arrays, null and links
/// of the usual form: what blocks of chain state are made of. Allocates nothing.
///
/// A short cut past `CborReader`, which decides about everything else: nil says nothing about an item.
///
/// Open to other modules' optimizers: it runs over every byte of the nodes a message touches.
public enum CanonicalScan {
    /// Bytes of a link of the usual form: a head of 11 and a digest.
    @usableFromInline static let linkLength = 43
    private static let linkHeadLength = 11
    /// The deepest nesting of arrays that is followed.
    private static let maxDepth = 8

    /// The first eight bytes of a link of the usual form to a DAG-CBOR block.
    private static let dagCborLinkStart: UInt64 = 0xD82A_5827_0001_71A0

    /// The end of a link of the usual form at `start`: tag 42, a string of 39 bytes, 0, version 1, a codec of one byte,
    /// blake2b-256, 32 bytes.
    @inlinable public static func link(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        guard start <= bytes.count - linkLength,
            // The seventh byte is the codec.
            bytes.word(at: start) & 0xFFFF_FFFF_FFFF_80FF == 0xD82A_5827_0001_00A0,
            bytes.word(at: start + 3) & 0xFFFF_FFFF == 0xA0E4_0220
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
        guard let end = link(bytes, start), bytes.word(at: start) == dagCborLinkStart else { return nil }
        return end
    }

    /// The argument of a head in shortest form, with its major type, and where what follows begins.
    @inlinable public static func head(
        _ bytes: Span<UInt8>, _ start: Int
    ) -> (major: UInt8, argument: UInt64, end: Int)? {
        guard start < bytes.count else { return nil }
        let byte = bytes[start]
        let low = byte & 0x1f
        if low < 24 { return (byte >> 5, UInt64(low), start + 1) }
        return longHead(bytes, start)
    }

    /// A head with an argument of its own.
    @usableFromInline static func longHead(
        _ bytes: Span<UInt8>, _ start: Int
    ) -> (major: UInt8, argument: UInt64, end: Int)? {
        let byte = bytes[start]
        let low = byte & 0x1f
        guard low < 28 else { return nil }
        let width = 1 << Int(low - 24)
        guard bytes.count - start > width else { return nil }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(bytes[start + index]) }
        guard value >= (width == 1 ? 24 : UInt64(1) << UInt64(width * 4)) else { return nil }
        return (byte >> 5, value, start + 1 + width)
    }

    /// The content of a byte string at `start`.
    @inlinable public static func byteString(_ bytes: Span<UInt8>, _ start: Int) -> Range<Int>? {
        guard let head = head(bytes, start), head.major == 2, head.argument <= UInt64(bytes.count - head.end)
        else { return nil }
        return head.end..<head.end + Int(head.argument)
    }

    /// The end of an unsigned number at `start`.
    @inlinable public static func unsigned(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        guard let head = head(bytes, start), head.major == 0 else { return nil }
        return head.end
    }

    /// The end of the item at `start`.
    public static func item(_ bytes: Span<UInt8>, _ start: Int) -> Int? { item(bytes, start, depth: 0) }

    private static func item(_ bytes: Span<UInt8>, _ start: Int, depth: Int) -> Int? {
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
