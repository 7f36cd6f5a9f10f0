/// A read position in a binary, bounded by the section or body that is being read.
struct Reader: ~Escapable {
    private let bytes: Span<UInt8>
    private(set) var position: Int
    /// Reading stops here; everything up to the end of the innermost sized part.
    private(set) var end: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    var offset: UInt32 { UInt32(truncatingIfNeeded: position) }
    var remaining: Int { end - position }
    var isAtEnd: Bool { position >= end }

    /// Narrows reading to the next `size` bytes and returns the previous bound, for `leave`.
    mutating func enter(size: UInt32, _ what: StaticString) throws(Refusal) -> Int {
        guard Int(size) <= remaining else {
            throw malformed("\(what) of \(size) bytes, \(remaining) bytes remain")
        }
        let outer = end
        end = position + Int(size)
        return outer
    }

    /// Widens reading again; everything inside must have been read.
    mutating func leave(to outer: Int, _ what: StaticString) throws(Refusal) {
        guard isAtEnd else { throw malformed("\(what) has \(remaining) bytes after its contents") }
        end = outer
    }

    func malformed(_ rule: String) -> Refusal { Refusal(stage: .decode, offset: offset, rule: rule) }

    mutating func byte() throws(Refusal) -> UInt8 {
        guard position < end else { throw malformed("unexpected end") }
        let value = bytes[position]
        position += 1
        return value
    }

    /// The next byte, not consumed.
    func peek() throws(Refusal) -> UInt8 {
        guard position < end else { throw malformed("unexpected end") }
        return bytes[position]
    }

    mutating func take(_ count: UInt32) throws(Refusal) -> [UInt8] {
        guard Int(count) <= remaining else { throw malformed("\(count) bytes wanted, \(remaining) remain") }
        let start = position
        position += Int(count)
        var taken: [UInt8] = []
        taken.reserveCapacity(Int(count))
        for index in start..<position { taken.append(bytes[index]) }
        return taken
    }

    mutating func skipToEnd() { position = end }

    /// LEB128 of a u32: at most 5 bytes, unused bits zero (core spec 5.2.2).
    mutating func u32() throws(Refusal) -> UInt32 {
        let first = try byte()
        if first < 0x80 { return UInt32(first) }
        return UInt32(truncatingIfNeeded: try unsigned(first, bits: 32))
    }

    private mutating func unsigned(_ first: UInt8, bits: Int) throws(Refusal) -> UInt64 {
        var value = UInt64(first & 0x7F)
        var shift = 7
        while true {
            let next = try byte()
            if shift + 7 > bits, next >> (bits - shift) != 0 {
                throw malformed(next & 0x80 != 0 ? "integer representation too long" : "integer too large")
            }
            value |= UInt64(next & 0x7F) << UInt64(shift)
            if next < 0x80 { return value }
            shift += 7
        }
    }

    /// Signed LEB128 of 32, 33 or 64 bits, sign-extended; unused bits repeat the sign.
    mutating func signed(bits: Int) throws(Refusal) -> Int64 {
        var value: UInt64 = 0
        var shift = 0
        while true {
            let next = try byte()
            value |= UInt64(next & 0x7F) << UInt64(shift)
            if shift + 7 >= bits {
                // The bits from the sign on upwards are all alike, and there is no further byte.
                let used = bits - shift
                let upper = Int8(bitPattern: next << 1) >> Int8(used)
                guard next & 0x80 == 0 else { throw malformed("integer representation too long") }
                guard upper == 0 || upper == -1 else { throw malformed("integer too large") }
                return Self.signExtend(value, bits: bits)
            }
            shift += 7
            if next < 0x80 { return Self.signExtend(value, bits: shift) }
        }
    }

    private static func signExtend(_ value: UInt64, bits: Int) -> Int64 {
        let unused = Int64(64 - bits)
        return (Int64(bitPattern: value) << unused) >> unused
    }

    /// Little-endian fixed width, for float constants.
    mutating func littleEndian(bytes count: Int) throws(Refusal) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(try byte()) << UInt64(8 * index) }
        return value
    }

    /// A vector's length. Every element takes a byte at least, so more elements than bytes cannot be.
    mutating func count(_ what: StaticString) throws(Refusal) -> Int {
        let count = try u32()
        guard Int(count) <= remaining else { throw malformed("\(count) \(what), only \(remaining) bytes remain") }
        return Int(count)
    }

    /// A name: length, then UTF-8 (core spec 5.2.4).
    mutating func name() throws(Refusal) -> Name {
        let length = try u32()
        guard UInt64(length) <= Limits.nameBytes else {
            throw malformed("name of \(length) bytes, limit \(Limits.nameBytes)")
        }
        let bytes = try take(length)
        guard Name.isValid(bytes) else { throw malformed("malformed UTF-8 encoding") }
        return Name(bytes: bytes)
    }
}

extension Name {
    /// Whether the bytes are UTF-8: shortest forms, no surrogates, nothing above U+10FFFF.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }
}
