extension JSONValue {
    /// How a value is laid out as text.
    public enum Layout: Sendable {
        /// One line without spaces.
        case compact
        /// One member or element a line, two spaces a level; empty containers stay on their line.
        case indented
    }

    /// The value as JSON text; members in their order, so equal values give equal text.
    public func text(_ layout: Layout = .compact) -> String {
        var out: [UInt8] = []
        write(to: &out, layout)
        return String(decoding: out, as: UTF8.self)
    }

    /// Appends the value as JSON text (UTF-8) to `out`.
    public func write(to out: inout [UInt8], _ layout: Layout = .compact, level: Int = 0) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): JSON.quote(text, to: &out)
        case .array(let elements):
            JSONValue.writeItems(elements, "[", "]", to: &out, layout, level) { element, out in
                element.write(to: &out, layout, level: level + 1)
            }
        case .object(let members):
            JSONValue.writeItems(members, "{", "}", to: &out, layout, level) { member, out in
                JSON.quote(member.name, to: &out)
                out.append(UInt8(ascii: ":"))
                if layout == .indented { out.append(UInt8(ascii: " ")) }
                member.value.write(to: &out, layout, level: level + 1)
            }
        }
    }

    private static func writeItems<Item>(
        _ items: [Item], _ open: Unicode.Scalar, _ close: Unicode.Scalar, to out: inout [UInt8], _ layout: Layout,
        _ level: Int, _ write: (Item, inout [UInt8]) -> Void
    ) {
        func newLine(_ level: Int) {
            out.append(UInt8(ascii: "\n"))
            for _ in 0..<level { out.append(contentsOf: "  ".utf8) }
        }
        out.append(UInt8(ascii: open))
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            if layout == .indented { newLine(level + 1) }
            write(item, &out)
        }
        if layout == .indented && !items.isEmpty { newLine(level) }
        out.append(UInt8(ascii: close))
    }
}

extension JSON {
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Appends `text` in quotes; quote, backslash and control characters are escaped, nothing else (RFC 8259).
    public static func quote(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): out.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
            case 0x08: out.append(contentsOf: "\\b".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0x0a: out.append(contentsOf: "\\n".utf8)
            case 0x0c: out.append(contentsOf: "\\f".utf8)
            case 0x0d: out.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                out.append(contentsOf: "\\u00".utf8)
                out.append(hexDigits[Int(byte >> 4)])
                out.append(hexDigits[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
