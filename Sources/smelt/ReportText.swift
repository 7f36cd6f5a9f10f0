import JSON

/// Renders a report, which is one JSON value, as text for people: members a line, arrays of objects as tables.
enum ReportText {
    static func render(_ report: JSONValue) -> String {
        var lines: [String] = []
        append(report, name: nil, level: 0, to: &lines)
        return lines.joined(separator: "\n")
    }

    private static func append(_ value: JSONValue, name: String?, level: Int, to lines: inout [String]) {
        let indent = String(repeating: "  ", count: level)
        let label = name.map { indent + words($0) }
        switch value {
        case .object(let members):
            if let label { lines.append(label + ":") }
            for member in members where !member.value.isNull && member.name != "schema" {
                append(member.value, name: member.name, level: name == nil ? level : level + 1, to: &lines)
            }
        case .array(let elements):
            guard let first = elements.first else { return lines.append((label ?? indent) + ": none") }
            if let columns = first.members?.map(\.name) {
                lines.append((label ?? indent) + ":")
                lines.append(contentsOf: table(elements, columns: columns, indent: indent + "  "))
            } else {
                lines.append((label ?? indent) + ": " + elements.map(scalar).joined(separator: ", "))
            }
        default:
            lines.append((label.map { $0 + ": " } ?? indent) + scalar(value))
        }
    }

    private static func table(_ rows: [JSONValue], columns: [String], indent: String) -> [String] {
        let cells = [columns.map(words)] + rows.map { row in columns.map { row[$0].map(scalar) ?? "" } }
        let numeric = columns.indices.map { column in
            rows.allSatisfy { $0[columns[column]]?.numberText != nil || $0[columns[column]]?.isNull ?? true }
        }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            var line = indent
            for (column, text) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - text.count)
                line += (numeric[column] ? padding + text : text + padding) + "  "
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .bool(let bool): bool ? "yes" : "no"
        case .number(let text): text
        case .string(let text): text
        case .array(let elements): elements.map(scalar).joined(separator: " ")
        case .object(let members): members.map { "\(words($0.name)) \(scalar($0.value))" }.joined(separator: ", ")
        }
    }

    /// `stack_cost` as `stack cost`.
    private static func words(_ name: String) -> String {
        String(name.map { $0 == "_" ? " " : $0 })
    }
}
