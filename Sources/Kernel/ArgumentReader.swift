import Primitives

/// Why bytes are not the CBOR structure a syscall takes.
struct ArgumentError: Error, CustomStringConvertible {
    let offset: Int
    let rule: String

    var description: String { "\(rule) at 0x\(String(offset, radix: 16))" }
}

/// Reads the CBOR structures that actors hand to syscalls, with the reference's leniency (FVM machine
/// specification, section 17; serde_ipld_dagcbor 0.6).
///
/// Heads need not be minimal. Where a type is expected, the reference masks the major type away instead of
/// comparing it, so a head passes when its major type has no bit that the expected one lacks. Byte and text
/// strings may be indefinite; lists may not.
struct ArgumentReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private enum Major: UInt8 {
        case unsigned = 0
        case negative = 1
        case bytes = 2
        case text = 3
        case array = 4
        case tag = 6
    }

    private static let indefinite: UInt8 = 0x1F
    private static let breakByte: UInt8 = 0xFF

    private func error(_ rule: String) -> ArgumentError { ArgumentError(offset: position, rule: rule) }

    private func peek() throws(ArgumentError) -> UInt8 {
        guard position < bytes.count else { throw error("the data ends too early") }
        return bytes[position]
    }

    private mutating func take(_ count: UInt64) throws(ArgumentError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw error("\(count) bytes are not there") }
        let start = position
        position += Int(count)
        return bytes[start..<position]
    }

    /// A head whose major type is `major` or has a subset of its bits.
    private mutating func head(_ major: Major, _ what: String) throws(ArgumentError) -> UInt64 {
        let first = try peek()
        guard first >> 5 & ~major.rawValue == 0 else {
            throw error("\(what) expected, got head 0x\(hex(UInt32(first)))")
        }
        let info = first & 0x1F
        guard info <= 27 else { throw error("\(what) has head 0x\(hex(UInt32(first)))") }
        position += 1
        guard info >= 24 else { return UInt64(info) }
        return try take(1 << (info - 24)).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Nothing may follow.
    func end() throws(ArgumentError) {
        guard position == bytes.count else { throw error("\(bytes.count - position) bytes follow") }
    }

    mutating func u64() throws(ArgumentError) -> UInt64 { try head(.unsigned, "an unsigned integer") }

    /// An 8-bit number; its head may not be wider than that.
    mutating func u8() throws(ArgumentError) -> UInt8 {
        let first = try peek()
        guard first <= 24 else { throw error("an 8-bit integer expected, got head 0x\(hex(UInt32(first)))") }
        return UInt8(truncatingIfNeeded: try u64())
    }

    mutating func i64() throws(ArgumentError) -> Int64 {
        let isNegative = try peek() >> 5 == Major.negative.rawValue
        let start = position
        let magnitude = try head(isNegative ? .negative : .unsigned, "an integer")
        guard let value = Int64(exactly: magnitude) else {
            throw ArgumentError(offset: start, rule: "an integer that does not fit 64 bits")
        }
        return isNegative ? ~value : value
    }

    mutating func byteString() throws(ArgumentError) -> [UInt8] { try string(.bytes, "a byte string") }

    /// Text as its UTF-8.
    mutating func textString() throws(ArgumentError) -> [UInt8] {
        let start = position
        let text = try string(.text, "a text")
        guard String(validating: text, as: UTF8.self) != nil else {
            throw ArgumentError(offset: start, rule: "a text that is not UTF-8")
        }
        return text
    }

    private mutating func string(_ major: Major, _ what: String) throws(ArgumentError) -> [UInt8] {
        guard try peek() == major.rawValue << 5 | Self.indefinite else {
            return Array(try take(head(major, what)))
        }
        position += 1
        var whole: [UInt8] = []
        while try peek() != Self.breakByte { whole += try take(head(major, "a part of " + what)) }
        position += 1
        return whole
    }

    /// The head of a list that must have `count` elements.
    mutating func tuple(_ count: UInt64) throws(ArgumentError) {
        let start = position
        let found = try head(.array, "a list")
        guard found == count else {
            throw ArgumentError(offset: start, rule: "a list of \(found) elements, \(count) expected")
        }
    }

    /// A list of any length.
    mutating func list<T>(
        _ element: (inout ArgumentReader) throws(ArgumentError) -> T
    ) throws(ArgumentError) -> [T] {
        let count = try head(.array, "a list")
        // Every element has at least one byte, so this bounds what a head can make the host allocate.
        guard count <= UInt64(bytes.count - position) else { throw error("a list of \(count) elements is not there") }
        var all: [T] = []
        all.reserveCapacity(Int(min(count, 1024)))
        for _ in 0..<count { all.append(try element(&self)) }
        return all
    }

    /// A link: tag 42 over a byte string of a zero byte and a CID; bytes behind the CID are ignored.
    mutating func cid() throws(ArgumentError) -> Cid {
        let start = position
        guard try head(.tag, "a link") == 42 else {
            throw ArgumentError(offset: start, rule: "a tag that is not 42")
        }
        let content = try string(.bytes, "the bytes of a link")
        guard content.count >= 2, content[0] == 0 else {
            throw ArgumentError(offset: start, rule: "a link that does not start with a zero byte")
        }
        do throws(CidError) {
            var offset = 1
            return try Cid.read(content.span, at: &offset)
        } catch {
            throw ArgumentError(offset: start, rule: "a link whose \(error)")
        }
    }
}
