/// A node of a script's text: where it stands and what it is made of.
struct SExpression {
    enum Content {
        /// A keyword, number or identifier.
        case atom(String)
        /// A string literal, as written, quotes included.
        case string
        case list([SExpression])
    }
    /// Byte range in the text.
    var range: Range<Int>
    var content: Content

    var atom: String? { if case .atom(let text) = content { text } else { nil } }
    var isString: Bool { if case .string = content { true } else { false } }
    var items: [SExpression]? { if case .list(let items) = content { items } else { nil } }
    /// The first atom of a list.
    var head: String? { items?.first?.atom }

    func list(_ head: String) -> [SExpression]? { self.head == head ? items : nil }
}

/// Why a script's text cannot be read.
struct ScriptTextError: Error, CustomStringConvertible {
    let offset: Int
    let rule: String
    var description: String { "at byte \(offset): \(rule)" }
}

/// Splits a script into its forms. No grammar of modules: only what the rewriting of single forms needs.
struct SExpressionReader {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    /// All top-level forms.
    static func read(_ text: [UInt8]) throws(ScriptTextError) -> [SExpression] {
        var reader = SExpressionReader(text)
        // Open lists with their start; an explicit stack, so that depth is no matter.
        var open: [(start: Int, items: [SExpression])] = [(0, [])]
        while try reader.skipSpace() {
            let start = reader.position
            switch text[start] {
            case UInt8(ascii: "("):
                reader.position += 1
                open.append((start, []))
            case UInt8(ascii: ")"):
                reader.position += 1
                guard open.count > 1, let list = open.popLast() else {
                    throw ScriptTextError(offset: start, rule: "a list ends that was not opened")
                }
                open[open.count - 1].items.append(
                    SExpression(range: list.start..<reader.position, content: .list(list.items)))
            case UInt8(ascii: "\""):
                try reader.skipString()
                open[open.count - 1].items.append(
                    SExpression(range: start..<reader.position, content: .string))
            default:
                reader.skipAtom()
                let word = String(decoding: text[start..<reader.position], as: UTF8.self)
                open[open.count - 1].items.append(
                    SExpression(range: start..<reader.position, content: .atom(word)))
            }
        }
        guard open.count == 1 else {
            throw ScriptTextError(offset: open[open.count - 1].start, rule: "the list that starts here does not end")
        }
        return open[0].items
    }

    /// Skips white space and comments; false at the end of the text.
    private mutating func skipSpace() throws(ScriptTextError) -> Bool {
        while position < text.count {
            let next = position + 1 < text.count ? text[position + 1] : 0
            switch (text[position], next) {
            case (UInt8(ascii: " "), _), (9, _), (10, _), (13, _):
                position += 1
            case (UInt8(ascii: ";"), UInt8(ascii: ";")):
                while position < text.count, text[position] != 10 { position += 1 }
            case (UInt8(ascii: "("), UInt8(ascii: ";")):
                try skipBlockComment()
            default:
                return true
            }
        }
        return false
    }

    private mutating func skipBlockComment() throws(ScriptTextError) {
        let start = position
        var depth = 0
        repeat {
            guard position + 1 < text.count else {
                throw ScriptTextError(offset: start, rule: "the comment that starts here does not end")
            }
            switch (text[position], text[position + 1]) {
            case (UInt8(ascii: "("), UInt8(ascii: ";")):
                depth += 1
                position += 2
            case (UInt8(ascii: ";"), UInt8(ascii: ")")):
                depth -= 1
                position += 2
            default:
                position += 1
            }
        } while depth > 0
    }

    private mutating func skipString() throws(ScriptTextError) {
        let start = position
        position += 1
        while position < text.count, text[position] != UInt8(ascii: "\"") {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < text.count else {
            throw ScriptTextError(offset: start, rule: "the string that starts here does not end")
        }
        position += 1
    }

    private mutating func skipAtom() {
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: " "), 9, 10, 13, UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""),
                UInt8(ascii: ";"):
                return
            default: position += 1
            }
        }
    }
}
