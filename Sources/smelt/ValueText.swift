import WasmFormat

/// Text forms of WASM values on the command line: integers in decimal or hexadecimal, floats with nan and inf.
enum ValueText {
    /// The 64-bit slot for `text` as a value of `type` (i32 and f32 zero-extended), or nil when it is not one.
    /// Integers may be signed or unsigned as long as they fit the width.
    static func parse(_ text: String, as type: ValueType) -> UInt64? {
        switch type {
        case .i32: integer(text, bits: 32)
        case .i64: integer(text, bits: 64)
        case .f32: float(text, bits: 32)
        case .f64: float(text, bits: 64)
        case .funcref: nil
        }
    }

    /// A slot as text: integers signed, floats so that they read back to the same bits.
    static func format(_ slot: UInt64, as type: ValueType) -> String {
        switch type {
        case .i32: String(Int32(truncatingIfNeeded: slot))
        case .i64: String(Int64(bitPattern: slot))
        case .f32:
            special(slot & 0xFFFF_FFFF, bits: 32) ?? "\(Float(bitPattern: UInt32(truncatingIfNeeded: slot)))"
        case .f64: special(slot, bits: 64) ?? "\(Double(bitPattern: slot))"
        case .funcref: slot == 0 ? "ref.null" : "ref.func"
        }
    }

    private static func integer(_ text: String, bits: UInt64) -> UInt64? {
        let negative = text.hasPrefix("-")
        var digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - digits.count <= 1 else { return nil }
        let radix = digits.hasPrefix("0x") || digits.hasPrefix("0X") ? 16 : 10
        if radix == 16 { digits = digits.dropFirst(2) }
        let plain = String(digits.filter { $0 != "_" })
        guard plain.first?.isHexDigit == true, let magnitude = UInt64(plain, radix: radix) else { return nil }
        let mask: UInt64 = bits == 64 ? .max : 0xFFFF_FFFF
        if negative {
            guard magnitude <= (mask >> 1) + 1 else { return nil }
            return (0 &- magnitude) & mask
        }
        return magnitude <= mask ? magnitude : nil
    }

    /// Widths of the significand fields.
    private static func significand(_ bits: UInt64) -> UInt64 { bits == 32 ? 23 : 52 }

    private static func float(_ text: String, bits: UInt64) -> UInt64? {
        let sign: UInt64 = text.hasPrefix("-") ? 1 << (bits - 1) : 0
        let body = text.drop { $0 == "-" || $0 == "+" }.lowercased()
        guard text.count - body.count <= 1 else { return nil }
        let width = significand(bits)
        let exponent = ((1 << (bits - 1 - width)) - 1) << width as UInt64
        if body == "inf" || body == "infinity" { return sign | exponent }
        if body == "nan" { return sign | exponent | 1 << (width - 1) }
        if body.hasPrefix("nan:0x") {
            guard let payload = UInt64(body.dropFirst(6), radix: 16), payload > 0, payload < 1 << width else {
                return nil
            }
            return sign | exponent | payload
        }
        guard body.first?.isNumber == true || body.first == "." else { return nil }
        // A number beyond the range is none of this type; one too small for it rounds to zero.
        if bits == 32 { return Float(text).flatMap { $0.isFinite ? UInt64($0.bitPattern) : nil } }
        return Double(text).flatMap { $0.isFinite ? $0.bitPattern : nil }
    }

    /// What a text must be to be a value of `type`, for complaints.
    static func expectation(_ type: ValueType) -> String {
        switch type {
        case .i32: "an i32 (an integer from -2147483648 to 4294967295, or 0x…)"
        case .i64: "an i64 (an integer from -9223372036854775808 to 18446744073709551615, or 0x…)"
        case .f32, .f64: "an \(type) (a number within its range, inf, nan or nan:0xPAYLOAD)"
        case .funcref: "something that can be given: functions are no arguments"
        }
    }

    /// `inf`, `nan` and NaNs with another payload, which Swift's own text form does not tell apart.
    private static func special(_ slot: UInt64, bits: UInt64) -> String? {
        let width = significand(bits)
        let exponent = ((1 << (bits - 1 - width)) - 1) << width as UInt64
        guard slot & exponent == exponent else { return nil }
        let sign = slot >> (bits - 1) == 1 ? "-" : ""
        let payload = slot & ((1 << width) - 1)
        if payload == 0 { return sign + "inf" }
        return payload == 1 << (width - 1) ? sign + "nan" : sign + "nan:0x" + String(payload, radix: 16)
    }
}
