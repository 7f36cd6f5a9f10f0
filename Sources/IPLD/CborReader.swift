import Primitives

/// Reads DAG-CBOR from a block, typed field by typed field or as whole items.
///
/// Lengths in the input are compared with what is left before anything is allocated for them.
public struct CborReader: Sendable {
    /// How much is let pass.
    public enum Mode: Sendable {
        /// What the FVM's reference decoder accepts (FVM machine layer, "CBOR decoding of host-read objects"):
        /// heads longer than needed; strings in parts; a wrong major type whose bits are a subset of the expected
        /// one's, in typed positions (but not for the string of a link); bytes behind the CID in a link's string.
        case reference
        /// As `reference`, but major types are compared and only links' strings come in parts: how the reference
        /// reads what it decodes into a general value first, such as everything below a HAMT node's pointers.
        case dynamic
        /// Canonical DAG-CBOR only.
        case strict
    }

    /// The deepest nesting of arrays, maps and tags.
    public static let maxDepth = 256

    /// The block; positions and offsets in errors count from its start.
    public let bytes: [UInt8]
    /// Where the next item starts.
    public private(set) var position: Int
    /// May be changed between items.
    public var mode: Mode
    /// Arrays around the position that count towards `maxDepth`, as `enter` and `leave` keep it.
    private var level = 0

    public init(_ bytes: [UInt8], mode: Mode = .reference) {
        self.bytes = bytes
        position = 0
        self.mode = mode
    }

    /// Whether nothing is left.
    public var isAtEnd: Bool { position == bytes.count }

    /// Goes on at `end`, up to which the caller has read by itself.
    mutating func passed(to end: Int) { position = end }

    /// - Throws: `.trailingBytes` when something follows the last item.
    public func finish() throws(CborError) {
        if position < bytes.count { throw CborError(.trailingBytes(bytes.count - position), at: position) }
    }

    // MARK: Heads

    private enum Major: UInt8 {
        case unsigned = 0
        case negative = 1
        case bytes = 2
        case text = 3
        case array = 4
        case map = 5
        case tag = 6

        var name: String {
            switch self {
            case .unsigned: "unsigned number"
            case .negative: "negative number"
            case .bytes: "byte string"
            case .text: "text"
            case .array: "array"
            case .map: "map"
            case .tag: "tag"
            }
        }
    }

    private func peek() throws(CborError) -> UInt8 {
        guard position < bytes.count else { throw CborError(.truncated, at: position) }
        return bytes[position]
    }

    /// Whether a head's first byte may stand where `major` is expected. The reference clears the expected bits
    /// instead of comparing, except for numbers.
    private func matches(_ head: UInt8, _ major: Major) -> Bool {
        mode != .reference || major == .unsigned || major == .negative
            ? head >> 5 == major.rawValue : (head >> 5) & ~major.rawValue == 0
    }

