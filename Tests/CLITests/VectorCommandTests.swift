import Foundation
import JSON
import Primitives
import TestSupport
import Testing

/// `smelt vector make` and `smelt message make` on the state of a sample vector, whose receipts are known.
@Suite struct VectorCommandTests {
    private let folder: TemporaryFolder
    private let state: String
    private let sample: JSONValue
    private let messages: [[UInt8]]

    init() throws {
        folder = try TemporaryFolder()
        sample = try Tool.vector("counter")
        state = folder.path("state.car")
        let packed = Array(try #require(sample["car"]?.string).utf8)
        let unpack = try Tool.run("/bin/bash", ["-c", "base64 -d | gunzip > '\(state)'"], input: packed)
        try #require(unpack.status == 0, "\(unpack.errors)")
        messages = try #require(sample["apply_messages"]?.array).map {
            try #require(Base64.decode($0["bytes"]?.string ?? ""))
        }
    }

    /// With the circumstances of the sample.
    private func make(_ files: [String], state: String? = nil, to name: String = "made", _ more: String...) throws
        -> Tool.Run
    {
        try Tool.run(
            Tool.binary,
            ["vector", "make", "--state", state ?? self.state, "--network-version", "18", "--epoch", "3000000"]
                + ["--chain-id", "314", "--tier", "baseline", "--store", folder.path("store")]
                + ["-o", folder.path(name + ".json")] + files.flatMap { ["--message", $0] } + more)
    }

    private func file(_ index: Int) throws -> String { try folder.write(messages[index], "\(index).cbor") }

    private func made(_ name: String = "made") throws -> JSONValue {
        try JSON.parse(bytes(ofFile: folder.path(name + ".json")))
    }

    private func replay(_ name: String) throws -> Tool.Run {
        try Tool.smelt(
            "replay", folder.path(name + ".json"), "--tier", "baseline", "--store", folder.path("store"))
    }

    @Test func aVectorHasTheKnownResultsAndPasses() throws {
        let run = try make(try messages.indices.map(file))
        #expect(run.status == 0, "\(run.errors)")
        let known = try #require(sample["postconditions"])
        let vector = try made()
        #expect(vector["postconditions"]?["state_tree"] == known["state_tree"])
        let receipts = try #require(vector["postconditions"]?["receipts"]?.array)
        for (got, expected) in zip(receipts, try #require(known["receipts"]?.array)) {
            for field in ["exit_code", "return", "gas_used"] { #expect(got[field] == expected[field]) }
        }
        #expect(run.output.contains("message 1: exit code 0"), "\(run.output)")
        let passed = try replay("made")
        #expect(passed.lines.last == "1 passed, 0 failed, 0 skipped", "\(passed.output)\(passed.errors)")
    }

    @Test func stepByStepLeadsToTheSameState() throws {
        #expect(try make(try messages.indices.map(file), to: "whole").status == 0)
        var before = state
        for index in messages.indices {
            let after = folder.path("\(index).car")
            let run = try make([try file(index)], state: before, to: "step\(index)", "--output-state", after)
            #expect(run.status == 0, "\(run.errors)")
            #expect(try replay("step\(index)").status == 0)
            before = after
        }
        let last = try made("step\(messages.count - 1)")
        #expect(last["postconditions"]?["state_tree"] == (try made("whole"))["postconditions"]?["state_tree"])
    }

    @Test func everyFormOfAMessageGivesTheSameVector() throws {
        #expect(try make([try file(0)]).status == 0)
        let expected = try bytes(ofFile: folder.path("made.json"))
        let hex = try folder.write(
            "0x" + Hex.encode(messages[0]).uppercased().replacingOccurrences(of: "0X", with: "") + "\n", "m.hex")
        // What the sample's first message says, written by the tool for people.
        let json = try Tool.smelt(
            "message", "make", "--from", try Address.secp256k1([UInt8](repeating: 0x5A, count: 20)).text(), "--to",
            "t01001",
            "--nonce", "0", "--method", "1", "--gas-limit", "100000000000", "--fee-cap", "200",
            "--premium", "1")
        #expect(json.status == 0, "\(json.errors)")
        for path in [hex, try folder.write(json.output, "m.json")] {
            let run = try make([path])
            #expect(run.status == 0, "\(run.errors)")
            #expect(try bytes(ofFile: folder.path("made.json")) == expected, "\(path)")
        }
    }

    @Test func whatIsNoMessageIsBadInputWithItsPlace() throws {
        let cases = [
            ("{", "not JSON"), ("{\"To\": \"f01\"}", "\"From\" is missing"),
            ("{\"To\": \"f0x\", \"From\": \"f01\"}", "To: \"f0x\" is no address"), ("8a00", "not a message"),
            ("8200", "not a message"), ("no", "not a message"),
            ("{\"To\":\"f01\",\"From\":\"f0100\",\"Nonce\":0,\"GasLimit\":0,\"Method\":0}", "gas limit 0"),
            (
                "{\"Message\":{\"To\":\"f01\",\"From\":\"f0100\",\"Nonce\":0,\"GasLimit\":1,\"Method\":0}}",
                "\"Signature\""
            ),
        ]
        for (text, complaint) in cases {
            let run = try make([try folder.write(text, "m")])
            #expect(run.status == 2 && run.errors.contains(complaint), "\(text): \(run.status) \(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path("made.json")))
        }
    }

    @Test func aStateThatIsNoneIsBadInput() throws {
        let message = try file(0)
        let text = try folder.write("no archive", "text.car")
        #expect(try make([message], state: text).status == 2)
        // A CAR whose root is missing: the header of the sample's alone.
        let whole = try bytes(ofFile: state)
        let headless = try folder.write(Array(whole.prefix(1 + Int(whole[0]))), "head.car")
        let run = try make([message], state: headless)
        #expect(run.status == 2 && run.errors.contains("head.car") && run.errors.contains("missing"), "\(run.errors)")
        let unknown = try Tool.smelt(
            "vector", "make", "--state", state, "--network-version", "17", "-m", message, "-o", folder.path("v.json"))
        #expect(unknown.status == 2 && unknown.errors.contains("17 is not known"), "\(unknown.errors)")
        #expect(try Tool.smelt("vector", "make", "--state", state).status == 64)
    }

    @Test func badMessagePartsAreRefused() throws {
        let good = ["message", "make", "--from", "f0100", "--nonce", "0", "--to", "f01"]
        for (more, complaint) in [
            (["--params", "0g"], "not bytes in hexadecimal"), (["--value", "-1"], "not an amount of FIL"),
            (["--fee-cap", "1.5"], "--fee-cap '1.5'"), (["--call", "1"], "not bytes in hexadecimal"),
        ] {
            let run = try Tool.run(Tool.binary, good + more)
            #expect(run.status == 2 && run.errors.contains(complaint), "\(more): \(run.status) \(run.errors)")
        }
        let both = try Tool.run(Tool.binary, good + ["--call", "00", "--params", "00"])
        #expect(both.status == 64 && both.errors.contains("exclude each other"), "\(both.errors)")
        #expect(try Tool.smelt("message", "make", "--from", "f0100", "--nonce", "0").status == 64)
        #expect(try Tool.smelt("message", "make", "--to", "f0100").status == 64)
    }
}
