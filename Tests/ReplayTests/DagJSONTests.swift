import Bundle
import IPLD
import JSON
import Kernel
import Machine
import Primitives
import TestSupport
import Testing
import WasmReference

@testable import Replay

/// What people see of parameters, return values, methods and verifications.
@Suite struct DagJSONTests {
    @Test(arguments: [
        ("f6", "null"), ("f5", "true"), ("00", "0"), ("1bffffffffffffffff", "18446744073709551615"),
        ("3bffffffffffffffff", "-18446744073709551616"), ("20", "-1"), ("1b0020000000000001", "9007199254740993"),
        ("fb3ff8000000000000", "1.5"), ("fb4000000000000000", "2.0"), ("63c3bc21", #""ü!""#),
        ("40", #"{"/":{"bytes":""}}"#), ("4101", #"{"/":{"bytes":"AQ"}}"#), ("43010203", #"{"/":{"bytes":"AQID"}}"#),
        ("82014101", #"[1,{"/":{"bytes":"AQ"}}]"#), ("80", "[]"), ("a0", "{}"),
        // The order of DAG-CBOR is by length first, that of DAG-JSON by bytes alone.
        ("a26162016261630a", #"{"ac":10,"b":1}"#),
    ])
    func itemsHaveTheirForms(_ cbor: String, _ json: String) throws {
        #expect(DagJSON.value(cbor: try #require(Hex.decode(cbor)))?.text() == json)
    }

    @Test func linksAreTheTextOfTheirCid() {
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: [0x80])
        var writer = CborWriter()
        writer.array(1)
        writer.link(cid)
        #expect(DagJSON.value(cbor: writer.bytes)?.text() == #"[{"/":"\#(cid.text)"}]"#)
    }

    @Test(arguments: ["", "ff", "8201", "0000", "fb7ff0000000000000", "a1612f01"])
    func whatHasNoFormIsNotShown(_ cbor: String) throws {
        #expect(DagJSON.value(cbor: try #require(Hex.decode(cbor))) == nil)
    }

    @Test func aBlockIsShownByItsCodec() {
        #expect(DagJSON.value([0x01], codec: Cid.raw)?.text() == #"{"/":{"bytes":"AQ"}}"#)
        #expect(DagJSON.value([0x01], codec: Cid.dagCbor)?.text() == "1")
        #expect(DagJSON.value([0x01], codec: 0x99) == nil)
    }

    // MARK: Methods

    @Test(
        arguments: [
            // As the enumerations of the actors and Lotus's tables of methods have them.
            ("AuthenticateMessage", 2_643_134_072), ("Receive", 3_726_118_371), ("InvokeEVM", 3_844_450_837),
            ("GetClaims", 2_199_871_187), ("WithdrawBalance", 2_280_458_852),
        ] as [(String, UInt64)])
    func exportedMethodsAreNumberedByTheirNames(_ name: String, _ number: UInt64) {
        #expect(BuiltinMethods.number(of: name) == number)
    }

    @Test(
        arguments: [
            (6, "storageminer", 21, "PreCommitSector"), (6, "storageminer", 22, nil), (7, "storageminer", 23, nil),
            (7, "storageminer", 22, "ProveCommitSector"), (17, "storageminer", 22, "ConfirmSectorProofsValid"),
            (17, "storageminer", 29, "InternalSectorSetupForPreseal"), (36, "storageminer", 23, "ProveCommitSectorsNI"),
            (36, "storageminer", 22, nil), (6, "storagemarket", 20, "ActivateDeals"),
            (6, "storagemarket", 21, "BatchActivateDeals"), (3_844_450_837, "evm", 18, "InvokeContract"),
            (0, nil, 18, "Send"), (2, nil, 18, nil), (2, "placeholder", 18, nil),
            (5, "storageminer", 26, "SubmitWindowedPoSt"),
        ] as [(UInt64, String?, UInt32, String?)])
    func methodsHaveTheNamesOfTheirVersion(_ method: UInt64, _ kind: String?, _ version: UInt32, _ name: String?) {
        let actors = ReleasedBundles.actorsVersion(NetworkVersion(rawValue: version))
        #expect(BuiltinMethods.name(method, kind: kind, actors: actors) == name)
    }

    /// A state can have other actors than its network version runs on mainnet: the names are the actors'.
    @Test(arguments: [("v10", 28, 10), ("v11", 20, 11), ("v18", 18, 18)] as [(String, UInt32, Int)])
    func aReleasesActorsSayTheirVersion(_ name: String, _ version: UInt32, _ actors: Int) throws {
        guard let bundle = try bundle(name) else { return }
        let network = NetworkVersion(rawValue: version)
        let manifest = try BuiltinManifest(bundle.manifest, cid: bundle.manifestData)
        #expect(BuiltinMethods.actorsVersion(manifest, network) == actors)
        // Of actors that no release has, the network version says what they are.
        let changed = try BuiltinManifest(bundle.manifest, cid: bundle.root)
        #expect(BuiltinMethods.actorsVersion(changed, network) == ReleasedBundles.actorsVersion(network))
    }

    @Test func noActorHasTwoMethodsOfOneNumberAtATime() {
        for (kind, rows) in BuiltinMethods.table {
            for (index, row) in rows.enumerated() {
                for other in rows[(index + 1)...] where other.number == row.number {
                    #expect(!row.versions.overlaps(other.versions), "\(kind) \(row.number)")
                }
            }
        }
    }

    /// Replays with actors' code, if the shared data is there.
    func replay(_ vector: String, bundle version: String, lotus: Bool = false) throws -> (VectorReport, ReplaySummary)?
    {
        guard let path = sharedData(vector), let bundle = try bundle(version) else { return nil }
        var options = ReplayOptions(paths: [path])
        options.lotus = lotus
        var reports: [VectorReport] = []
        let summary = try ReplayRunner(options, engine: ReferenceEngine.fvm(), bundles: [bundle]).run {
            reports.append($0)
        }
        return (try #require(reports.first), summary)
    }

    @Test func messagesAreShownWithMethodAndParameters() throws {
        let vector = "vectors/nv18/fil_10_storageminer__ChangePeerID__Ok__1.json"
        guard let (report, _) = try replay(vector, bundle: "v10", lotus: true) else { return }
        let text = TextReport(receipts: true).text(report)
        #expect(text.contains("(storageminer), method 4 (ChangePeerID)"), "\(text)")
        #expect(text.contains(#"parameters           [{"/":{"bytes":""#))
        let message = JSONReport.value(report)["messages"]?.array?.first
        #expect(message?["method_name"]?.string == "ChangePeerID" && message?["receiver"]?.string == "storageminer")
        #expect(message?["params_dag_json"]?.array?.first?["/"]?["bytes"]?.string?.isEmpty == false)
        let trace = report.lotus.first?["ExecutionTrace"]
        #expect(trace?["MethodName"]?.string == "ChangePeerID" && trace?["Msg"]?["Method"] == .integer(4))
    }

    @Test func returnValuesAreShown() throws {
        let vector = "vectors/nv18/fil_10_storagepower__CreateMiner__Ok__1.json"
        guard let (report, _) = try replay(vector, bundle: "v10") else { return }
        let shown = JSONReport.value(report)["messages"]?.array?.first?["return_dag_json"]?.array
        #expect(shown?.count == 2 && shown?.allSatisfy { $0["/"]?["bytes"]?.string?.contains("=") == false } == true)
        #expect(TextReport(receipts: true).text(report).contains("return as DAG-JSON   [{"))
    }

    @Test func framesOfABacktraceNameTheirMethods() throws {
        let vector = "vectors/nv18/fil_10_storagemarket__PublishStorageDeals__16__2.json"
        guard let (report, _) = try replay(vector, bundle: "v10") else { return }
        let failure = try #require(report.messages.first?.failure)
        #expect(failure.description.contains("method 4 (PublishStorageDeals)"), "\(failure)")
        // What is shown is no part of what came of the message.
        #expect(report.messages.first?.result?.failure?.frames.allSatisfy { $0.methodName == nil } == true)
    }

    // MARK: Verifications

    @Test func answeredVerificationsAreCounted() throws {
        let vector = "vectors/nv18/fil_10_storageminer__ProveCommitAggregate__Ok__1.json"
        guard let (report, summary) = try replay(vector, bundle: "v10") else { return }
        #expect(report.answered[.aggregateSeals] == 1 && report.answered[.consensusFaults] == 0)
        #expect(summary.answered == report.answered)
        let text = TextReport().text(summary)
        #expect(
            text.contains("answered, not computed, as the reference's conformance driver answers: 1 verify_aggregate"))
        #expect(text.hasSuffix("\n1 passed, 0 failed, 0 skipped"))
        let json = JSONReport.value(summary)["answered_verifications"]?.array
        #expect(json?.count == 1 && json?.first?["count"] == .integer(1) && json?.first?["answer"]?.string == "valid")
    }

    @Test func withoutVerificationsNothingIsSaid() throws {
        guard let (report, summary) = try replay(transferVector, bundle: "v10") else { return }
        #expect(report.answered.isEmpty && JSONReport.value(summary)["answered_verifications"] == .array([]))
        #expect(!TextReport().text(summary).contains("answered"))
    }
}
