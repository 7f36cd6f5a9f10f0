/// Rewrites the few forms of the official scripts that wabt 1.0.32 does not read into equal ones that it does.
///
/// Every edit stays on its line, so that line numbers in results are those of the official files.
struct ScriptRewriter {
    /// What was rewritten how often, in the order of the enum.
    enum Form: String, CaseIterable {
        /// `assert_return_canonical_nan` and `_arithmetic_nan` of wg-1.0.
        case nanAssertion = "NaN assertion"
        /// Table operators that leave out table index 0.
        case tableIndex = "left out table index"
        /// Folded `if` with more than one condition expression.
        case foldedIf = "folded if"
        /// `(module quote …)` to be run: its text is put in place, since wabt takes no lone CR as a new line.
        case quotedModule = "quoted module"
        /// `(elem $table …)` of wg-1.0, which now would name the segment.
        case elementTable = "table name in elem"
    }

    private struct Edit {
        var range: Range<Int>
        var text: [UInt8]
    }

    private let text: [UInt8]
    private let isFirstEdition: Bool
    private var edits: [Edit] = []
    private var counts: [Form: Int] = [:]
    /// Result type of each function exported by the current module, for the NaN assertions.
    private var results: [String: String] = [:]

    private init(_ text: [UInt8], isFirstEdition: Bool) {
        self.text = text
        self.isFirstEdition = isFirstEdition
    }

    /// - Parameter isFirstEdition: the script is of wg-1.0.
    static func rewrite(
        _ text: [UInt8], isFirstEdition: Bool
    ) throws(ScriptTextError) -> (text: [UInt8], forms: [(form: Form, count: Int)]) {
        var rewriter = ScriptRewriter(text, isFirstEdition: isFirstEdition)
        for form in try SExpressionReader.read(text) { try rewriter.command(form) }
        let forms = Form.allCases.compactMap { form in rewriter.counts[form].map { (form, $0) } }
        return (rewriter.applied(), forms)
    }

    private mutating func command(_ form: SExpression) throws(ScriptTextError) {
        switch form.head {
        case "module":
            if let quoted = quotedText(form) {
                note(.quotedModule, form.range, with: Array("(module ".utf8) + quoted + Array(")".utf8))
                return
            }
            results = exportedResults(form)
            walk(form)
        case "assert_return_canonical_nan": try nanAssertion(form, "nan:canonical")
        case "assert_return_arithmetic_nan": try nanAssertion(form, "nan:arithmetic")
        case "assert_malformed": break
        default:
            for item in form.items ?? [] where item.head == "module" { walk(item) }
        }
    }

    // MARK: Single forms

    private mutating func nanAssertion(_ form: SExpression, _ pattern: String) throws(ScriptTextError) {
        guard let items = form.items, items.count == 2, let invoke = items[1].list("invoke"), invoke.count >= 2,
            let type = results[source(invoke[1])]
        else { throw ScriptTextError(offset: form.range.lowerBound, rule: "\(form.head ?? "") of an unknown function") }
        note(.nanAssertion, items[0].range, with: Array("assert_return".utf8))
        edits.append(
            Edit(
                range: items[1].range.upperBound..<items[1].range.upperBound,
                text: Array(" (\(type).const \(pattern))".utf8)))
    }

    /// Functions with an inline export and one result.
    private func exportedResults(_ module: SExpression) -> [String: String] {
        var results: [String: String] = [:]
        for field in module.items ?? [] where field.head == "func" {
            let parts = field.items ?? []
            guard let result = parts.lazy.compactMap({ $0.list("result") }).first, result.count == 2,
                let type = result[1].atom
            else { continue }
            for case let export? in parts.map({ $0.list("export") }) where export.count == 2 {
                results[source(export[1])] = type
            }
        }
        return results
    }

    /// The text of a quoted module, lone carriage returns made line feeds. Nil for another module.
    private func quotedText(_ module: SExpression) -> [UInt8]? {
        guard let items = module.items, items.count >= 2, items[1].atom == "quote" else { return nil }
        var unquoted: [UInt8] = []
        for item in items.dropFirst(2) where item.isString {
            var bytes = text[item.range].dropFirst().dropLast()
            while let byte = bytes.popFirst() {
                guard byte == UInt8(ascii: "\\"), let next = bytes.popFirst() else {
                    unquoted.append(byte)
                    continue
                }
                switch next {
                case UInt8(ascii: "n"): unquoted.append(10)
                case UInt8(ascii: "t"): unquoted.append(9)
                case UInt8(ascii: "r"): unquoted.append(13)
                case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): unquoted.append(next)
                default:
                    let digits = String(decoding: [next] + bytes.prefix(1), as: UTF8.self)
                    bytes = bytes.dropFirst()
                    unquoted.append(UInt8(digits, radix: 16) ?? UInt8(ascii: "?"))
                }
            }
            unquoted.append(UInt8(ascii: " "))
        }
        return unquoted.map { $0 == 13 ? 10 : $0 }
    }

    private static let tableOperators: Set<String> = [
        "table.get", "table.set", "table.size", "table.grow", "table.fill",
    ]

    /// Looks for forms to rewrite inside a module.
    private mutating func walk(_ module: SExpression) {
        var pending = [module]
        while let node = pending.popLast() {
            guard let items = node.items else { continue }
            for (index, item) in items.enumerated() {
                guard let atom = item.atom, Self.tableOperators.contains(atom) else { continue }
                let next = index + 1 < items.count ? items[index + 1].atom : nil
                if let next, next.hasPrefix("$") || next.first?.isNumber == true { continue }
                note(.tableIndex, item.range.upperBound..<item.range.upperBound, with: Array(" 0".utf8))
            }
            if node.head == "if" { hoistConditions(items, of: node) }
            if node.head == "elem", isFirstEdition, items.count > 2, items[1].atom?.hasPrefix("$") == true,
                items[2].items != nil
            {
                note(.elementTable, items[1].range, with: [])
            }
            pending += items
        }
    }

    /// `(if c1 c2 (then …))` becomes `c1 (if c2 (then …))`.
    private mutating func hoistConditions(_ items: [SExpression], of node: SExpression) {
        let heads: Set<String?> = ["type", "param", "result", "then", "else"]
        let conditions = items.filter { $0.items != nil && !heads.contains($0.head) }
        guard conditions.count > 1, items.contains(where: { $0.head == "then" }) else { return }
        let hoisted = conditions.dropLast()
        let prefix = hoisted.map(source).joined(separator: " ") + " "
        note(.foldedIf, node.range.lowerBound..<node.range.lowerBound, with: Array(prefix.utf8))
        for condition in hoisted { edits.append(Edit(range: condition.range, text: [])) }
    }

    // MARK: Edits

    private func source(_ node: SExpression) -> String { String(decoding: text[node.range], as: UTF8.self) }

    private mutating func note(_ form: Form, _ range: Range<Int>, with replacement: [UInt8]) {
        counts[form, default: 0] += 1
        edits.append(Edit(range: range, text: replacement))
    }

    private func applied() -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            result += text[position..<edit.range.lowerBound]
            result += edit.text
            // A replaced form gives way to the same number of lines.
            let lines = text[edit.range].count { $0 == 10 } - edit.text.count { $0 == 10 }
            result += Array(repeating: 10, count: max(0, lines))
            position = edit.range.upperBound
        }
        return result + text[position...]
    }
}