    /// The argument of the head at the position, which moves behind it.
    private mutating func argument(maxBits: Int = 64) throws(CborError) -> UInt64 {
        let start = position
        let low = try peek() & 0x1f
        let width: Int
        switch low {
        case 0..<24:
            position += 1
            return UInt64(low)
        case 24: width = 1
        case 25: width = 2
        case 26: width = 4
        case 27: width = 8
        case 31: throw CborError(.indefinite, at: start)
        default: throw CborError(.unexpected(expected: "head", head: bytes[start]), at: start)
        }
        guard bytes.count - start > width else { throw CborError(.truncated, at: start) }
        guard width * 8 <= maxBits else { throw CborError(.tooWide(bits: maxBits), at: start) }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(bytes[start + index]) }
        if mode == .strict {
            guard value >= (width == 1 ? 24 : UInt64(1) << UInt64(width * 4)) else {
                throw CborError(.notMinimal, at: start)
            }
        }
        position = start + 1 + width
        return value
    }

    private mutating func head(_ major: Major) throws(CborError) -> UInt64 {
        let byte = try peek()
        guard matches(byte, major) else {
            throw CborError(.unexpected(expected: major.name, head: byte), at: position)
        }
        return try argument()
    }

    // MARK: Typed fields

    /// An unsigned number whose head is at most `T` wide.
    @inlinable public mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(
        _ type: T.Type = T.self
    ) throws(CborError) -> T {
        let start = position
        guard let value = T(exactly: try unsigned(maxBits: T.bitWidth)) else {
            throw CborError(.outOfRange, at: start)
        }
        return value
    }

    /// An unsigned number whose head is at most `maxBits` wide. Not generic: other modules' calls of the generic form
    /// would look types up at run time, byte by byte of a proof.
    @usableFromInline mutating func unsigned(maxBits: Int) throws(CborError) -> UInt64 {
        let byte = try peek()
        guard matches(byte, .unsigned) else {
            throw CborError(.unexpected(expected: Major.unsigned.name, head: byte), at: position)
        }
        return try argument(maxBits: maxBits)
    }

    /// A number that fits in 64 bits with sign.
    public mutating func int64() throws(CborError) -> Int64 {
        let start = position
        let byte = try peek()
        guard byte >> 5 <= 1 else { throw CborError(.unexpected(expected: "number", head: byte), at: start) }
        guard let magnitude = Int64(exactly: try argument()) else { throw CborError(.outOfRange, at: start) }
        return byte >> 5 == 0 ? magnitude : -1 - magnitude
    }

    /// A byte string's content.
    public mutating func byteString() throws(CborError) -> [UInt8] { Array(try byteSlice()) }

    /// A byte string's content, without a copy when it is in one part.
    public mutating func byteSlice() throws(CborError) -> ArraySlice<UInt8> { try string(.bytes) }

    /// Text.
    public mutating func text() throws(CborError) -> String {
        let start = position
        let content = try string(.text)
        guard let text = String(validating: content, as: UTF8.self) else { throw CborError(.notUTF8, at: start) }
        return text
    }

    /// - Parameter partsAllowed: whether the string may come in parts; parts may come in parts again, and each
    ///   nesting counts as an array does.
    private mutating func string(_ major: Major, partsAllowed: Bool) throws(CborError) -> ArraySlice<UInt8> {
        let partsFollow = major.rawValue << 5 | 31
        guard try peek() == partsFollow else { return try part(major) }
        guard partsAllowed else { throw CborError(.indefinite, at: position) }
        position += 1
        var content: [UInt8] = []
        var open = 1
        while open > 0 {
            let byte = try peek()
            if byte == 0xff {
                position += 1
                open -= 1
                continue
            }
            guard level + open <= CborReader.maxDepth else { throw CborError(.tooDeep, at: position) }
            if byte == partsFollow {
                position += 1
                open += 1
            } else {
                content += try part(major)
            }
        }
        return content[...]
    }

    private mutating func string(_ major: Major) throws(CborError) -> ArraySlice<UInt8> {
        try string(major, partsAllowed: mode == .reference)
    }

    private mutating func part(_ major: Major) throws(CborError) -> ArraySlice<UInt8> {
        let start = position
        let length = try head(major)
        guard length <= UInt64(bytes.count - position) else { throw CborError(.truncated, at: start) }
        let content = bytes[position..<position + Int(length)]
        position += Int(length)
        return content
    }

    /// An array's head as it stands: so many elements need not follow.
    public mutating func arrayHead() throws(CborError) -> UInt64 { try head(.array) }

    /// An array's head: the number of elements, never above the number of bytes left.
    public mutating func array() throws(CborError) -> Int {
        let start = position
        let count = try arrayHead()
        guard count <= UInt64(bytes.count - position) else { throw CborError(.truncated, at: start) }
        return Int(count)
    }

    /// The head of an array that must have `count` elements.
    public mutating func tuple(_ count: Int) throws(CborError) {
        let start = position
        let got = try head(.array)
        guard got == UInt64(count) else {
            throw CborError(.count(expected: UInt64(count), got: got), at: start)
        }
    }

    /// `tuple` for a structure whose strings may come in parts; `leave` ends it.
    public mutating func enter(_ count: Int) throws(CborError) {
        try tuple(count)
        level += 1
    }

    /// `arrayHead` for a list whose strings may come in parts; `leave` ends it.
    public mutating func enterList() throws(CborError) -> UInt64 {
        let count = try arrayHead()
        level += 1
        return count
    }

    /// Ends what the last `enter` or `enterList` began.
    public mutating func leave() { level -= 1 }

    /// A map's head: the number of entries.
    public mutating func map() throws(CborError) -> Int {
        let start = position
        let count = try head(.map)
        guard count <= UInt64(bytes.count - position) / 2 else { throw CborError(.truncated, at: start) }
        return Int(count)
    }

    /// Whether null stands here; if so it is read.
    public mutating func null() throws(CborError) -> Bool {
        guard try peek() == 0xf6 else { return false }
        position += 1
        return true
    }

    /// A boolean.
    public mutating func bool() throws(CborError) -> Bool {
        let byte = try peek()
        guard byte == 0xf4 || byte == 0xf5 else {
            throw CborError(.unexpected(expected: "boolean", head: byte), at: position)
        }
        position += 1
        return byte == 0xf5
    }

    /// A link: tag 42 around a byte string of 0 and a binary CID.
    public mutating func link() throws(CborError) -> Cid {
        let start = position
        if let end = CanonicalScan.link(bytes.span, start) {
            position = end
            return CanonicalScan.cid(bytes.span, start)
        }
        let tag = try head(.tag)
        guard tag == 42 else { throw CborError(.unknownTag(tag), at: start) }
        // Here the reference compares the major type in all modes, but lets the string come in parts.
        let byte = try peek()
        guard byte >> 5 == Major.bytes.rawValue else {
            throw CborError(.unexpected(expected: Major.bytes.name, head: byte), at: position)
        }
        let content = try string(.bytes, partsAllowed: mode != .strict)
        guard content.count >= 2, content[content.startIndex] == 0 else {
            throw CborError(.badLink("string does not start with 0 and a cid"), at: start)
        }
        var offset = 1
        do {
            let cid = try Cid.read(content.span, at: &offset)
            guard mode != .strict || offset == content.count else {
                throw CborError(.badLink("bytes after the cid"), at: start)
            }
            return cid
        } catch let error as CidError {
            throw CborError(.badLink(error.description), at: start)
        } catch let error as CborError {
            throw error
        } catch {
            throw CborError(.badLink("unreadable"), at: start)
        }
    }

    // MARK: Whole items

    /// Whether a tag stands here, which in DAG-CBOR is a link's.
    public var nextIsLink: Bool { position < bytes.count && bytes[position] >> 5 == Major.tag.rawValue }
    /// Whether an array stands here, by its real major type.
    public var nextIsArray: Bool { position < bytes.count && bytes[position] >> 5 == Major.array.rawValue }

    /// The next item, whatever it is, in canonical encoding: the block's own bytes when they are canonical already.
    public mutating func canonicalItem() throws(CborError) -> ArraySlice<UInt8> {
        let start = position
        if let end = CanonicalScan.item(bytes.span, start) {
            position = end
            return bytes[start..<end]
        }
        var strict = self
        strict.mode = .strict
        if (try? strict.skip()) != nil {
            position = strict.position
            return bytes[start..<position]
        }
        let value = try value()
        var writer = CborWriter()
        writer.write(value)
        return writer.bytes[...]
    }

    /// Passes over the next item and checks it as `value` does.
    public mutating func skip() throws(CborError) { try skip(depth: 0) }

    private mutating func skip(depth: Int) throws(CborError) {
        let start = position
        guard depth < CborReader.maxDepth else { throw CborError(.tooDeep, at: start) }
        let byte = try peek()
        switch Major(rawValue: byte >> 5) {
        case .unsigned, .negative: _ = try argument()
        case .bytes: _ = try string(.bytes)
        case .text: _ = try text()
        case .array: for _ in 0..<(try array()) { try skip(depth: depth + 1) }
        case .map:
            var previous: ArraySlice<UInt8>?
            for _ in 0..<(try map()) {
                let keyStart = position
                _ = try text()
                let key = bytes[keyStart..<position]
                if mode == .strict, let previous, !CborWriter.precedes(previous, key) {
                    throw CborError(.mapOrder, at: keyStart)
                }
                previous = key
                try skip(depth: depth + 1)
            }
        case .tag: _ = try link()
        case nil: _ = try simple()
        }
    }

    /// The next item by its real major type.
    public mutating func value() throws(CborError) -> CborValue { try value(depth: 0) }

    private mutating func value(depth: Int) throws(CborError) -> CborValue {
        let start = position
        guard depth < CborReader.maxDepth else { throw CborError(.tooDeep, at: start) }
        let byte = try peek()
        switch Major(rawValue: byte >> 5) {
        case .unsigned: return .unsigned(try argument())
        case .negative: return .negative(try argument())
        case .bytes: return .bytes(try byteString())
        case .text: return .text(try text())
        case .array:
            var elements: [CborValue] = []
            for _ in 0..<(try array()) { elements.append(try value(depth: depth + 1)) }
            return .array(elements)
        case .map:
            var entries: [CborValue.Entry] = []
            for _ in 0..<(try map()) {
                let keyStart = position
                let key = try text()
                if let previous = entries.last, mode == .strict,
                    !CborWriter.precedes(Array(previous.key.utf8)[...], Array(key.utf8)[...])
                {
                    throw CborError(.mapOrder, at: keyStart)
                }
                entries.append(CborValue.Entry(key: key, value: try value(depth: depth + 1)))
            }
            return .map(entries)
        case .tag: return .link(try link())
        case nil: return try simple()
        }
    }

    private mutating func simple() throws(CborError) -> CborValue {
        let start = position
        let byte = try peek()
        switch byte {
        case 0xf4, 0xf5: return .bool(try bool())
        case 0xf6:
            position += 1
            return .null
        case 0xfa where mode != .strict:
            return .float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try fixed(4)))))
        case 0xfb: return .float(Double(bitPattern: try fixed(8)))
        default: throw CborError(.unexpected(expected: "value", head: byte), at: start)
        }
    }

    private mutating func fixed(_ width: Int) throws(CborError) -> UInt64 {
        guard bytes.count - position > width else { throw CborError(.truncated, at: position) }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(bytes[position + index]) }
        position += 1 + width
        return value
    }
}
