/// An ordered list of `name value` lines: the one text form of manifests, store entries and worker messages.
///
/// It is canonical, so equal lists have equal bytes and a digest of the bytes is a digest of the list: `decode`
/// refuses every text that `encoded` would not write. Names are lower-case letters, digits and hyphens. In values
/// a backslash, and every byte below 0x20 or equal to 0x7f, stands as `\xHH`, so a line is a line.
public struct FieldText: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: String
    }

    public private(set) var fields: [Field] = []

    public init() {}

    public init(_ fields: KeyValuePairs<String, String>) {
        for (name, value) in fields { append(name, value) }
    }

    public mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    public mutating func append(_ name: String, _ value: some BinaryInteger) {
        append(name, String(value))
    }

    /// Takes the last field off when it has that name; its value.
    public mutating func removeLast(_ name: String) -> String? {
        guard fields.last?.name == name else { return nil }
        return fields.removeLast().value
    }

    /// The value of the first field of that name.
    public func first(_ name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// The values of all fields of that name, in order.
    public func all(_ name: String) -> [String] {
        fields.compactMap { $0.name == name ? $0.value : nil }
    }

    /// The value of the first field of that name as a decimal number without leading zeros or sign.
    public func number<T: FixedWidthInteger>(_ name: String, as type: T.Type = T.self) -> T? {
        first(name).flatMap { decimal($0) }
    }

    /// The text.
    public var encoded: [UInt8] {
        var out: [UInt8] = []
        for field in fields {
            out.append(contentsOf: field.name.utf8)
            out.append(UInt8(ascii: " "))
            for byte in field.value.utf8 {
                if FieldText.isEscaped(byte) {
                    out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x")])
                    out.append(contentsOf: hexDigits(of: byte))
                } else {
                    out.append(byte)
                }
            }
            out.append(UInt8(ascii: "\n"))
        }
        return out
    }

    /// Reads a text; nil when it is not exactly what `encoded` writes for some list.
    public static func decode(_ bytes: some Collection<UInt8>) -> FieldText? {
        var text = FieldText()
        var line: [UInt8] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            guard let field = decodeLine(line) else { return nil }
            text.fields.append(field)
            line.removeAll(keepingCapacity: true)
        }
        return line.isEmpty ? text : nil
    }

    private static func decodeLine(_ line: [UInt8]) -> Field? {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), space > 0, line[..<space].allSatisfy(isName) else {
            return nil
        }
        var value: [UInt8] = []
        var index = space + 1
        while index < line.count {
            let byte = line[index]
            guard isEscaped(byte) else {
                value.append(byte)
                index += 1
                continue
            }
            guard byte == UInt8(ascii: "\\"), index + 3 < line.count, line[index + 1] == UInt8(ascii: "x"),
                let high = hexValue(line[index + 2]), let low = hexValue(line[index + 3]), isEscaped(high << 4 | low)
            else { return nil }
            value.append(high << 4 | low)
            index += 4
        }
        guard let text = String(validating: value, as: UTF8.self) else { return nil }
        return Field(name: String(decoding: line[..<space], as: UTF8.self), value: text)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "\\")
    }
}

/// A decimal number as this format writes it: digits only, no leading zero.
func decimal<T: FixedWidthInteger>(_ text: String) -> T? {
    guard let value = T(text), String(value) == text else { return nil }
    return value
}

/// Two lower-case hexadecimal digits.
func hexDigits(of byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
}

/// The value of a lower-case hexadecimal digit.
func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
}
