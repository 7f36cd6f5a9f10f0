import Foundation
import Testing

/// Where `smelt compile` writes, and what it never writes over.
@Suite struct DestinationTests {
    private let folder: TemporaryFolder
    private let wasm: String
    private let other: String

    init() throws {
        folder = try TemporaryFolder()
        wasm = folder.path("c.wasm")
        other = folder.path("r.wasm")
        try FileManager.default.copyItem(atPath: Tool.samples + "/counter.wasm", toPath: wasm)
        try FileManager.default.copyItem(atPath: Tool.samples + "/relay.wasm", toPath: other)
    }

    private func compile(_ arguments: String..., input: [UInt8] = []) throws -> Tool.Run {
        try Tool.run(Tool.binary, ["compile"] + arguments + ["--store", folder.path("store")], input: input)
    }

    private func isELF(_ path: String) throws -> Bool {
        try bytes(ofFile: path).starts(with: [0x7F, 0x45, 0x4C, 0x46])
    }

    @Test func anInputIsNotOverwritten() throws {
        let before = try bytes(ofFile: wasm)
        for arguments in [[wasm, "-o", wasm], [wasm, other, "--emit", "wasm", "-o", folder.root]] {
            let run = try Tool.run(Tool.binary, ["compile", "--store", folder.path("store")] + arguments)
            #expect(run.status == 64 && run.errors.contains("would be overwritten"), "\(run.errors)")
        }
        #expect(try bytes(ofFile: wasm) == before)
        #expect(!FileManager.default.fileExists(atPath: folder.path("store")), "compiled before it looked")
    }

    @Test func aSymbolicLinkStaysAndItsTargetIsWritten() throws {
        let link = folder.path("link")
        symlink("target.so", link)
        for _ in 0..<2 {
            #expect(try compile(wasm, "-o", link).status == 0)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target.so")
            #expect(try isELF(folder.path("target.so")))
        }
    }

    @Test func aPipeOrDeviceIsWrittenToAndNotReplaced() throws {
        let pipe = folder.path("pipe")
        mkfifo(pipe, 0o600)
        let run = try Tool.run(
            "/bin/bash",
            [
                "-c", "head -n 1 '\(pipe)' & \"$0\" \"$@\"; wait", Tool.binary, "compile", wasm, "--emit", "plan", "-o",
                pipe, "--store", folder.path("store"),
            ])
        #expect(run.output.contains("smelt-plan 1"), "\(run.output)\(run.errors)")
        var status = stat()
        #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test func whatIsInTheWayIsSaidBeforeCompiling() throws {
        try FileManager.default.createDirectory(atPath: folder.path("out/c.so"), withIntermediateDirectories: true)
        let cases = [
            ([wasm, other, "-o", folder.path("out")], "out/c.so: is a directory"),
            ([wasm, "-o", folder.path("absent/c.so")], "No such file or directory"),
            ([wasm, other, "-o", wasm], "is not a directory"), ([wasm, "-o", "/proc/nothing/c.so"], "/proc/nothing"),
        ]
        for (arguments, reason) in cases {
            let run = try Tool.run(Tool.binary, ["compile", "--store", folder.path("store")] + arguments)
            #expect(run.status == 1 && run.errors.contains(reason), "\(run.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("store")), "compiled before it looked")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out/r.so")))
    }

    @Test func aFailureLeavesTheFileOfBefore() throws {
        let old = try folder.write("old", "old.so")
        let bad = try folder.write([0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1], "bad.wasm")
        #expect(try compile(bad, "-o", old).status == 2)
        #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    }

    @Test(arguments: ["so", "obj", "asm", "ir", "plan", "wasm"])
    func everyProductGoesToAFileADirectoryAndStandardOutput(product: String) throws {
        let suffix = ["so": "so", "obj": "o", "asm": "s", "ir": "ll", "plan": "plan", "wasm": "wasm"][product] ?? ""
        #expect(try compile(wasm, "--emit", product, "-o", folder.path("one")).status == 0)
        let one = try bytes(ofFile: folder.path("one"))
        #expect(try compile(wasm, other, "--emit", product, "-o", folder.path("deep/both/")).status == 0)
        #expect(try bytes(ofFile: folder.path("deep/both/c.\(suffix)")) == one)
        #expect(FileManager.default.fileExists(atPath: folder.path("deep/both/r.\(suffix)")))
        let script =
            "\"$0\" compile '\(wasm)' --emit \(product) -o - --store '\(folder.path("store"))' | cmp - '\(folder.path("one"))'"
        #expect(try Tool.run("/bin/bash", ["-o", "pipefail", "-c", script, Tool.binary]).status == 0)
        #expect(try compile(wasm, other, "--emit", product, "-o", "-").status == 64)
    }

    @Test func standardInputIsAModule() throws {
        let run = try compile("-", "-o", folder.path("out") + "/", input: try bytes(ofFile: wasm))
        #expect(run.status == 0 && run.output.contains("/out/stdin.so"), "\(run.output)\(run.errors)")
        let trap = try Tool.smelt(
            "run", "--store", folder.path("store"), "-", "divide", "1", "0",
            input: try bytes(ofFile: Tool.samples + "/arithmetic.wasm"))
        #expect(trap.errors.contains("(divide) at 0x"), "\(trap.errors)")
    }

    @Test func shortWorkShowsNoProgressInAFile() throws {
        _ = try compile(wasm)
        #expect(try compile(wasm).errors.isEmpty)
        #expect(try Tool.smelt("replay", Tool.vectors, "--store", folder.path("store")).errors.isEmpty)
    }

    @Test func namesOfStrangersCannotDriveTheTerminal() throws {
        let odd = folder.path("a\u{1B}[31m\nb.wasm")
        try FileManager.default.copyItem(atPath: wasm, toPath: odd)
        let run = try compile(odd, "-o", folder.path("x.so"))
        #expect(run.status == 0 && run.lines.count == 1 && run.output.contains("\\x1b[31m\\x0ab"), "\(run.output)")
        let vector = folder.path("v\u{1B}]0;x\n9 passed, 0 failed, 0 skipped.json")
        try FileManager.default.copyItem(atPath: Tool.vectors + "/counter.json", toPath: vector)
        let replay = try Tool.smelt("replay", vector, "--store", folder.path("store"))
        #expect(replay.lines.first?.hasPrefix("passed   v\\x1b]0;x\\x0a9 passed") == true, "\(replay.output)")
        #expect(!replay.output.contains("\u{1B}"))
    }
}
