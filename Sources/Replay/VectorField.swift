import JSON
import Primitives

/// A place in a vector's JSON that knows its own path, so that every complaint can name it.
struct VectorField {
    let value: JSONValue
    let path: String
    let file: String

    init(_ value: JSONValue, path: String = "", file: String) {
        self.value = value
        self.path = path
        self.file = file
    }

    func error(_ reason: String) -> VectorError { VectorError(file: file, field: path, reason: reason) }

    private var kind: String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .number(let text): "the number \(text.prefix(40))"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    // MARK: Structure

    /// The member `name`, or nil when it is absent or null, which mean the same.
    func optional(_ name: String) throws(VectorError) -> VectorField? {
        guard let field = try stated(name), !field.isNull else { return nil }
        return field
    }

    /// The member `name`, or nil when it is absent; null is a value.
    func stated(_ name: String) throws(VectorError) -> VectorField? {
        guard value.members != nil else { throw error("expected an object, found \(kind)") }
        guard let member = value[name] else { return nil }
        return VectorField(member, path: path.isEmpty ? name : "\(path).\(name)", file: file)
    }

    func member(_ name: String) throws(VectorError) -> VectorField {
        guard let field = try stated(name) else { throw error("field \"\(name)\" is missing") }
        return field
    }

    func elements() throws(VectorError) -> [VectorField] {
        guard let elements = value.array else { throw error("expected an array, found \(kind)") }
        return elements.enumerated().map { VectorField($1, path: "\(path)[\($0)]", file: file) }
    }

    /// The elements of an array that must have one for each message.
    func elements(count: Int) throws(VectorError) -> [VectorField] {
        let elements = try elements()
        guard elements.count == count else {
            throw error("\(elements.count) elements for \(count) messages")
        }
        return elements
    }

    var isNull: Bool { value.isNull }

    // MARK: Values

    func string() throws(VectorError) -> String {
        guard let text = value.string else { throw error("expected a string, found \(kind)") }
        return text
    }

    func boolean() throws(VectorError) -> Bool {
        guard let value = value.bool else { throw error("expected a boolean, found \(kind)") }
        return value
    }

    func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(VectorError) -> T {
        guard case .number(let text) = value else { throw error("expected an integer, found \(kind)") }
        guard let number = T(text) else {
            throw error("\(text.prefix(40)) is not an integer in \(T.min)...\(T.max)")
        }
        return number
    }

    /// An amount of attoFIL up to 2^128 − 1, written as a number.
    func amount() throws(VectorError) -> TokenAmount {
        guard case .number(let text) = value else { throw error("expected an integer, found \(kind)") }
        return try amount(text)
    }

    /// An amount of attoFIL of any size, written as a string.
    func amountText() throws(VectorError) -> TokenAmount {
        let text = try string()
        do throws(TokenAmountError) {
            return try TokenAmount(decimal: text)
        } catch {
            throw self.error("\(text.prefix(40)): \(error)")
        }
    }

    private func amount(_ text: String) throws(VectorError) -> TokenAmount {
        guard let amount = try? TokenAmount(decimal: text), amount.u128 != nil else {
            throw error("\(text.prefix(60)) is not an integer in 0...2^128 − 1")
        }
        return amount
    }

    func base64() throws(VectorError) -> [UInt8] {
        guard let bytes = Base64.decode(try string()) else { throw error("not base64 with padding") }
        return bytes
    }

    /// `{"/": "bafy…"}`.
    func link() throws(VectorError) -> Cid {
        let field = try member("/")
        let text = try field.string()
        do throws(CidError) {
            return try Cid(text: text)
        } catch {
            throw field.error("\(error)")
        }
    }
}
