import Crypto
import Engine
import Foundation
import IPLD
import JSON
import Kernel
import Machine
import Primitives
import TestSupport
import Testing

@testable import Replay

/// The runner around vectors: finding, comparing, reporting. No actor code runs but where an interpreter is named.
@Suite struct RunnerTests {
    let directory: TemporaryDirectory
    /// A plain transfer, which needs no code; nil without the shared data.
    let transfer: JSONValue?
    let golden: [UInt8]?

    init() throws {
        directory = try TemporaryDirectory()
        transfer = try sharedData(transferVector).map { try JSON.parse(try readFile($0)) }
        golden = try sharedData("traces/nv18/fil_10_storageminer__Send__Ok__1.trace.jsonl").map { try readFile($0) }
    }

    func run(
        _ paths: [String], jobs: Int = 1, rounds: Int = 1, networkVersion: UInt32? = nil, trace: String? = nil,
        failFast: Bool = false, engine: any ActorEngine = NoEngine()
    ) throws -> (reports: [VectorReport], summary: ReplaySummary) {
        let runner = try ReplayRunner(
            ReplayOptions(
                paths: paths, jobs: jobs, rounds: rounds,
                networkVersion: networkVersion.map { NetworkVersion(rawValue: $0) },
                traceDirectory: trace, failFast: failFast),
            engine: engine, bundles: [])
        var reports: [VectorReport] = []
        let summary = try runner.run { reports.append($0) }
        return (reports, summary)
    }

    /// Runs one vector.
    func run(_ json: JSONValue, trace: String? = nil, engine: any ActorEngine = NoEngine()) throws -> VectorReport {
        let path = try directory.write("vector.json", Array(json.text().utf8))
        return try #require(try run([path], trace: trace, engine: engine).reports.first)
    }

    // MARK: Comparison

    @Test func aTransferPassesWithoutAnyCode() throws {
        guard let transfer else { return }
        let report = try run(transfer)
        #expect(report.status == .passed, "\(TextReport().text(report))")
        #expect(report.messages.count == 1)
        #expect(report.trace == .notCompared)
    }

    @Test func severalRoundsMakeOneReport() throws {
        guard let transfer else { return }
        let right = try directory.write("right.json", Array(transfer.text().utf8))
        let (reports, summary) = try run([right], rounds: 3)
        #expect(summary.passed == 1 && summary.messages == 1 && reports.map(\.messages.count) == [1])
        let wrong = transfer.replacing(["postconditions", "receipts", "0", "gas_used"], with: .number("1"))
        let failed = try run([try directory.write("wrong.json", Array(wrong.text().utf8))], rounds: 3)
        #expect(failed.summary.failed == 1 && failed.reports.map(\.mismatches.count) == [1])
    }

    @Test func everyWrongValueIsShownBesideTheRightOne() throws {
        guard let transfer else { return }
        let receipt = ["postconditions", "receipts", "0"]
        let json = transfer.replacing(receipt + ["exit_code"], with: .number("18"))
            .replacing(receipt + ["return"], with: .string("AAEC"))
            .replacing(receipt + ["gas_used"], with: .number("1"))
            .replacing(
                ["postconditions", "state_tree", "root_cid", "/"],
                with: .string("bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a"))
        let report = try run(json)
        #expect(report.status == .failed)
        #expect(report.mismatches.map(\.field) == ["exit code", "return", "gas used", "state root"])
        #expect(report.mismatches.first?.expected == "18 (USR_FORBIDDEN)")
        #expect(report.mismatches.first?.got == "0 (OK)")
        #expect(report.mismatches[1].expected == "000102")
        let text = TextReport().text(report)
        for word in ["USR_FORBIDDEN", "000102", "bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a"] {
            #expect(text.contains(word))
        }
    }

    @Test func statedFeesAndEventsAreCompared() throws {
        guard let transfer else { return }
        let zero = JSONValue.string("0")
        let json = transfer.replacing(
            ["postconditions", "apply_rets"],
            with: .array([
                .object([
                    "penalty": .string("1"), "miner_tip": zero, "base_fee_burn": zero,
                    "over_estimation_burn": zero, "refund": zero, "gas_refund": .number("0"),
                    "gas_burned": .number("0"),
                ])
            ])
        ).replacing(["postconditions", "receipts", "0", "events_root"], with: .null)
            .replacing(
                ["postconditions", "events"],
                with: .array([.array([.object(["emitter": .number("7"), "entries": .array([])])])]))
        let fields = try run(json).mismatches.map(\.field)
        #expect(fields.contains("penalty"))
        #expect(fields.contains("refund"))
        #expect(fields.contains("number of events"))
        #expect(!fields.contains("events root"))
    }

