/// Unsigned LEB128 as the FVM reads it (FVM syscall layer, "decoding helpers"; Rust `unsigned-varint`).
///
/// Two leniencies are consensus behaviour: bits beyond 64 in a tenth byte are dropped silently, and no value is
/// refused for its size. One strictness is too: a last byte of zero after other bytes is refused.
public enum Varint {
    /// The longest encoding of a 64-bit number, in bytes.
    public static let maxLength = 10

    /// Reads one number from `bytes` at `offset` and moves `offset` behind it.
    ///
    /// On an error `offset` is left where it was.
    public static func read(_ bytes: Span<UInt8>, at offset: inout Int) throws(VarintError) -> UInt64 {
        var value: UInt64 = 0
        var index = 0
        while true {
            guard offset >= 0, offset < bytes.count, index < bytes.count - offset else { throw .truncated }
            let byte = bytes[offset + index]
            // `<<` discards what does not fit: the tenth byte's high bits.
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            index += 1
            if byte & 0x80 == 0 {
                if byte == 0 && index > 1 { throw .notMinimal }
                offset += index
                return value
            }
            if index == maxLength { throw .tooLong }
        }
    }

    /// Appends the minimal encoding of `value` to `out`.
    public static func append(_ value: UInt64, to out: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(truncatingIfNeeded: rest))
    }

    /// The minimal encoding of `value`: 1 to 10 bytes.
    public static func encode(_ value: UInt64) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(maxLength)
        append(value, to: &out)
        return out
    }
}

/// Why bytes are not a varint.
public enum VarintError: Error, Sendable, Equatable, CustomStringConvertible {
    case truncated
    case tooLong
    case notMinimal

    public var description: String {
        switch self {
        case .truncated: "varint ends before its last byte"
        case .tooLong: "varint is longer than 10 bytes"
        case .notMinimal: "varint ends in a zero byte"
        }
    }
}
