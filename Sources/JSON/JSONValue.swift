/// A JSON document's content. Numbers stay text, so nothing is lost of 27 digits or of 2^64 − 1; objects keep the
/// order of the text.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As written; valid JSON number syntax.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One name and value of an object.
    public struct Member: Hashable, Sendable {
        /// Without escapes.
        public var name: String
        /// Any value.
        public var value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// An object of pairs in the order given.
    public static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(members.map { Member($0.key, $0.value) })
    }

    /// A whole number.
    public static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

    /// The value of an object's member; nil when there is none or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text of a string; nil for any other kind.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The value of a boolean; nil for any other kind.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements of an array; nil for any other kind.
    public var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members of an object; nil for any other kind.
    public var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// A number's text as written, for values beyond 64 bits.
    public var numberText: String? {
        if case .number(let text) = self { text } else { nil }
    }

    /// Whether this is null.
    public var isNull: Bool { self == .null }

    /// The number when it is whole, written without fraction and exponent, and fits; nil otherwise, never rounded.
    public func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        guard case .number(let text) = self else { return nil }
        return T(text)
    }
}

/// Where and why text is not JSON, or not JSON that is accepted here.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        /// The parser's words.
        case syntax(String)
        case tooDeep
        case duplicateName(String)
    }

    /// What is wrong.
    public var reason: Reason
    /// Counted from 1.
    public var line: Int
    /// Bytes from the start.
    public var offset: Int

    public init(reason: Reason, line: Int, offset: Int) {
        self.reason = reason
        self.line = line
        self.offset = offset
    }

    public var description: String {
        let what =
            switch reason {
            case .syntax(let text): text
            case .tooDeep: "nesting is deeper than \(JSON.maxDepth)"
            case .duplicateName(let name): "object names \"\(name)\" twice"
            }
        return "line \(line), offset \(offset): \(what)"
    }
}
