import ArtifactFormat
import Foundation
import Testing
import WorkerProtocol

/// `smelt` on a machine without `smelt-worker`, or beside one of another build.
@Suite struct CompilerlessTests {
    private let folder: TemporaryFolder
    private let store: String
    /// `smelt` alone in a directory.
    private let alone: String
    private let passed = "2 passed, 0 failed, 0 skipped"
    private let vectors = ["counter", "relay"].map { "\(Tool.vectors)/\($0).json" }

    init() throws {
        folder = try TemporaryFolder()
        store = folder.path("store")
        alone = folder.path("smelt")
        try FileManager.default.copyItem(atPath: Tool.binary, toPath: alone)
    }

    private func runAlone(_ arguments: String..., worker: String? = nil) throws -> Tool.Run {
        // An empty name is no program: the worker is not there.
        try Tool.run(
            alone, arguments + ["--store", store], environment: ["SMELT_WORKER": worker ?? folder.path("smelt-worker")])
    }

    private func compileSamples(into directory: String) throws {
        let run = try Tool.smelt(
            "compile", Tool.samples + "/counter.wasm", Tool.samples + "/relay.wasm", "-o", directory, "--store",
            folder.path("other"))
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test func onlyTheWorkerNeedsLLVMAndNeitherProgramAnInstalledSwift() throws {
        let needed = try ["", "-worker"].map { suffix in
            try Tool.shell("readelf -d \"$0\(suffix)\" | grep NEEDED").lines
        }
        #expect(needed.allSatisfy { $0.contains { $0.contains("libc.so") } })
        #expect(needed.joined().filter { $0.contains("swift") || $0.contains("dispatch") } == [])
        #expect(needed.map { $0.contains { $0.contains("LLVM") } } == [false, true])
    }

    @Test func aWarmStoreRunsWithoutACompiler() throws {
        let cold = try runAlone("replay", vectors[0], vectors[1])
        #expect(cold.status == 75 && cold.output.contains("is not installed"), "\(cold.output)")
        #expect(cold.output.contains(store) && cold.output.contains("x86-64-v2"))
        #expect(try Tool.smelt("replay", vectors[0], vectors[1], "--store", store).lines.last == passed)
        let warm = try runAlone("replay", vectors[0], vectors[1])
        #expect(warm.status == 0 && warm.lines.last == passed, "\(warm.output)\(warm.errors)")
        // Objects for other settings are other objects.
        #expect(try runAlone("replay", vectors[0], vectors[1], "--bounds", "check").status == 75)
        #expect(try runAlone("store", "verify").status == 0)
        #expect(try runAlone("store", "prune").output.hasPrefix("0 files removed"))
    }

    @Test func importedObjectsRunWithoutACompiler() throws {
        try compileSamples(into: folder.path("out"))
        #expect(try runAlone("store", "import", folder.path("out")).status == 0)
        #expect(try runAlone("replay", vectors[0], vectors[1]).lines.last == passed)
    }

    @Test func importedObjectsOfAnotherBuildAreUsedAndKept() throws {
        try compileSamples(into: folder.path("out"))
        // A compiler of another build that compiles nothing: what passes comes from the imported objects.
        let identity = CompilerIdentity(
            version: "0.1.0", build: Digest(of: []), llvmVersion: "19.1.7", llvmBuild: Digest(of: [8]),
            linkerVersion: "LLD 19.1.7", linkerBuild: Digest(of: [9]))
        let hello = try folder.write(identity.hello.encoded, "hello")
        let worker = try folder.write("#!/bin/sh\ncat '\(hello)'\n", "other-worker")
        chmod(worker, 0o755)
        #expect(try runAlone("replay", vectors[0], vectors[1], worker: worker).status == 75)
        #expect(try runAlone("store", "import", folder.path("out"), worker: worker).status == 0)
        #expect(try runAlone("replay", vectors[0], vectors[1], worker: worker).lines.last == passed)
        #expect(try runAlone("store", "prune", worker: worker).output.hasPrefix("0 files removed"))
        let list = try runAlone("store", "ls", worker: worker).output
        #expect(list.components(separatedBy: "imported").count == 3, "\(list)")
    }

    @Test func runUsesTheStoreToo() throws {
        let module = Tool.samples + "/arithmetic.wasm"
        #expect(try runAlone("run", module, "gcd", "12", "8").status == 1)
        _ = try Tool.smelt("compile", module, "--store", store)
        #expect(try runAlone("run", module, "gcd", "12", "8").lines.first == "i64 4")
    }
}
