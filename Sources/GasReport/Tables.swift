import JSON

extension JSONValue {
    /// A number with a fixed number of decimals; null for one that is not finite.
    static func rounded(_ value: Double, _ decimals: Int) -> JSONValue {
        value.isFinite ? .number(Decimal.text(value, decimals)) : .null
    }
}

/// Numbers as text.
enum Decimal {
    /// With a fixed number of decimals, rounded to nearest; the value is finite and below 2^53 in magnitude scaled.
    static func text(_ value: Double, _ decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = UInt64(scaled)
        let divisor = UInt64(scale)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(whole)" }
        let fraction = String(whole % divisor)
        return "\(sign)\(whole / divisor)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}

/// Comma-separated values as RFC 4180 has them.
public enum CSV {
    /// A table whose rows are objects with the same members.
    public static func text(_ rows: JSONValue) -> String {
        let rows = rows.array ?? []
        guard let columns = rows.first?.members?.map(\.name) else { return "" }
        var lines = [columns.map(field).joined(separator: ",")]
        for row in rows { lines.append(columns.map { cell(row[$0]) }.joined(separator: ",")) }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private static func cell(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: ""
        case .string(let text): field(text)
        case .number(let text): text
        case .bool(let bool): bool ? "true" : "false"
        case .some(let other): field(other.text(.compact))
        }
    }

    private static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
