import Foundation
import JSON
import WasmFormat

/// A script of the official suites.
public struct ScriptFile: Sendable, Hashable {
    /// "wg-1.0" or "wg-2.0".
    public let suite: String
    /// "address", without extension.
    public let name: String
    public let path: String

    public init(suite: String, name: String, path: String) {
        self.suite = suite
        self.name = name
        self.path = path
    }

    /// "wg-1.0/address".
    public var title: String { suite + "/" + name }

    /// The scripts below `root`, in order of suite and name.
    public static func all(below root: String) throws(SuiteFailure) -> [ScriptFile] {
        var files: [ScriptFile] = []
        for suite in ["wg-1.0", "wg-2.0"] {
            let folder = root + "/" + suite
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
                throw SuiteFailure("\(folder): no such folder (set SMELT_SHARED)")
            }
            for name in names.sorted() where name.hasSuffix(".wast") {
                files.append(
                    ScriptFile(suite: suite, name: String(name.dropLast(5)), path: folder + "/" + name))
            }
        }
        return files
    }
}

/// A value in a script.
struct ScriptValue: Hashable {
    enum Pattern: Hashable {
        /// The bits in a 64-bit slot.
        case exact(UInt64)
        case canonicalNaN
        case arithmeticNaN
        /// A reference that is not null.
        case anyReference
        /// Of a type the profile does not have.
        case unsupported
    }
    /// "i32", "f64", "funcref"…
    var type: String
    var pattern: Pattern

    /// Whether a result slot is what is expected.
    func matches(_ slot: UInt64) -> Bool {
        switch (pattern, type) {
        case (.exact(let bits), _): slot == bits
        // Results of arithmetic are the positive canonical NaN here, which the pattern allows as one of two.
        case (.canonicalNaN, "f32"): slot & 0x7FFF_FFFF == 0x7FC0_0000
        case (.canonicalNaN, _): slot & 0x7FFF_FFFF_FFFF_FFFF == 0x7FF8_0000_0000_0000
        case (.arithmeticNaN, "f32"): slot & 0x7FC0_0000 == 0x7FC0_0000
        case (.arithmeticNaN, _): slot & 0x7FF8_0000_0000_0000 == 0x7FF8_0000_0000_0000
        case (.anyReference, _): slot != 0
        case (.unsupported, _): false
        }
    }
}

/// One command of a script, as `wast2json` writes it.
struct ScriptCommand {
    struct Action {
        var isInvocation: Bool
        /// `$name` of the module, nil for the latest.
        var module: String?
        var field: Name
        var arguments: [ScriptValue]
    }
    enum Kind {
        case module(file: String, name: String?)
        case register(as: Name, module: String?)
        case action(Action)
        case assertReturn(Action, expected: [ScriptValue])
        case assertTrap(Action, text: String)
        case assertExhaustion(Action)
        case assertInvalid(file: String)
        case assertMalformed(file: String)
        /// Of the text format, which Smelt does not read.
        case assertMalformedText
        case assertUnlinkable(file: String, text: String)
        case assertUninstantiable(file: String, text: String)
    }
    var line: Int
    var kind: Kind
}

extension ScriptCommand {
    /// Reads the commands of a converted script.
    static func read(_ json: [UInt8]) throws(SuiteFailure) -> [ScriptCommand] {
        let root: JSONValue
        do { root = try JSON.parse(json) } catch { throw SuiteFailure("commands: \(error)") }
        guard let list = root["commands"]?.array else { throw SuiteFailure("commands: none") }
        var commands: [ScriptCommand] = []
        for entry in list {
            guard let line = entry["line"]?.integer(Int.self), let kind = kind(of: entry) else {
                throw SuiteFailure("command \(commands.count): not understood: \(entry["type"]?.string ?? "no type")")
            }
            commands.append(ScriptCommand(line: line, kind: kind))
        }
        return commands
    }

    private static func kind(of entry: JSONValue) -> Kind? {
        let file = entry["filename"]?.string ?? ""
        let text = entry["text"]?.string ?? ""
        let isText = entry["module_type"]?.string == "text"
        switch entry["type"]?.string {
        case "module": return .module(file: file, name: entry["name"]?.string)
        case "register":
            return entry["as"]?.string.map { .register(as: name($0), module: entry["name"]?.string) }
        case "action": return action(entry).map { .action($0) }
        case "assert_return":
            guard let action = action(entry), let expected = values(entry["expected"]) else { return nil }
            return .assertReturn(action, expected: expected)
        case "assert_trap": return action(entry).map { .assertTrap($0, text: text) }
        case "assert_exhaustion": return action(entry).map { .assertExhaustion($0) }
        case "assert_invalid": return isText ? .assertMalformedText : .assertInvalid(file: file)
        case "assert_malformed": return isText ? .assertMalformedText : .assertMalformed(file: file)
        case "assert_unlinkable": return .assertUnlinkable(file: file, text: text)
        case "assert_uninstantiable": return .assertUninstantiable(file: file, text: text)
        default: return nil
        }
    }

    private static func action(_ entry: JSONValue) -> Action? {
        guard let action = entry["action"], let field = action["field"]?.string else { return nil }
        let isInvocation = action["type"]?.string == "invoke"
        guard let arguments = isInvocation ? values(action["args"]) : [] else { return nil }
        return Action(
            isInvocation: isInvocation, module: action["module"]?.string, field: name(field), arguments: arguments)
    }

    private static func values(_ list: JSONValue?) -> [ScriptValue]? {
        var values: [ScriptValue] = []
        for entry in list?.array ?? [] {
            guard let type = entry["type"]?.string else { return nil }
            values.append(ScriptValue(type: type, pattern: pattern(entry["value"]?.string ?? "", type)))
        }
        return values
    }

    private static func pattern(_ text: String, _ type: String) -> ScriptValue.Pattern {
        switch (type, text) {
        case ("funcref", "null"), ("externref", "null"): .exact(0)
        case ("funcref", _): .anyReference
        case ("f32", "nan:canonical"), ("f64", "nan:canonical"): .canonicalNaN
        case ("f32", "nan:arithmetic"), ("f64", "nan:arithmetic"): .arithmeticNaN
        case ("i32", _), ("i64", _), ("f32", _), ("f64", _): UInt64(text).map { .exact($0) } ?? .unsupported
        default: .unsupported
        }
    }

    private static func name(_ text: String) -> Name { Name(bytes: Array(text.utf8)) }
}
