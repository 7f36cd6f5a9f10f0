import CYajl

/// Reading and writing of JSON text.
public enum JSON {
    /// The deepest nesting of arrays and objects that is read; values this deep are destroyed without trouble.
    public static let maxDepth = 512

    /// The one value that `text` (UTF-8) holds.
    ///
    /// - Throws: a `JSONError` for anything that is not exactly one JSON value, for nesting beyond `maxDepth`, and
    ///   for an object that has a name twice.
    public static func parse(_ text: [UInt8]) throws(JSONError) -> JSONValue {
        let builder = Builder()
        var callbacks = yajl_callbacks(
            yajl_null: { receiver($0).accept(.null) },
            yajl_boolean: { receiver($0).accept(.bool($1 != 0)) },
            yajl_integer: nil,
            yajl_double: nil,
            yajl_number: { context, start, length in
                receiver(context).text(start, length) { $0.accept(.number($1)) }
            },
            yajl_string: { context, start, length in
                receiver(context).text(start, length) { $0.accept(.string($1)) }
            },
            yajl_start_map: { receiver($0).open(object: true) },
            yajl_map_key: { context, start, length in
                receiver(context).text(start, length) { $0.name($1) }
            },
            yajl_end_map: { receiver($0).close() },
            yajl_start_array: { receiver($0).open(object: false) },
            yajl_end_array: { receiver($0).close() })
        // The parser keeps pointers to the callbacks and the builder; both outlive it.
        return try withExtendedLifetime(builder) { () throws(JSONError) -> JSONValue in
            guard
                let parser = yajl_alloc(&callbacks, nil, Unmanaged.passUnretained(builder).toOpaque())
            else { throw JSONError(reason: .syntax("no memory for the parser"), line: 1, offset: 0) }
            defer { yajl_free(parser) }
            var status = yajl_parse(parser, text, text.count)
            var offset = min(Int(yajl_get_bytes_consumed(parser)), text.count)
            if status == yajl_status_ok {
                status = yajl_complete_parse(parser)
                offset = text.count
            }
            if status == yajl_status_ok, let value = builder.result { return value }
            let line = 1 + text[..<offset].count { $0 == UInt8(ascii: "\n") }
            let reason = builder.refusal ?? .syntax(message(parser))
            throw JSONError(reason: reason, line: line, offset: offset)
        }
    }

    /// The parser's words on one line, without its prefix.
    private static func message(_ parser: yajl_handle) -> String {
        guard let text = yajl_get_error(parser, 0, nil, 0) else { return "not JSON" }
        defer { yajl_free_error(parser, text) }
        let words = String(cString: text).split { $0 == "\n" }.joined(separator: " ")
        for prefix in ["parse error: ", "lexical error: "] where words.hasPrefix(prefix) {
            return String(words.dropFirst(prefix.count))
        }
        return words.isEmpty || words == "unknown error code" ? "text ends inside a value" : words
    }
}

/// The builder behind the pointer that was given to the parser.
private func receiver(_ context: UnsafeMutableRawPointer?) -> Builder {
    guard let context else { return Builder() }
    return Unmanaged<Builder>.fromOpaque(context).takeUnretainedValue()
}

/// Puts the parser's events together; returns 0 to a callback's caller to stop the parser.
private final class Builder {
    private enum Container {
        case array([JSONValue])
        case object([JSONValue.Member])
    }

    private struct Level {
        var container: Container
        var pendingName: String?
        /// Filled only for objects too large to be scanned for each name.
        var names: Set<String> = []
    }

    private static let largeObject = 16

    private var levels: [Level] = []
    private(set) var result: JSONValue?
    private(set) var refusal: JSONError.Reason?

    /// Passes on text from the parser, which is not terminated and lets some bytes through that are no UTF-8.
    func text(_ start: UnsafeRawPointer?, _ length: Int, _ use: (Builder, String) -> Int32) -> Int32 {
        guard let text = String(validating: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self) else {
            refusal = .syntax("text is not UTF-8")
            return 0
        }
        return use(self, text)
    }

    func accept(_ value: JSONValue) -> Int32 {
        let top = levels.count - 1
        guard top >= 0 else {
            result = value
            return 1
        }
        // The container is taken out of its enum while it grows, so that it is not copied each time.
        switch levels[top].container {
        case .array(var elements):
            levels[top].container = .array([])
            elements.append(value)
            levels[top].container = .array(elements)
        case .object(var members):
            levels[top].container = .object([])
            members.append(JSONValue.Member(levels[top].pendingName ?? "", value))
            levels[top].container = .object(members)
        }
        return 1
    }

    func name(_ name: String) -> Int32 {
        let top = levels.count - 1
        guard top >= 0, case .object(let members) = levels[top].container else { return 0 }
        let duplicate: Bool
        if members.count < Builder.largeObject {
            duplicate = members.contains { $0.name == name }
        } else {
            if levels[top].names.isEmpty { levels[top].names = Set(members.map(\.name)) }
            duplicate = !levels[top].names.insert(name).inserted
        }
        guard !duplicate else {
            refusal = .duplicateName(name)
            return 0
        }
        levels[top].pendingName = name
        return 1
    }

    func open(object: Bool) -> Int32 {
        guard levels.count < JSON.maxDepth else {
            refusal = .tooDeep
            return 0
        }
        levels.append(Level(container: object ? .object([]) : .array([])))
        return 1
    }

    func close() -> Int32 {
        guard let level = levels.popLast() else { return 0 }
        switch level.container {
        case .array(let elements): return accept(.array(elements))
        case .object(let members): return accept(.object(members))
        }
    }
}
