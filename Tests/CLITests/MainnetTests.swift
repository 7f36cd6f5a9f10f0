import Foundation
import JSON
import TestSupport
import Testing

/// Real mainnet messages through compiled actors, whatever state the store is in. Needs the shared data.
@Suite(.serialized) struct MainnetTests {
    private static let all = "118 passed, 0 failed, 0 skipped"

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Data {
        let vectors: String
        let traces: String
        let bundle: String
    }

    private func data() -> Data? {
        guard let vectors = sharedData("vectors/nv18"), let traces = sharedData("traces/nv18"),
            let bundle = sharedData("bundles/builtin-actors-mainnet-v10.car.zst")
        else { return nil }
        return Data(vectors: vectors, traces: traces, bundle: bundle)
    }

    private func replay(_ data: Data, store: String, _ more: String...) throws -> Tool.Run {
        try Tool.run(
            Tool.binary,
            ["replay", data.vectors, "--golden", data.traces, "--bundle", data.bundle, "--store", store, "--quiet"]
                + more)
    }

    /// A store of this test's own in which the bundle is compiled already. Its objects come from the store that test
    /// runs keep; not by copying files, which another test may be writing at this moment.
    private func warmStore(_ data: Data) throws -> String {
        let objects = folder.path("objects")
        let store = folder.path("store")
        let compile = try Tool.smelt("compile", data.bundle, "--store", sharedTestStore, "-o", objects, "--quiet")
        try #require(compile.status == 0, "\(compile.errors)")
        let take = try Tool.smelt("store", "import", objects, "--store", store)
        try #require(take.status == 0, "\(take.errors)")
        return store
    }

    @Test func receiptsStateRootsAndTracesAreTheReferences() throws {
        guard let data = data() else { return }
        let store = try warmStore(data)
        for jobs in ["1", "2"] {
            let run = try replay(data, store: store, "--jobs", jobs)
            #expect(run.status == 0 && run.lines.last == MainnetTests.all, "\(run.output.suffix(3000))\(run.errors)")
            #expect(run.output.contains("118 traces equal"))
        }
    }

    @Test func aReadOnlyStoreGivesTheSameReceipts() throws {
        guard let data = data() else { return }
        let store = try warmStore(data)
        // Files and folders without write permission; where the user may write all the same, nothing needs writing.
        let paths = [store] + (try FileManager.default.subpathsOfDirectory(atPath: store)).map { store + "/" + $0 }
        func protect(_ directories: mode_t, _ files: mode_t) {
            for path in paths {
                var isDirectory: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
                chmod(path, isDirectory.boolValue ? directories : files)
            }
        }
        protect(0o500, 0o400)
        defer { protect(0o700, 0o600) }
        let run = try replay(data, store: store)
        #expect(run.status == 0 && run.lines.last == MainnetTests.all, "\(run.output.suffix(3000))\(run.errors)")
    }

    @Test func aDamagedObjectIsCompiledAgainWithTheSameReceipts() throws {
        guard let data = data() else { return }
        let store = try warmStore(data)
        // The account actor's object: messages reach it, and it is quick to compile.
        func report(_ arguments: String...) throws -> JSONValue {
            try JSON.parse(Array(try Tool.run(Tool.binary, arguments).output.utf8))
        }
        let actors = try #require(try report("inspect", "--json", data.bundle)["actors"]?.array)
        let cid = try #require(actors.first { $0["name"]?.string == "account" }?["cid"]?.string)
        let stored = try #require(try report("store", "ls", "--json", "--store", store)["objects"]?.array)
        let keys = Set(stored.filter { $0["wasm"]?.string == cid }.compactMap { $0["key"]?.string })
        let objects = try FileManager.default.subpathsOfDirectory(atPath: store)
            .filter { path in path.hasSuffix(".so") && keys.contains { path.contains($0) } }.map { store + "/" + $0 }
        try #require(objects.count == 1)
        for path in objects {
            var bytes = try bytes(ofFile: path)
            bytes[bytes.count / 3] ^= 0x40
            try Foundation.Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        let run = try replay(data, store: store)
        #expect(run.status == 0 && run.lines.last == MainnetTests.all, "\(run.output.suffix(3000))\(run.errors)")
        #expect(run.errors.contains("damaged"), "\(run.errors)")
        #expect(try Tool.smelt("store", "verify", "--store", store).errors.isEmpty)
    }

    private static let ways: [[String]] = {
        var ways = [["--bounds", "check"], ["--tier", "baseline"], ["--bounds", "check", "--tier", "baseline"]]
        // Objects of a CPU level that this machine has not are refused before they are mapped.
        let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        if ["avx2", "bmi2", "fma", "movbe"].allSatisfy(processor.contains) { ways.append(["--cpu", "x86-64-v3"]) }
        return ways
    }()

    /// One actor's worth of compiling: plain sends, and messages to the power actor. `make ways` replays all vectors.
    @Test(arguments: ways) func everyWayOfCompilingGivesTheSameReceipts(_ way: [String]) throws {
        guard let data = data() else { return }
        let picked = try FileManager.default.contentsOfDirectory(atPath: data.vectors)
            .filter { $0.hasPrefix("fil_10_multisig__") && $0.hasSuffix(".json") }
        try #require(!picked.isEmpty)
        let paths = picked.map { data.vectors + "/" + $0 }
        let run = try Tool.run(
            Tool.binary,
            ["replay"] + paths + [
                "--golden", data.traces, "--bundle", data.bundle, "--store", folder.path("store"), "-q",
            ] + way)
        #expect(
            run.status == 0 && run.lines.last == "\(picked.count) passed, 0 failed, 0 skipped",
            "\(way) \(run.output)\(run.errors)")
    }
}
