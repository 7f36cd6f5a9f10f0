import Engine
import Foundation
import JSON
import Primitives
import TestSupport
import Testing
import WasmReference

@testable import Replay

/// Vectors without demands run, get their results, and come apart into their messages.
@Suite struct VectorResultsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A vector of the project's own: actors, states and several messages in one file.
    static func sample(_ name: String) throws -> JSONValue {
        try JSON.parse(try readFile("\(packageRoot)/Tests/Samples/vectors/\(name).json"))
    }

    static let samples = ["counter", "relay", "sieve"]

    func run(
        _ paths: [String], bless: String? = nil, extract: String? = nil, rounds: Int = 1, networkVersion: UInt32? = nil,
        engine: any ActorEngine = ReferenceEngine.fvm()
    ) throws -> (reports: [VectorReport], summary: ReplaySummary) {
        var options = ReplayOptions(
            paths: paths, rounds: rounds, networkVersion: networkVersion.map { NetworkVersion(rawValue: $0) })
        options.blessOutput = bless
        options.extractDirectory = extract
        var reports: [VectorReport] = []
        let summary = try ReplayRunner(options, engine: engine, bundles: []).run { reports.append($0) }
        return (reports, summary)
    }

    func write(_ json: JSONValue, _ name: String) throws -> String {
        try directory.write(name, Array(json.text().utf8))
    }

    // MARK: Without postconditions

    @Test(arguments: [nil, JSONValue.null, .object([JSONValue.Member]())])
    func aVectorThatDemandsNothingRuns(_ postconditions: JSONValue?) throws {
        let open = try Self.sample("counter").replacing(["postconditions"], with: postconditions)
        let (reports, summary) = try run([try write(open, "open.json")], rounds: 2)
        let report = try #require(reports.first)
        #expect(report.status == .ran && report.messages.count > 1 && report.mismatches.isEmpty)
        #expect(summary.ran == 1 && summary.passed + summary.failed + summary.skipped == 0)
        #expect(TextReport().text(report).hasPrefix("ran      open  "))
        #expect(TextReport().text(summary).hasSuffix("\n1 ran, 0 passed, 0 failed, 0 skipped"))
        #expect(JSONReport.value(report)["status"]?.string == "ran" && JSONReport.value(summary)["ran"] == .integer(1))
    }

    @Test func whatCannotRunFailsWithoutDemandsToo() throws {
        let open = try Self.sample("counter").replacing(["postconditions"], with: nil)
        let broken = open.replacing(["preconditions", "variants", "0", "nv"], with: .integer(99))
        let target = directory.path + "/out.json"
        let (reports, _) = try run([try write(broken, "broken.json")], bless: target)
        #expect(reports.map(\.status) == [.failed])
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test func aTraceIsComparedThoughNothingElseIs() throws {
        let open = try write(try Self.sample("counter").replacing(["postconditions"], with: nil), "open.json")
        _ = try directory.write("open.trace.jsonl", Array("[\"message\",1]\n".utf8))
        #expect(try run([open]).reports.map(\.status) == [.failed])
    }

    // MARK: Bless

    @Test(arguments: samples)
    func blessedItPassesAndDemandsWhatWasDemanded(_ name: String) throws {
        let original = try Self.sample(name)
        let open = original.replacing(["postconditions"], with: nil).replacing(["note"], with: .string("kept"))
        let target = directory.path + "/blessed.json"
        #expect(try run([try write(open, "open.json")], bless: target).summary.ran == 1)
        #expect(try run([target]).reports.map(\.status) == [.passed])
        let blessed = try JSON.parse(try readFile(target))
        #expect(blessed["note"]?.string == "kept" && blessed["_meta"] == original["_meta"])
        let (now, then) = (blessed["postconditions"], original["postconditions"])
        #expect(now?["state_tree"] == then?["state_tree"])
        for field in ["exit_code", "return", "gas_used"] {
            #expect(now?["receipts"]?.array?.map { $0[field] } == then?["receipts"]?.array?.map { $0[field] })
        }
        #expect(now?["apply_rets"]?.array?.count == original["apply_messages"]?.array?.count)
        #expect(now?["events"]?.array?.count == original["apply_messages"]?.array?.count)
    }

    @Test func aBlessedVectorHoldsTheStateAfter() throws {
        let wrong = try write(try Self.sample("counter").replacing(["postconditions"], with: nil), "open.json")
        let target = directory.path + "/blessed.json"
        _ = try run([wrong], bless: target)
        let before = try #require(JSON.parse(try readFile(target))["preconditions"]?["state_tree"])
        // Demanding the state before shows where the states differ: both have to be there for that.
        let changed = try JSON.parse(try readFile(target)).replacing(["postconditions", "state_tree"], with: before)
        let fields = try run([try write(changed, "changed.json")]).reports[0].mismatches.map(\.field)
        #expect(fields.count > 1 && fields.last == "state root", "\(fields)")
    }

    @Test func aFailureStaysOneAndIsBlessed() throws {
        let wrong = try Self.sample("counter").replacing(
            ["postconditions", "receipts", "0", "gas_used"], with: .integer(1))
        let target = directory.path + "/blessed.json"
        #expect(try run([try write(wrong, "wrong.json")], bless: target).reports.map(\.status) == [.failed])
        #expect(try run([target]).reports.map(\.status) == [.passed])
    }

    @Test func aFolderIsBlessedIntoAFolder() throws {
        try FileManager.default.createDirectory(atPath: directory.path + "/in/deep", withIntermediateDirectories: true)
        for name in ["in/a.json", "in/deep/b.json"] {
            _ = try write(try Self.sample("counter").replacing(["postconditions"], with: nil), name)
        }
        let out = directory.path + "/new/out"
        #expect(try run([directory.path + "/in"], bless: out).summary.ran == 2)
        let (reports, summary) = try run([out])
        #expect(reports.map(\.name) == ["a", "deep/b"] && summary.passed == 2)
    }

    @Test func noInputIsWrittenTo() throws {
        let text = Array(try Self.sample("counter").replacing(["postconditions"], with: nil).text().utf8)
        let path = try directory.write("open.json", text)
        let link = directory.path + "/link.json"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        for (paths, target) in [
            ([path], path), ([path], link), ([path], directory.path), ([directory.path], directory.path),
        ] {
            do {
                _ = try run(paths, bless: target)
                Issue.record("\(target) was written")
            } catch let error as ReplayError {
                guard case .usage(let reason) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(reason.contains("is the input"), "\(reason)")
            }
        }
        // Names inside a file of many vectors are seen only when they come.
        let many = try directory.write(
            "many.ndjson",
            Array(try JSON.parse(text).replacing(["_meta", "id"], with: .string("open")).text().utf8) + [10])
        let (reports, _) = try run([many, path], bless: directory.path + "/other/")
        #expect(reports.map(\.status) == [.ran, .failed])
        #expect(reports[1].problem?.contains("another vector is called \"open\" too") == true)
        #expect(try readFile(path) == text)
        #expect(throws: ReplayError.self) { try run([path], bless: "-") }
    }

    @Test func variantsShareOneResultOrHaveNone() throws {
        let sample = try Self.sample("counter").replacing(["postconditions"], with: nil)
        let first = try #require(sample["preconditions"]?["variants"]?.array?.first)
        func two(_ version: Int) throws -> String {
            let other = first.replacing(["nv"], with: .integer(version)).replacing(["id"], with: .string("other"))
            return try write(
                sample.replacing(["preconditions", "variants"], with: .array([first, other])), "two.json")
        }
        let target = directory.path + "/blessed.json"
        // Versions of two price lists do not use the same gas.
        let apart = try run([try two(first["nv"] == .integer(21) ? 18 : 21)], bless: target)
        #expect(apart.reports.allSatisfy { $0.problem?.contains("different results") == true })
        #expect(!FileManager.default.fileExists(atPath: target))
        let version = UInt32(try #require(first["nv"]?.integer(Int.self)))
        let path = try two(Int(version))
        #expect(try run([path], bless: target).reports.map(\.status) == [.ran, .ran])
        #expect(try run([target]).summary.passed == 2)
    }

    // MARK: Extract

    @Test(arguments: samples)
    func everyMessageIsAVectorOfItsOwn(_ name: String) throws {
        let original = try Self.sample(name)
        let path = try write(original, "whole.json")
        let out = directory.path + "/messages"
        let whole = try #require(try run([path], extract: out).reports.first)
        #expect(whole.status == .passed)
        let (reports, summary) = try run([out])
        #expect(summary.passed == whole.messages.count && reports.count == whole.messages.count)
        let all = try Vector(json: try readFile(path), file: "whole")
        let blocks = try VectorRunner.loadBlocks(of: all, file: "whole")
        for index in whole.messages.indices {
            let file = "\(out)/whole__\(index).json"
            let vector = try Vector(json: try readFile(file), file: file)
            #expect(vector.messages == [all.messages[index]])
            let report = try #require(reports.first { $0.name == "whole__\(index)" })
            #expect(report.messages.first?.result == whole.messages[index].result)
            // Fewer blocks than the whole has, and each one is needed: without any one it does not pass.
            let read = try VectorRunner.loadBlocks(of: vector, file: file)
            #expect(read.count < blocks.count || whole.messages.count == 1)
            for cid in read.keys where cid != vector.preStateRoot && index == 0 {
                var less = vector
                less.car = Vector.archive(roots: [vector.preStateRoot], blocks: read.filter { $0.key != cid })
                let lacking = directory.path + "/less.json"
                try less.write(to: lacking)
                #expect(try run([lacking]).summary.passed == 0, "\(cid) is not needed")
            }
        }
    }

    /// Vectors of built-in actors: one from mainnet, and several messages that change each other's state.
    @Test(arguments: [
        ("vectors/nv18/fil_10_storagepower__CreateMiner__Ok__1.json", "v10"),
        ("vectors/golden/nv28/builtin__executor_Multi__mixed__2.json", "v18"),
        ("vectors/golden/nv28/builtin__multisig_Propose__mixed__1.json", "v18"),
    ])
    func messagesToBuiltinActorsAreExtracted(_ file: String, _ version: String) throws {
        guard let path = sharedData(file), let bundle = try bundle(version) else { return }
        var options = ReplayOptions(paths: [path])
        options.extractDirectory = directory.path + "/out"
        var whole: [VectorReport] = []
        _ = try ReplayRunner(options, engine: ReferenceEngine.fvm(), bundles: [bundle]).run { whole.append($0) }
        #expect(whole.map(\.status) == [.passed])
        var alone: [VectorReport] = []
        let extracted = ReplayOptions(paths: [directory.path + "/out"])
        _ = try ReplayRunner(extracted, engine: ReferenceEngine.fvm(), bundles: [bundle]).run { alone.append($0) }
        #expect(alone.allSatisfy { $0.status == .passed })
        #expect(alone.map(\.messages.first?.result) == whole[0].messages.map(\.result))
        #expect(alone.last?.stateRoot == whole[0].stateRoot)
        let all = try VectorRunner.loadBlocks(of: try Vector(json: try readFile(path), file: "x"), file: "x")
        for report in alone {
            let vector = try Vector(json: try readFile(report.file), file: "y")
            #expect(try VectorRunner.loadBlocks(of: vector, file: "y").count < all.count)
        }
    }

    @Test func onlyTheRandomnessAskedForGoesAlong() throws {
        let unused = JSONValue.object([
            "on": .array([.string("chain"), .integer(7)]),
            "ret": .string(Base64.encode([UInt8](repeating: 9, count: 32))),
        ])
        let path = try write(
            try Self.sample("counter").replacing(["randomness"], with: .array([unused])), "whole.json")
        #expect(try run([path], extract: directory.path + "/out").summary.passed == 1)
        let message = directory.path + "/out/whole__0.json"
        #expect(try Vector(json: try readFile(message), file: "x").randomness.isEmpty)
        #expect(try Vector(json: try readFile(path), file: "x").randomness.count == 1)
    }
}
