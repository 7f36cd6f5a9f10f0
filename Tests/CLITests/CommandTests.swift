import Foundation
import JSON
import TestSupport
import Testing

/// The commands on the project's own samples.
@Suite struct CommandTests {
    private let folder: TemporaryFolder
    private let store: String

    init() throws {
        folder = try TemporaryFolder()
        store = folder.path("store")
    }

    @Test func compileWritesAnObjectAndTheSecondTimeKnowsIt() throws {
        let wasm = Tool.samples + "/counter.wasm"
        let first = try Tool.smelt("compile", wasm, "-o", folder.path("a.so"), "--store", store)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.lines.count == 1 && first.output.hasPrefix("compiled counter bafk"))
        let second = try Tool.smelt("compile", wasm, "-o", folder.path("b.so"), "--store", store)
        #expect(second.output.hasPrefix("known counter bafk"))
        #expect(try bytes(ofFile: folder.path("a.so")) == bytes(ofFile: folder.path("b.so")))
    }

    @Test func objectsDoNotDependOnDirectoryJobsOrStore() throws {
        var objects: [[String: [UInt8]]] = []
        for (jobs, name) in [("1", "x"), ("2", "other/place")] {
            let out = folder.path(name)
            let run = try Tool.smelt(
                "compile", Tool.samples + "/counter.wasm", Tool.samples + "/relay.wasm", Tool.samples + "/sieve.wasm",
                "--jobs", jobs, "-o", out, "--store", folder.path("store-\(jobs)"))
            #expect(run.status == 0, "\(run.errors)")
            var files: [String: [UInt8]] = [:]
            for file in try FileManager.default.contentsOfDirectory(atPath: out) {
                files[file] = try bytes(ofFile: out + "/" + file)
            }
            objects.append(files)
        }
        #expect(objects[0].keys.sorted() == ["counter.so", "index.json", "relay.so", "sieve.so"])
        #expect(objects[0] == objects[1])
    }

    @Test func objectsHaveNoUndefinedSymbols() throws {
        _ = try Tool.smelt("compile", Tool.samples + "/relay.wasm", "-o", folder.path("relay.so"), "--store", store)
        let symbols = try Tool.run("/usr/bin/nm", ["-D", "--undefined-only", folder.path("relay.so")])
        #expect(symbols.status == 0 && symbols.output.isEmpty)
    }

    @Test func theProgramDoesNotLinkLLVM() throws {
        let libraries = try Tool.run("/usr/bin/ldd", [Tool.binary])
        #expect(libraries.status == 0 && libraries.output.contains("libc.so"))
        #expect(!libraries.output.contains("LLVM"))
    }

    @Test(arguments: [
        ("obj", "\u{7F}ELF"), ("asm", ".text"), ("ir", "define"), ("plan", "smelt-plan 1"), ("wasm", "\0asm"),
    ])
    func emitMakesWhatItSays(product: String, mark: String) throws {
        let out = folder.path("out")
        let run = try Tool.smelt(
            "compile", Tool.samples + "/counter.wasm", "--emit", product, "-o", out, "--store", store)
        #expect(run.status == 0, "\(run.errors)")
        let text = String(decoding: try bytes(ofFile: out), as: UTF8.self)
        #expect(text.contains(mark))
    }

    @Test func sampleMessagesReplayToTheRecordedReceipts() throws {
        let run = try Tool.smelt("replay", Tool.vectors, "--store", store)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.lines.last == "3 passed, 0 failed, 0 skipped")
    }

    /// Syscalls refused in ways that no recorded vector shows, and a log line in a trace.
    @Test(arguments: ["optimised", "baseline"])
    func theProjectsOwnVectorsPassWithTheirTraces(tier: String) throws {
        let run = try Tool.smelt(
            "replay", packageRoot + "/Tests/Samples/syscalls/vectors", "--store", store, "--tier", tier)
        #expect(run.lines.last == "4 passed, 0 failed, 0 skipped", "\(run.output)\(run.errors)")
        #expect(run.output.contains("2 traces equal"), "\(run.output)")
    }

    @Test(arguments: ["guard", "check"])
    func bothBoundsModesGiveTheSameReceipts(bounds: String) throws {
        let run = try Tool.smelt("replay", Tool.vectors, "--store", store, "--bounds", bounds, "--jobs", "2")
        #expect(run.lines.last == "3 passed, 0 failed, 0 skipped", "\(run.output)\(run.errors)")
    }

    @Test func replayReadsStandardInputAndNdjson() throws {
        let lines = try ["counter", "sieve"].map { try Tool.vector($0).text() + "\n" }.joined()
        let file = try folder.write(lines, "v.ndjson")
        #expect(try Tool.smelt("replay", file, "--store", store).lines.last == "2 passed, 0 failed, 0 skipped")
        let run = try Tool.smelt("replay", "-", "--store", store, "--format", "json", input: Array(lines.utf8))
        let report = try JSON.parse(Array(run.output.utf8))
        #expect(report["summary"]?["passed"]?.integer() == 2)
    }

    @Test func aMismatchShowsBothSidesAndFails() throws {
        let changed = try Tool.vector("counter")
            .replacing("postconditions", "receipts", "1", "gas_used", with: .integer(7))
        let file = try folder.write(changed.text(), "counter.json")
        let run = try Tool.smelt("replay", file, "--store", store)
        #expect(run.status == 1)
        #expect(run.lines.last == "0 passed, 1 failed, 0 skipped")
        #expect(run.output.contains("message 1, gas used"))
        #expect(run.output.contains("expected     7"))
        #expect(run.output.contains("2203987"))
    }

    @Test func writtenTracesCompareEqualAndAChangedChargeIsNamed() throws {
        let traces = folder.path("traces")
        _ = try Tool.smelt("replay", Tool.vectors, "--store", store, "--trace", traces)
        let equal = try Tool.smelt("replay", Tool.vectors, "--store", store, "--golden", traces)
        #expect(equal.status == 0 && equal.output.contains("3 traces equal"))
        let path = traces + "/counter.trace.jsonl"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("[\"message\",0]\n[\"charge\",\"OnChainMessage\","))
        let at = try #require(text.range(of: "[\"charge\",\"wasm_exec\","))
        try text.replacingCharacters(in: at, with: "[\"charge\",\"wasm_exec\",9").write(
            toFile: path, atomically: true, encoding: .utf8)
        let different = try Tool.smelt("replay", Tool.vectors, "--store", store, "--golden", traces)
        #expect(different.status == 1 && different.output.contains("trace line "))
    }

    @Test func runCallsFunctionsOfEverySignature() throws {
        func call(_ arguments: String...) throws -> Tool.Run {
            try Tool.run(Tool.binary, ["run", "--store", store, Tool.samples + "/arithmetic.wasm"] + arguments)
        }
        #expect(try call("gcd", "0x30", "18").lines.first == "i64 6")
        #expect(try call("fibonacci", "20").lines.first == "i64 6765")
        #expect(try call("hypotenuse", "3", "4").lines.first == "f64 5.0")
        #expect(try call("half", "-inf").lines.first == "f32 -inf")
        #expect(try call("half", "nan").lines.first == "f32 nan")
        #expect(try call("divide", "-7", "2").lines.first == "i32 -3")
        #expect(try call("mix", "-1", "2", "0.5", "0.25").lines.first == "f64 1.75")
        let nothing = try call("nothing")
        #expect(nothing.status == 0 && nothing.lines.count == 1)
        let trap = try call("divide", "1", "0")
        #expect(trap.status == 1 && trap.errors.contains("integer divide by zero"))
        #expect(trap.errors.contains("divide") && trap.errors.contains("0x"))
        let gas = try call("spin", "--gas", "1000")
        #expect(gas.status == 1 && gas.errors.contains("out of gas"))
        #expect(try call("gcd", "1").status == 64)
        #expect(try call("gcd", "1", "x").status == 64)
        #expect(try call("nosuch").errors.contains("nosuch"))
    }

    @Test func runTakesObjectsToo() throws {
        let object = folder.path("arithmetic.so")
        _ = try Tool.smelt("compile", Tool.samples + "/arithmetic.wasm", "-o", object, "--store", store)
        #expect(try Tool.smelt("run", object, "gcd", "12", "8").lines.first == "i64 4")
    }

    @Test func aModuleWithSyscallsIsPointedToReplay() throws {
        let run = try Tool.smelt("run", Tool.samples + "/counter.wasm", "invoke", "0", "--store", store)
        #expect(run.status == 2 && run.errors.contains("smelt replay"))
    }

    @Test func inspectTellsModuleObjectAndVerdict() throws {
        let module = try JSON.parse(
            Array(try Tool.smelt("inspect", "--json", Tool.samples + "/relay.wasm").output.utf8))
        #expect(module["kind"]?.string == "module")
        #expect(module["imports"]?.array?.count == 6)
        #expect(module["verdict"]?["accepted"]?.bool == true)
        _ = try Tool.smelt("compile", Tool.samples + "/relay.wasm", "-o", folder.path("relay.so"), "--store", store)
        let object = try JSON.parse(Array(try Tool.smelt("inspect", "--json", folder.path("relay.so")).output.utf8))
        #expect(object["manifest"]?["cpu"]?.string == "x86-64-v2")
    }

    @Test func storeListsVerifiesAndPrunes() throws {
        _ = try Tool.smelt("compile", Tool.samples + "/counter.wasm", "--store", store)
        let list = try JSON.parse(Array(try Tool.smelt("store", "ls", "--json", "--store", store).output.utf8))
        #expect(list["objects"]?.array?.count == 1)
        #expect(try Tool.smelt("store", "verify", "--store", store).status == 0)
        #expect(try Tool.smelt("store", "prune", "--all", "--store", store).status == 0)
        let empty = try JSON.parse(Array(try Tool.smelt("store", "ls", "--json", "--store", store).output.utf8))
        #expect(empty["objects"]?.array?.isEmpty == true)
    }

    @Test func helpCompletionAndManPageComeFromTheTable() throws {
        #expect(try Tool.smelt("--help").output.contains("replay"))
        #expect(try Tool.smelt("compile", "--help").output.contains("--emit"))
        #expect(try Tool.smelt("--generate-completion-script", "bash").output.contains("complete -o filenames"))
        #expect(try Tool.smelt("--generate-man-page").output.hasPrefix(".TH SMELT 1"))
        let version = try JSON.parse(Array(try Tool.smelt("version", "--json").output.utf8))
        #expect(version["llvm"]?.string?.hasPrefix("19.") == true)
    }

    @Test func wrongUseEndsWith64() throws {
        for arguments in [[], ["compile"], ["replay"], ["compile", "x", "--jobs", "0"], ["frobnicate"], ["store"]] {
            #expect(try Tool.run(Tool.binary, arguments).status == 64, "\(arguments)")
        }
    }

    @Test func anEmptyStoreBeginsInTheBaselineTierAndWaitGivesOptimisedCode() throws {
        let folder = try TemporaryFolder()
        let store = folder.path("first-use")
        let first = try Tool.smelt("replay", Tool.vectors, "--store", store, "--quiet", "--format", "json")
        let code = try JSON.parse(Array(first.output.utf8))["summary"]?["code"]
        #expect(first.status == 0 && code?["optimised"]?.numberText == "0" && code?["baseline"]?.numberText != "0")
        let text = try Tool.smelt("replay", Tool.vectors, "--store", folder.path("other"), "--quiet")
        #expect(text.status == 0 && text.output.contains("begun in the baseline tier"), "\(text.output)")
        let waited = try Tool.smelt("replay", Tool.vectors, "--store", store, "--quiet", "--wait")
        #expect(waited.status == 0 && !waited.output.contains("baseline"), "\(waited.output)")
        let again = try Tool.smelt("replay", Tool.vectors, "--store", store, "--quiet", "--format", "json")
        let known = try JSON.parse(Array(again.output.utf8))["summary"]?["code"]
        #expect(
            known?["baseline"]?.numberText == "0" && known?["optimised"]?.numberText != "0", "\(again.output)")
    }
}
