/// Where and why bytes are not the CBOR that was expected.
public struct CborError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        case truncated
        /// What was expected, and the head's first byte.
        case unexpected(expected: String, head: UInt8)
        case indefinite
        /// The head's argument is wider than the reader's type allows.
        case tooWide(bits: Int)
        case notMinimal
        case count(expected: UInt64, got: UInt64)
        case outOfRange
        case notUTF8
        case unknownTag(UInt64)
        case badLink(String)
        case mapOrder
        case tooDeep
        case trailingBytes(Int)
        case value(String)
    }

    /// What is wrong.
    public var reason: Reason
    /// Bytes from the start of the block.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        let what =
            switch reason {
            case .truncated: "ends inside an item"
            case .unexpected(let expected, let head): "\(expected) expected, head is 0x\(String(head, radix: 16))"
            case .indefinite: "indefinite length is not allowed"
            case .tooWide(let bits): "number has a wider head than \(bits) bits"
            case .notMinimal: "head is longer than needed"
            case .count(let expected, let got): "array of \(expected) elements expected, has \(got)"
            case .outOfRange: "number is out of range"
            case .notUTF8: "text is not UTF-8"
            case .unknownTag(let tag): "tag \(tag) is not allowed, only 42 is"
            case .badLink(let why): "link: \(why)"
            case .mapOrder: "map keys are not sorted or not unique"
            case .tooDeep: "nesting is deeper than \(CborReader.maxDepth)"
            case .trailingBytes(let count): "\(count) bytes after the value"
            case .value(let why): why
            }
        return "cbor at 0x\(String(offset, radix: 16)): \(what)"
    }
}
