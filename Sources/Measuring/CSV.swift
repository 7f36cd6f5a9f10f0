import JSON
import Statistics

/// Comma-separated values as RFC 4180 has them.
public enum CSV {
    /// A table whose rows are objects with the same members. An estimate takes three columns: its value has the name,
    /// its ends the name with `_low` and `_high`.
    public static func text(_ rows: JSONValue) -> String {
        let rows = rows.array ?? []
        guard let names = rows.first?.members?.map(\.name) else { return "" }
        let estimates = Set(names.filter { name in rows.contains { Estimate(json: $0[name]) != nil } })
        let header = names.flatMap { estimates.contains($0) ? [$0, "\($0)_low", "\($0)_high"] : [$0] }
        var lines = [header.map(field).joined(separator: ",")]
        for row in rows {
            let cells = names.flatMap { name -> [String] in
                guard estimates.contains(name) else { return [cell(row[name])] }
                return ["value", "low", "high"].map { cell(row[name]?[$0]) }
            }
            lines.append(cells.joined(separator: ","))
        }
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
