import Foundation
import JSON
import Primitives
import TestSupport
import Testing

/// Bad input gets an error that says what, where and why, a non-zero status, and loses nothing.
@Suite struct BadInputTests {
    private let folder: TemporaryFolder
    private let store: String

    init() throws {
        folder = try TemporaryFolder()
        store = folder.path("store")
    }

    private func replay(_ vector: JSONValue, _ more: String...) throws -> Tool.Run {
        let file = try folder.write(vector.text(), "vector.json")
        return try Tool.run(Tool.binary, ["replay", file, "--store", store] + more)
    }

    // MARK: Bundles

    /// A bundle of the sample actors, made here: header, manifest, data, two modules.
    private func bundle() throws -> [UInt8] {
        try SampleBundle.make(["counter", "relay"])
    }

    @Test func aSoundBundleCompiles() throws {
        let path = try folder.write(try bundle(), "b.car")
        let run = try Tool.smelt("compile", path, "-o", folder.path("out"), "--store", store)
        #expect(run.status == 0, "\(run.errors)")
        #expect(FileManager.default.fileExists(atPath: folder.path("out/counter.so")))
    }

    @Test func aTruncatedBundleNamesTheOffset() throws {
        let whole = try bundle()
        for length in [0, 1, 20, whole.count / 2, whole.count - 1] {
            let path = try folder.write(Array(whole.prefix(length)), "b.car")
            for command in ["compile", "inspect"] {
                let run = try Tool.smelt(command, path)
                #expect(run.status == 2 && run.errors.contains("b.car"), "\(length): \(run.errors)")
            }
            #expect(try Tool.smelt("replay", Tool.vectors, "--bundle", path).status == 2)
        }
    }

    @Test func aFlippedBitInABundleIsAWrongHashWithItsBlock() throws {
        var bytes = try bundle()
        bytes[bytes.count - 5] ^= 0x10
        let run = try Tool.smelt(
            "compile", try folder.write(bytes, "b.car"), "-o", folder.path("out"), "--store", store)
        #expect(run.status == 2)
        #expect(run.errors.contains("hash") && run.errors.contains("bafk"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
    }

    // MARK: Vectors

    @Test func jsonThatEndsEarlyNamesTheLine() throws {
        let text = try Tool.vector("counter").text(.indented)
        let file = try folder.write(String(text.prefix(text.count / 2)), "v.json")
        let run = try Tool.smelt("replay", file, "--store", store)
        #expect(run.status == 2 && run.output.contains("v.json") && run.output.contains("line"), "\(run.output)")
    }

    @Test func aMissingFieldIsNamed() throws {
        let vector = try Tool.vector("counter")
        let cut = JSONValue.object((vector.members ?? []).filter { $0.name != "apply_messages" })
        let run = try replay(cut)
        #expect(run.status == 2 && run.output.contains("apply_messages"), "\(run.output)")
    }

    @Test func fewerReceiptsThanMessagesIsSaid() throws {
        let vector = try Tool.vector("counter")
        let receipts = vector["postconditions"]?["receipts"]?.array ?? []
        let run = try replay(vector.replacing("postconditions", "receipts", with: .array(Array(receipts.dropLast()))))
        #expect(run.status == 2 && run.output.contains("receipts"), "\(run.output)")
    }

    @Test func aCarThatIsCutInsideAVectorIsNamed() throws {
        let vector = try Tool.vector("counter")
        let car = try #require(Base64.decode(vector["car"]?.string ?? ""))
        for length in [0, 5, car.count / 2, car.count - 1] {
            let run = try replay(vector.replacing("car", with: .string(Base64.encode(Array(car.prefix(length))))))
            #expect(run.status == 2 && run.output.contains("car"), "\(run.output)")
        }
    }

    @Test func missingBlocksAreNamedByTheirCid() throws {
        let vector = try Tool.vector("counter")
        let other = try Tool.vector("sieve")
        let root = try #require(other["preconditions"]?["state_tree"])
        let run = try replay(vector.replacing("preconditions", "state_tree", with: root))
        let cid = try #require(root["root_cid"]?["/"]?.string)
        #expect(run.status == 2 && run.output.contains(cid), "\(run.output)")
    }

    @Test func integersBeyond64BitsAreTakenWhereTheyAreLegal() throws {
        let vector = try Tool.vector("counter")
            .replacing("preconditions", "circ_supply", with: .number("340282366920938463463374607431768211455"))
        #expect(try replay(vector).status == 0)
    }

    @Test(arguments: ["18446744073709551616", "-1", "1.5", "1e3"])
    func integersThatDoNotFitAreRefusedWithTheirField(number: String) throws {
        let vector = try Tool.vector("counter")
            .replacing("postconditions", "receipts", "0", "gas_used", with: .number(number))
        let run = try replay(vector)
        #expect(run.status == 2 && run.output.contains("postconditions.receipts[0].gas_used"), "\(run.output)")
    }