    @Test func aWrongStateIsShownByActorAndField() throws {
        guard let transfer else { return }
        // The state before as the one demanded: what the message changed is what differs.
        let before = transfer["preconditions"]?["state_tree"]
        let report = try run(transfer.replacing(["postconditions", "state_tree"], with: before))
        #expect(report.mismatches.last?.field == "state root")
        let fields = report.mismatches.dropLast().map(\.field)
        #expect(fields.contains("actor f01913012, nonce") && fields.contains("actor f02, balance"))
        let nonce = try #require(report.mismatches.first { $0.field == "actor f01913012, nonce" })
        #expect(nonce.expected == "10" && nonce.got == "11")
    }

    @Test func receiptsAreShownWhole() throws {
        guard let transfer else { return }
        let report = try run(transfer)
        let text = TextReport(receipts: true).text(report)
        for word in ["message 0: exit code 0 (OK)", "base fee burn", "miner tip", "refund", "hygge"] {
            #expect(text.contains(word), "\(text)")
        }
        let json = JSONReport.value(report)
        #expect(json["messages"]?.array?.first?["fees"]?["refund"]?.string == "5013894440801007")
        #expect(
            json["state_root"]?["/"]?.string == transfer["postconditions"]?["state_tree"]?["root_cid"]?["/"]?.string)
        #expect(json["builtin_actors"]?["/"]?.string?.hasPrefix("bafy2bzacea5a4r4pgc5p") == true)
        #expect(json["price_list"]?.string == "hygge")
    }

    @Test func lotusSeesATreeOfCalls() throws {
        guard let transfer else { return }
        let path = try directory.write("vector.json", Array(transfer.text().utf8))
        var options = ReplayOptions(paths: [path])
        options.lotus = true
        var reports: [VectorReport] = []
        _ = try ReplayRunner(options, engine: NoEngine(), bundles: []).run { reports.append($0) }
        let result = try #require(reports.first?.lotus.first)
        let trace = try #require(result["ExecutionTrace"])
        #expect(trace["Msg"]?["From"]?.string == "f01913012" && trace["Msg"]?["To"]?.string == "f0700033")
        #expect(trace["InvokedActor"]?["Id"]?.integer() == 700_033)
        let names = trace["GasCharges"]?.array?.compactMap { $0["Name"]?.string }
        #expect(names == ["OnChainMessage", "OnValueTransfer", "OnActorUpdate"])
        #expect(trace["GasCharges"]?.array?.first?["tg"]?.integer() == 728_363)
        #expect(trace["Subcalls"]?.array?.isEmpty == true && trace["MsgRct"]?["ExitCode"]?.integer() == 0)
        #expect(result["MsgRct"]?["GasUsed"]?.integer() == 1_209_363)
        #expect(result["MsgCid"]?["/"]?.string == "bafy2bzacebvtcga2rzo77slva5ebo5lqlc6nashveiaurrxhdci4kxqsknb2e")
    }

    @Test func lotusCallsNestAndEndWithTheExitCodesItShows() throws {
        let lotus = LotusTrace()
        func call(_ from: UInt64) -> TraceEvent {
            .call(
                TracedCall(
                    from: from, to: .id(from + 1), method: 2, params: nil, value: TokenAmount(0), gasLimit: 9,
                    readOnly: false))
        }
        let message = Message(
            to: .id(2), from: .id(1), nonce: 0, value: TokenAmount(0), gasLimit: 1, feeCap: TokenAmount(0),
            premium: TokenAmount(0), method: 2, params: [])
        lotus.begin(message: 0)
        for event in [
            call(1), call(2), .log("deep"), .callError(.notFound, "gone"), call(3), .callReturn(.ok, nil),
            .callReturn(ExitCode(rawValue: 16), Block(codec: 0x51, data: [1])),
        ] { lotus.record(event) }
        let root = Cid.blake2b256(codec: 0x71, data: [])
        let result = ApplyResult(receipt: Receipt(exitCode: .ok, gasUsed: 0), gas: GasOutputs())
        let trace = try #require(lotus.result(message, cid: root, result, nanoseconds: 0)["ExecutionTrace"])
        let calls = try #require(trace["Subcalls"]?.array)
        #expect(calls.map { $0["MsgRct"]?["ExitCode"] } == [.number("5"), .number("0")])
        #expect(calls[0]["Logs"]?.array?.first?.string == "deep" && calls[1]["Logs"] == nil)
        #expect(trace["MsgRct"]?["ReturnCodec"]?.integer() == 0x51 && trace["MsgRct"]?["Return"]?.string == "AQ==")
    }

    // MARK: Traces

    @Test func tracesWrittenAreThoseOfTheReferenceByteForByte() throws {
        guard let transfer, let golden else { return }
        let report = try run(transfer, trace: directory.path + "/traces")
        #expect(report.status == .passed)
        #expect(try readFile(directory.path + "/traces/vector.trace.jsonl") == golden)
    }

    @Test func theFirstDifferentChargeIsNamedWithBothSides() throws {
        guard let transfer, let golden else { return }
        let lines = String(decoding: golden, as: UTF8.self).split(separator: "\n").map(String.init)
        let position = try #require(lines.firstIndex { $0.contains("OnValueTransfer") })
        var changed = lines
        changed[position] = #"["charge","OnValueTransfer",6000001,0]"#
        changed[position + 1] = "nonsense"
        _ = try directory.write("vector.trace.jsonl", Array((changed.joined(separator: "\n") + "\n").utf8))
        let report = try run(transfer)
        #expect(report.status == .failed)
        guard case .different(let difference) = report.trace else {
            Issue.record("no difference found")
            return
        }
        #expect(difference.line == position + 1)
        #expect(difference.message == 0)
        #expect(difference.charges == 1)
        #expect(difference.expected == changed[position])
        #expect(difference.got == lines[position])
        #expect(TextReport().text(report).contains("trace line \(position + 1)"))
    }

    @Test func aTraceThatEndsEarlyOrLateIsDifferent() throws {
        guard let transfer, let golden else { return }
        _ = try directory.write("vector.trace.jsonl", golden + Array("[\"charge\",\"x\",0,0]\n".utf8))
        guard case .different(let late) = try run(transfer).trace else {
            Issue.record("a longer golden trace was taken")
            return
        }
        #expect(late.got == nil && late.expected == #"["charge","x",0,0]"#)
        let end = try #require(golden.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        _ = try directory.write("vector.trace.jsonl", Array(golden[...end]))
        guard case .different(let early) = try run(transfer).trace else {
            Issue.record("a shorter golden trace was taken")
            return
        }
        #expect(early.expected == nil && early.got?.contains("return") == true)
    }

    @Test func onlyTheTextOfAnErrorMayDiffer() throws {
        let golden = Array("[\"error\",6,\"gone\"]\n[\"error\",6,\"gone\"]\n".utf8)
        let lines = TraceLines(golden: golden, file: nil)
        lines.record(.callError(.notFound, "not there"))
        lines.record(.callError(.forbidden, "gone"))
        guard case .different(let difference) = lines.status() else {
            Issue.record("another number was taken")
            return
        }
        #expect(difference.line == 2)
    }

    @Test func namesThatPointElsewhereAreNotWritten() throws {
        guard let transfer else { return }
        let json = transfer.replacing(["_meta", "id"], with: .string("../escaped"))
        let path = try directory.write("many.ndjson", Array((json.text() + "\n").utf8))
        let report = try #require(try run([path], trace: directory.path + "/traces").reports.first)
        #expect(report.status == .failed)
        #expect(report.problem?.contains("../escaped") == true)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/escaped.trace.jsonl"))
    }

    // MARK: Input

    @Test func linesOfAnNDJSONFileAreVectorsNamedByTheirID() throws {
        guard let transfer else { return }
        let lines = ["one", "two", "three"].map { transfer.replacing(["_meta", "id"], with: .string($0)).text() }
        let path = try directory.write("many.ndjson", Array(lines.joined(separator: "\n\n").utf8))
        let (reports, summary) = try run([path], jobs: 3)
        #expect(reports.map(\.name) == ["one", "two", "three"])
        #expect(reports.map(\.file) == ["\(path):1", "\(path):2", "\(path):3"])
        #expect(summary.passed == 3)
    }

    @Test func aDirectoryIsItsJSONFilesInOrder() throws {
        guard let transfer else { return }
        let text = Array(transfer.text(.indented).utf8)
        for name in ["b.json", "a.json", "c.txt", ".hidden.json"] { _ = try directory.write(name, text) }
        #expect(try run([directory.path]).reports.map(\.name) == ["a", "b"])
    }

    @Test func foldersAreSearchedAndNamesArePaths() throws {
        guard let transfer, let golden else { return }
        let text = Array(transfer.text().utf8)
        for folder in ["nv18", "nv20/deep", ".hidden", "empty"] {
            try FileManager.default.createDirectory(
                atPath: directory.path + "/" + folder, withIntermediateDirectories: true)
            if folder != "empty" { _ = try directory.write(folder + "/same.json", text) }
        }
        _ = try directory.write("nv20/deep/same.trace.jsonl", golden)
        let traces = directory.path + "/traces"
        let (reports, summary) = try run([directory.path + "/"], trace: traces)
        #expect(reports.map(\.name) == ["nv18/same", "nv20/deep/same"])
        #expect(summary.passed == 2 && summary.equalTraces == 1)
        for report in reports { #expect(try readFile("\(traces)/\(report.name).trace.jsonl") == golden) }
        let goldens = try ReplayRunner(
            ReplayOptions(paths: [directory.path], goldenDirectory: traces), engine: NoEngine(), bundles: [])
        #expect(try goldens.run { _ in }.equalTraces == 2)
    }

    @Test func nothingFoundIsAnError() throws {
        for path in [directory.path, directory.path + "/none.json", try directory.write("empty.ndjson", [10, 10])] {
            #expect(throws: ReplayError.self) { try run([path]) }
        }
        #expect(throws: ReplayError.self) { try run([]) }
    }

    @Test func aBrokenVectorDoesNotStopTheOthers() throws {
        guard let transfer else { return }
        let text = Array(transfer.text().utf8)
        _ = try directory.write("a.json", text)
        _ = try directory.write("b.json", Array(text.prefix(1000)))
        _ = try directory.write("c.json", text)
        let (reports, summary) = try run([directory.path], jobs: 2)
        #expect(reports.map(\.status) == [.passed, .failed, .passed])
        #expect(reports[1].problem?.contains("b.json: not JSON") == true)
        #expect(summary.passed == 2 && summary.failed == 1)
    }

    @Test func failFastStopsAfterTheFirstFailure() throws {
        guard let transfer else { return }
        let text = Array(transfer.text().utf8)
        for index in 0..<6 { _ = try directory.write("\(index).json", index == 1 ? [123] : text) }
        let (reports, summary) = try run([directory.path], failFast: true)
        #expect(reports.map(\.name) == ["0", "1"])
        #expect(summary.passed == 1 && summary.failed == 1)
    }

    // MARK: Network versions

    @Test func anUnknownNetworkVersionIsNamed() throws {
        guard let transfer else { return }
        let version = ["preconditions", "variants", "0", "nv"]
        let unknown = try run(transfer.replacing(version, with: .number("99")))
        #expect(unknown.status == .failed)
        #expect(unknown.problem?.contains("99") == true)
        #expect(unknown.problem?.contains("known are 18 to") == true)
        // A plain transfer is the same under all rules.
        for known in ["18", "21", "29"] {
            #expect(try run(transfer.replacing(version, with: .number(known))).status == .passed)
        }
    }

    @Test func theVersionAskedForLeavesOthersOut() throws {
        guard let transfer else { return }
        let path = try directory.write("vector.json", Array(transfer.text().utf8))
        #expect(try run([path], networkVersion: 20).reports.map(\.status) == [.skipped("nv18 is not nv20")])
        #expect(try run([path], networkVersion: 18).summary.passed == 1)
        #expect(throws: ReplayError.self) { try run([path], networkVersion: 99) }
    }

    @Test func everyVariantIsRunOnAFreshState() throws {
        guard let transfer else { return }
        let variant = try #require(transfer["preconditions"]?["variants"]?.array?.first)
        let other = variant.replacing(["id"], with: .string("other"))
        let report = try run(transfer.replacing(["preconditions", "variants"], with: .array([variant, other])))
        let all = try run([directory.path + "/vector.json"]).reports
        #expect(report.status == .passed)
        #expect(all.map(\.name) == ["vector__ohsnap", "vector__other"])
        #expect(all.map(\.status) == [.passed, .passed])
    }
}
