import Foundation

/// Turns scripts into binaries and a list of commands with wabt's `wast2json`, and keeps the results.
public struct ScriptConverter: Sendable {
    /// Where results are kept.
    let cache: URL
    /// "wast2json 1.0.32", part of the cache's key.
    let tool: String

    /// - Parameter cache: a folder, made when missing.
    /// - Throws: when there is no `wast2json` on this machine.
    public init(cache: String) throws(SuiteFailure) {
        self.cache = URL(fileURLWithPath: cache)
        let version = try Self.run(["wast2json", "--version"], in: nil)
        guard version.status == 0 else { throw SuiteFailure("wast2json (Debian package wabt) is not installed") }
        tool = "wast2json " + version.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Converts one script.
    ///
    /// - Returns: the folder with the binaries, the commands as JSON text, and what had to be rewritten.
    func convert(_ file: ScriptFile) throws(SuiteFailure) -> (folder: URL, json: [UInt8], rewritten: [String]) {
        guard let data = FileManager.default.contents(atPath: file.path) else {
            throw SuiteFailure("\(file.path): cannot be read")
        }
        let rewritten: (text: [UInt8], forms: [(form: ScriptRewriter.Form, count: Int)])
        do {
            rewritten = try ScriptRewriter.rewrite([UInt8](data), isFirstEdition: file.suite == "wg-1.0")
        } catch { throw SuiteFailure("\(file.path): \(error)") }
        let folder = cache.appendingPathComponent(file.suite).appendingPathComponent(file.name)
        let key = Data((tool + " " + String(Self.digest(rewritten.text), radix: 16)).utf8)
        let keyFile = folder.appendingPathComponent("key")
        let jsonFile = folder.appendingPathComponent("script.json")
        let notes = rewritten.forms.map { "\($0.count) × \($0.form.rawValue)" }
        if (try? Data(contentsOf: keyFile)) == key, let json = try? Data(contentsOf: jsonFile) {
            return (folder, [UInt8](json), notes)
        }
        do {
            try? FileManager.default.removeItem(at: folder)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(rewritten.text).write(to: folder.appendingPathComponent("script.wast"))
        } catch { throw SuiteFailure("\(folder.path): \(error.localizedDescription)") }
        let result = try Self.run(["wast2json", "script.wast", "-o", "script.json"], in: folder)
        guard result.status == 0, let json = try? Data(contentsOf: jsonFile) else {
            throw SuiteFailure("\(file.suite)/\(file.name): \(tool) refuses it: \(result.output.prefix(300))")
        }
        do { try key.write(to: keyFile) } catch { throw SuiteFailure("\(keyFile.path): \(error.localizedDescription)") }
        return (folder, [UInt8](json), notes)
    }

    /// FNV-1a: enough to notice a changed script.
    private static func digest(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func run(
        _ arguments: [String], in folder: URL?
    ) throws(SuiteFailure) -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        do { try process.run() } catch {
            throw SuiteFailure("\(arguments[0]) does not start: \(error.localizedDescription)")
        }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