    @Test func anUnknownNetworkVersionIsNamed() throws {
        let vector = try Tool.vector("counter").replacing("preconditions", "variants", "0", "nv", with: .integer(99))
        let run = try replay(vector)
        #expect(run.status == 2 && run.output.contains("99"), "\(run.output)")
        #expect(try Tool.smelt("replay", Tool.vectors, "--network-version", "99", "--store", store).status == 64)
    }

    @Test func aNetworkVersionThatNoVectorHasIsAnError() throws {
        let vector = Tool.vectors + "/counter.json"
        for format in ["text", "json", "ndjson"] {
            let run = try Tool.smelt("replay", vector, "--network-version", "19", "--format", format, "--store", store)
            #expect(run.status == 2 && run.errors.contains("no variant of this version in 1 vectors"), "\(run.errors)")
        }
        let some = try Tool.smelt("replay", Tool.vectors, "--network-version", "18", "--store", store)
        #expect(some.status == 0 && some.lines.last == "1 passed, 0 failed, 2 skipped", "\(some.output)")
    }

    @Test func aReplayInWhichAllIsSkippedSaysSo() throws {
        let members = try Tool.vector("counter").members ?? []
        let chaos = JSONValue.object(members + [.init("selector", .object(["chaos_actor": .string("true")]))])
        let run = try replay(chaos)
        #expect(run.status == 0 && run.lines.last == "0 passed, 0 failed, 1 skipped")
        #expect(run.errors.contains("nothing was replayed"))
        let file = try folder.write(chaos.text(), "chaos.json")
        #expect(try Tool.smelt("replay", file, "--store", store, "--require-all").status == 1)
    }

    @Test func twoVectorsOfOneNameDoNotShareATrace() throws {
        let vector = Tool.vectors + "/counter.json"
        let run = try Tool.smelt("replay", vector, vector, "--trace", folder.path("traces"), "--store", store)
        #expect(run.status == 2 && run.output.contains("another vector is called"), "\(run.output)")
        #expect(run.lines.last == "1 passed, 1 failed, 0 skipped")
        #expect(try Tool.smelt("replay", vector, vector, "--store", store).status == 0)
    }

    @Test func emptyFilesAndPathsAreSaid() throws {
        let empty = try folder.write("", "empty.wasm")
        for command in ["compile", "inspect"] {
            let run = try Tool.smelt(command, empty)
            #expect(run.status == 2 && run.errors.contains("empty.wasm: is empty"), "\(run.errors)")
        }
        #expect(try Tool.smelt("compile", Tool.samples + "/counter.wasm", "--store", "").status == 64)
    }

    @Test func noVectorsIsAnError() throws {
        try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
        for path in ["empty", "absent", "absent.ndjson"] {
            let run = try Tool.smelt("replay", folder.path(path), "--store", store)
            #expect(run.status == 2 && run.errors.contains(path), "\(run.errors)")
        }
    }

    @Test func oneBadVectorDoesNotStopTheOthersUnlessAsked() throws {
        let good = try Tool.vector("counter").text()
        let file = try folder.write("{\n\(good)\n", "v.ndjson")
        let all = try Tool.smelt("replay", file, "--store", store)
        #expect(all.status == 2 && all.lines.last == "1 passed, 1 failed, 0 skipped", "\(all.output)")
        let first = try Tool.smelt("replay", file, "--store", store, "--fail-fast")
        #expect(first.lines.last == "0 passed, 1 failed, 0 skipped", "\(first.output)")
    }

    // MARK: Modules

    @Test func anInvalidModuleNamesFunctionOffsetAndRule() throws {
        // (func (result i32)) with an empty body, hand-assembled.
        let module: [UInt8] = [
            0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7F, 3, 2, 1, 0, 10, 4, 1, 2, 0, 0x0B,
        ]
        let path = try folder.write(module, "bad.wasm")
        for command in ["compile", "inspect", "run"] {
            let arguments = [command, path] + (command == "run" ? ["f"] : [])
            let run = try Tool.run(Tool.binary, arguments, environment: ["XDG_CACHE_HOME": folder.path("cache")])
            #expect(run.status == 2)
            #expect(run.errors.contains("function 0 at 0x18") && run.errors.contains("validate"), "\(run.errors)")
        }
    }

    @Test func anImportThatIsNoSyscallIsSaidByInspectAndFatalInReplay() throws {
        let module: [UInt8] = [
            0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 11, 1, 3, 0x65, 0x6E, 0x76, 3, 0x6E, 0x6F, 0x77, 0,
            0,
            3, 2, 1, 0, 10, 4, 1, 2, 0, 0x0B,
        ]
        let run = try Tool.smelt("inspect", try folder.write(module, "import.wasm"))
        #expect(
            run.output.contains("env") && run.output.contains("now") && run.output.contains("none"), "\(run.output)")
    }

    @Test func aFileOfAnotherKindIsSaid() throws {
        let path = try folder.write("hello", "hello.txt")
        for command in ["compile", "inspect"] {
            let run = try Tool.smelt(command, path)
            #expect(run.status == 2 && run.errors.contains("hello.txt"))
        }
        #expect(try Tool.smelt("compile", folder.path("absent")).errors.contains("No such file"))
        #expect(try Tool.smelt("compile", folder.root).errors.contains("is a directory"))
    }
}
