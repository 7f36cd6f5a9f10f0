import Foundation
import Testing

/// What happens to receipts and files when the store is cold, damaged, foreign, read-only or full.
@Suite struct StoreTests {
    private let folder: TemporaryFolder
    private let store: String

    init() throws {
        folder = try TemporaryFolder()
        store = folder.path("store")
    }

    private func replay(environment: [String: String] = [:]) throws -> Tool.Run {
        try Tool.smelt("replay", Tool.vectors, "--store", store, environment: environment)
    }

    private func objects(in directory: String) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
        return names.filter { $0.hasSuffix(".so") && !$0.contains("quarantine") }.map { directory + "/" + $0 }
    }

    private let passed = "3 passed, 0 failed, 0 skipped"

    @Test(arguments: [0, 200, 4_000, -1])
    func aTamperedObjectIsQuarantinedAndCompiledAgain(offset: Int) throws {
        #expect(try replay().lines.last == passed)
        for path in try objects(in: store) {
            var bytes = try bytes(ofFile: path)
            bytes[offset < 0 ? bytes.count + offset : offset] ^= 1
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        let run = try replay()
        #expect(run.lines.last == passed)
        #expect(run.errors.contains("damaged"), "\(run.errors)")
        #expect(try Tool.smelt("store", "verify", "--store", store).status == 0)
    }

    @Test func aTruncatedObjectIsCompiledAgain() throws {
        #expect(try replay().lines.last == passed)
        for path in try objects(in: store) {
            try Data(try bytes(ofFile: path).dropLast(100)).write(to: URL(fileURLWithPath: path))
        }
        #expect(try replay().lines.last == passed)
    }

    @Test func verifyReportsDamageWithStatus4() throws {
        #expect(try replay().lines.last == passed)
        let path = try #require(try objects(in: store).first)
        try Data(try bytes(ofFile: path).dropLast(1)).write(to: URL(fileURLWithPath: path))
        #expect(try Tool.smelt("store", "ls", "--store", store).status == 4)
        let run = try Tool.smelt("store", "verify", "--store", store)
        #expect(run.status == 4 && run.errors.contains(path), "\(run.errors)")
    }

    @Test func anObjectOthersCouldWriteIsNotTrusted() throws {
        #expect(try replay().lines.last == passed)
        for path in try objects(in: store) { chmod(path, 0o666) }
        let run = try replay()
        #expect(run.lines.last == passed && run.errors.contains("not trusted"), "\(run.errors)")
    }

    @Test func anObjectOfSomeoneElseIsNotTrusted() throws {
        guard getuid() == 0 else { return print("not run: giving a file away needs root") }
        #expect(try replay().lines.last == passed)
        for path in try objects(in: store) { chown(path, 65_534, 65_534) }
        let run = try replay()
        #expect(run.lines.last == passed && run.errors.contains("not trusted"), "\(run.errors)")
    }

    @Test func aStoreThatCannotBeWrittenStillRuns() throws {
        // No directory can be made there, whoever asks.
        let run = try Tool.smelt("replay", Tool.vectors, "--store", "/proc/self/task/store")
        #expect(run.lines.last == passed, "\(run.output)\(run.errors)")
        #expect(run.errors.contains("kept in memory only"), "\(run.errors)")
    }

    @Test func aReadOnlyStoreStillRuns() throws {
        #expect(try replay().lines.last == passed)
        for path in [store] + (try FileManager.default.subpathsOfDirectory(atPath: store)).map({ store + "/" + $0 }) {
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            if isDirectory.boolValue { chmod(path, 0o500) }
        }
        #expect(try replay().lines.last == passed)
        for path in [store] + (try FileManager.default.subpathsOfDirectory(atPath: store)).map({ store + "/" + $0 }) {
            chmod(path, 0o700)
        }
    }

    @Test func aFileSizeLimitInTheMiddleLeavesNothingHalfWritten() throws {
        // The limit hits while objects are written: the disk-full of a test without a disk of its own.
        let limited = try Tool.shell(
            "ulimit -f 8; exec \"$0\" compile \"$1\" -o \"$2\" --store \"$3\"", Tool.samples + "/counter.wasm",
            folder.path("c.so"), store)
        #expect(limited.status != 0)
        #expect(!FileManager.default.fileExists(atPath: folder.path("c.so")))
        #expect(try replay().lines.last == passed)
        #expect(try Tool.smelt("store", "verify", "--store", store).status == 0)
    }

    /// Killed as soon as a file by such a name is seen in the store, however long this machine takes to get there.
    @Test(arguments: ["*.lock", "key", "*.entry.*.new", "*.entry", "*.so.*.new", "*.so", "*.wasm.*.new", "*.wasm"])
    func aKilledCompileLeavesNothingHalfWritten(name: String) throws {
        let script = """
            "$0" compile "$1" --store "$2" -q & process=$!
            while kill -0 $process && [ -z "$(find "$2" -name "$3" -print -quit)" ]; do :; done
            kill -KILL $process; wait $process
            """
        _ = try Tool.shell(script, Tool.samples + "/relay.wasm", store, name)
        let check = try Tool.smelt("store", "verify", "--store", store)
        #expect(check.status == 0, "\(check.errors)")
        #expect(try Tool.smelt("store", "ls", "--store", store).status == 0)
        #expect(try Tool.smelt("compile", Tool.samples + "/relay.wasm", "--store", store).status == 0)
        #expect(try objects(in: store).count == 1)
        #expect(try Tool.smelt("store", "verify", "--store", store).status == 0)
    }

    @Test func foreignObjectsComeInThroughImportOnly() throws {
        let out = folder.path("out")
        _ = try Tool.smelt(
            "compile", Tool.samples + "/counter.wasm", Tool.samples + "/relay.wasm", "-o", out, "--store",
            folder.path("other"))
        let first = try Tool.smelt("store", "import", out, "--store", store)
        #expect(first.status == 0 && first.lines.filter { $0.hasPrefix("taken ") }.count == 2, "\(first.errors)")
        #expect(
            try Tool.smelt("store", "import", out, "--store", store).lines.filter { $0.hasPrefix("known ") }.count == 2)
        #expect(
            try Tool.smelt("compile", Tool.samples + "/counter.wasm", "--store", store).output.hasPrefix(
                "known counter"))
        var bytes = try bytes(ofFile: out + "/relay.so")
        bytes[bytes.count / 2] ^= 4
        try Data(bytes).write(to: URL(fileURLWithPath: out + "/relay.so"))
        let damaged = try Tool.smelt("store", "import", out, "--store", folder.path("third"))
        #expect(
            damaged.status == 4 && damaged.errors.contains("relay.so") == true || damaged.errors.contains("refused"))
        #expect(try Tool.smelt("run", out + "/relay.so", "invoke", "0", "--store", store).status == 4)
    }

    @Test func anObjectForAnotherLevelOrVersionIsRefusedByName() throws {
        let object = folder.path("c.so")
        _ = try Tool.smelt("compile", Tool.samples + "/arithmetic.wasm", "-o", object, "--store", store)
        let text = String(decoding: try bytes(ofFile: object), as: UTF8.self)
        #expect(text.contains("x86-64-v2"))
        // Changing the level in the manifest breaks its digest as well: refused either way, never run.
        var bytes = try bytes(ofFile: object)
        let mark = Array("x86-64-v2".utf8)
        for at in bytes.indices.dropLast(mark.count) where Array(bytes[at..<at + mark.count]) == mark {
            bytes[at + mark.count - 1] = UInt8(ascii: "3")
        }
        try Data(bytes).write(to: URL(fileURLWithPath: object))
        let run = try Tool.smelt("run", object, "gcd", "4", "6", "--store", store)
        #expect(run.status == 4 && !run.errors.isEmpty)
    }
}
