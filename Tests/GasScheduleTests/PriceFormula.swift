import JSON

/// Evaluates the charge formulas of the shared `prices.json` (its `expression_language`), independently of the
/// product's code: the product is compared with what the formulas say.
struct PriceFormula {
    /// The list's constants and counts.
    let constants: JSONValue
    let nonGasConstants: JSONValue
    let arguments: [String: Value]

    enum Value {
        case number(UInt64)
        case name(String)
        case json(JSONValue)
    }

    struct Failure: Error {
        var text: String
    }

    private enum Token: Equatable {
        case number(UInt64)
        case name(String)
        case string(String)
        case symbol(Character)
    }

    func evaluate(_ text: String) throws -> UInt64 {
        var tokens = try Self.tokens(text)[...]
        let value = try number(sum(&tokens))
        guard tokens.isEmpty else { throw Failure(text: "left over: \(tokens)") }
        return value
    }

    private static func tokens(_ text: String) throws -> [Token] {
        var rest = text[...]
        var tokens: [Token] = []
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first.isNumber {
                let digits = rest.prefix { $0.isNumber }
                guard let value = UInt64(digits) else { throw Failure(text: "number \(digits)") }
                tokens.append(.number(value))
                rest.removeFirst(digits.count)
            } else if first.isLetter {
                let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
                tokens.append(.name(String(name)))
                rest.removeFirst(name.count)
            } else if first == "\"" {
                let quoted = rest.dropFirst().prefix { $0 != "\"" }
                tokens.append(.string(String(quoted)))
                rest.removeFirst(quoted.count + 2)
            } else {
                tokens.append(.symbol(first))
                rest.removeFirst()
            }
        }
        return tokens
    }

    private func number(_ value: Value) throws -> UInt64 {
        switch value {
        case .number(let number): return number
        case .json(let json):
            guard let number = json.integer(UInt64.self) else { throw Failure(text: "\(json) is no number") }
            return number
        case .name(let name): throw Failure(text: "\(name) is no number")
        }
    }

    private func sum(_ tokens: inout ArraySlice<Token>) throws -> Value {
        var left = try product(&tokens)
        while let symbol = tokens.first, symbol == .symbol("+") || symbol == .symbol(">") {
            tokens.removeFirst()
            let a = try number(left)
            let b = try number(product(&tokens))
            left = symbol == .symbol(">") ? .number(a > b ? 1 : 0) : .number(saturated(a.addingReportingOverflow(b)))
        }
        return left
    }

    private func product(_ tokens: inout ArraySlice<Token>) throws -> Value {
        var left = try atom(&tokens)
        while tokens.first == .symbol("*") {
            tokens.removeFirst()
            left = .number(saturated(try number(left).multipliedReportingOverflow(by: number(atom(&tokens)))))
        }
        return left
    }

    private func saturated(_ result: (partialValue: UInt64, overflow: Bool)) -> UInt64 {
        result.overflow ? .max : result.partialValue
    }

    private func atom(_ tokens: inout ArraySlice<Token>) throws -> Value {
        switch tokens.popFirst() {
        case .number(let value): return .number(value)
        case .string(let name): return .name(name)
        case .symbol("("):
            let value = try sum(&tokens)
            try expect(")", &tokens)
            return value
        case .name(let name):
            guard tokens.first == .symbol("(") else { return try variable(name) }
            tokens.removeFirst()
            var values: [Value] = []
            while tokens.first != .symbol(")") {
                values.append(try sum(&tokens))
                if tokens.first == .symbol(",") { tokens.removeFirst() }
            }
            tokens.removeFirst()
            return try call(name, values)
        case let token: throw Failure(text: "\(String(describing: token))")
        }
    }

    private func expect(_ symbol: Character, _ tokens: inout ArraySlice<Token>) throws {
        guard tokens.popFirst() == .symbol(symbol) else { throw Failure(text: "\(symbol) expected") }
    }

    private func variable(_ name: String) throws -> Value {
        if let value = arguments[name] { return value }
        var value: JSONValue? = constants
        for part in name.split(separator: ".") { value = value?[String(part)] }
        guard let found = value ?? nonGasConstants[name] else { throw Failure(text: "no value \(name)") }
        return .json(found)
    }

    private func call(_ name: String, _ values: [Value]) throws -> Value {
        switch (name, values.count) {
        case ("apply", 2):
            let n = try number(values[1])
            let flat = try number(field(values[0], "flat"))
            let scale = try number(field(values[0], "scale"))
            return .number(
                saturated(flat.addingReportingOverflow(saturated(scale.multipliedReportingOverflow(by: n)))))
        case ("sub", 2):
            let a = try number(values[0])
            let b = try number(values[1])
            return .number(a > b ? a - b : 0)
        case ("min", 2): return .number(min(try number(values[0]), try number(values[1])))
        case ("if", 3): return try number(values[0]) != 0 ? values[1] : values[2]
        case ("as_u64", 1): return values[0]
        case ("lookup", 2), ("lookup_or", 3):
            guard case .json(let map) = values[0], case .name(let key) = values[1] else {
                throw Failure(text: "lookup")
            }
            if let found = map[key] { return .json(found) }
            guard case .name(let other) = values.last, let found = map[other] else { throw Failure(text: key) }
            return .json(found)
        case ("step", 2):
            guard case .json(let table) = values[0], let rows = table.array else { throw Failure(text: "step") }
            let n = try number(values[1])
            var cost: UInt64 = 0
            for row in rows where try number(field(.json(row), "start")) <= n {
                cost = try number(field(.json(row), "cost"))
            }
            return .number(cost)
        default: throw Failure(text: "function \(name)")
        }
    }

    private func field(_ value: Value, _ name: String) throws -> Value {
        guard case .json(let json) = value, let field = json[name] else { throw Failure(text: "no \(name)") }
        return .json(field)
    }
}
