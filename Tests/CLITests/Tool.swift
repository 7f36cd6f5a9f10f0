import Foundation
import JSON
import TestSupport
import Testing

/// The built programs and samples under test.
enum Tool {
    static let binary = builtPrograms + "/smelt"
    static let samples = packageRoot + "/.build/samples"
    static let vectors = packageRoot + "/Tests/Samples/vectors"

    struct Run {
        let status: Int32
        let output: String
        let errors: String
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    /// Runs `smelt` with these arguments.
    static func smelt(
        _ arguments: String..., input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Run {
        try run(binary, arguments, input: input, environment: environment)
    }

    /// Runs a shell script whose `$0` is `smelt` and whose `$1` and further are `arguments`.
    static func shell(_ script: String, _ arguments: String...) throws -> Run {
        try run("/bin/bash", ["-c", script, binary] + arguments)
    }

    static func run(
        _ program: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> Run {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        // What the caller's environment says about stores and workers is not for tests; nor is the user's own store.
        var variables = ProcessInfo.processInfo.environment
        variables["SMELT_WORKER"] = nil
        variables["XDG_CACHE_HOME"] = folder.path("cache")
        process.environment = variables.merging(environment) { $1 }
        // Files, not pipes: nothing has to be drained while the process runs.
        let paths = ["in", "out", "err"].map { folder.path($0) }
        try Data(input).write(to: URL(fileURLWithPath: paths[0]))
        for path in paths.dropFirst() { try Data().write(to: URL(fileURLWithPath: path)) }
        process.standardInput = FileHandle(forReadingAtPath: paths[0])
        process.standardOutput = FileHandle(forWritingAtPath: paths[1])
        process.standardError = FileHandle(forWritingAtPath: paths[2])
        try process.run()
        process.waitUntilExit()
        return Run(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(contentsOfFile: paths[1], encoding: .utf8),
            errors: try String(contentsOfFile: paths[2], encoding: .utf8))
    }

    /// A sample vector's JSON.
    static func vector(_ name: String) throws -> JSONValue {
        try JSON.parse(Array(Data(contentsOf: URL(fileURLWithPath: "\(vectors)/\(name).json"))))
    }
}

/// A folder that is removed with the value.
final class TemporaryFolder {
    let root: String

    init() throws {
        root = NSTemporaryDirectory() + "/smelt-cli-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { root + "/" + name }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }
}

extension JSONValue {
    /// A copy with the member at `path` (names, or numbers for elements) replaced.
    func replacing(_ path: String..., with value: JSONValue) -> JSONValue { replacing(path[...], value) }

    private func replacing(_ path: ArraySlice<String>, _ value: JSONValue) -> JSONValue {
        guard let first = path.first else { return value }
        switch self {
        case .object(let members):
            return .object(
                members.map { member in
                    member.name == first ? .init(first, member.value.replacing(path.dropFirst(), value)) : member
                })
        case .array(let elements):
            return .array(
                elements.enumerated().map { index, element in
                    String(index) == first ? element.replacing(path.dropFirst(), value) : element
                })
        default: return self
        }
    }

    subscript(index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }
}

func bytes(ofFile path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
