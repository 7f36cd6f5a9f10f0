import JSON
import Primitives
import TestSupport
import Testing

@testable import Replay

/// What is wrong with a vector is said with its file, its field and the reason.
@Suite struct VectorParserTests {
    /// Path of a field, a wrong value for it, and words the complaint must have.
    static let faults: [(path: String, value: JSONValue?, words: [String])] = [
        ("class", .string("tipset"), ["class"]),
        ("class", nil, ["\"class\" is missing"]),
        ("preconditions", nil, ["\"preconditions\" is missing"]),
        ("preconditions.basefee", .number("-1"), ["preconditions.basefee", "-1"]),
        ("preconditions.basefee", .number("1.5"), ["preconditions.basefee", "1.5"]),
        ("preconditions.basefee", .number("1e3"), ["preconditions.basefee", "1e3"]),
        ("preconditions.basefee", .string("100"), ["preconditions.basefee", "a string"]),
        (
            "preconditions.circ_supply", .number("340282366920938463463374607431768211456"),
            ["preconditions.circ_supply", "2^128"]
        ),
        ("preconditions.chain_id", .number("18446744073709551616"), ["preconditions.chain_id"]),
        ("preconditions.state_tree.root_cid./", .string("bafynonsense"), ["preconditions.state_tree.root_cid./"]),
        ("preconditions.variants", .array([]), ["preconditions.variants", "empty"]),
        ("preconditions.variants.0.nv", .number("4294967296"), ["preconditions.variants[0].nv", "4294967296"]),
        ("preconditions.variants.0.epoch", .number("-1"), ["preconditions.variants[0].epoch", "negative"]),
        ("preconditions.variants.0.epoch", .number("9223372036854775808"), ["preconditions.variants[0].epoch"]),
        ("apply_messages.0.bytes", .string("####"), ["apply_messages[0].bytes", "base64"]),
        ("apply_messages.0.kind", .string("wish"), ["apply_messages[0].kind", "wish"]),
        ("apply_messages.0.chain_length", .number("-5"), ["apply_messages[0].chain_length"]),
        ("apply_messages", .array([]), ["postconditions.receipts", "1 elements for 0 messages"]),
        ("postconditions.receipts", .array([]), ["postconditions.receipts", "0 elements for 1 messages"]),
        ("postconditions.receipts.0.gas_used", .number("18446744073709551616"), ["receipts[0].gas_used"]),
        ("postconditions.receipts.0.exit_code", .number("4294967296"), ["receipts[0].exit_code"]),
        ("postconditions.receipts.0.return", .number("1"), ["receipts[0].return", "the number 1"]),
        ("postconditions.events", .array([]), ["postconditions.events", "0 elements"]),
        ("postconditions.apply_rets", .array([.null]), ["postconditions.apply_rets[0]", "null"]),
        (
            "randomness", .array([.object(["on": .array([.string("chain")]), "ret": .string("")])]),
            ["randomness[0].on"]
        ),
        (
            "randomness",
            .array([.object(["on": .array([.string("chain"), .number("1")]), "ret": .string("AAAA")])]),
            ["randomness[0].ret", "3 bytes"]
        ),
        (
            "randomness",
            .array([.object(["on": .array([.string("moon"), .number("1")]), "ret": .string("AAAA")])]),
            ["randomness[0].on[0]", "moon"]
        ),
        ("car", .string("AAAA"), ["car", "gzip"]),
        ("car", .number("1"), ["car", "the number 1"]),
    ]

    static func sample() throws -> JSONValue? {
        guard let path = sharedData(transferVector) else { return nil }
        return try JSON.parse(try readFile(path))
    }

    @Test func faultsAreNamedWithFileFieldAndReason() throws {
        guard let sample = try Self.sample() else { return }
        for fault in Self.faults {
            let broken = sample.replacing(fault.path.split(separator: ".").map(String.init), with: fault.value)
            do {
                _ = try Vector(json: Array(broken.text().utf8), file: "x.json")
                Issue.record("\(fault.path): \(String(describing: fault.value)) was accepted")
            } catch {
                for word in ["x.json"] + fault.words {
                    #expect(error.description.contains(word), "\(fault.path): \(error)")
                }
            }
        }
    }

    /// It is no fault of the whole vector: what stands before it is a message.
    @Test func aMessageThatDoesNotDecodeIsNamedAndEndsTheList() throws {
        guard let sample = try Self.sample() else { return }
        let broken = sample.replacing(["apply_messages", "0", "bytes"], with: .string("igBE"))
        let vector = try Vector(json: Array(broken.text().utf8), file: "x.json")
        #expect(vector.messages.isEmpty)
        let error = try #require(vector.unreadableMessage).description
        for word in ["x.json", "apply_messages[0].bytes", "cbor at 0x2"] { #expect(error.contains(word), "\(error)") }
    }

    @Test(arguments: [
        "selector", "_meta", "_meta.id", "_meta.description", "preconditions.basefee", "preconditions.circ_supply",
        "preconditions.timestamp", "preconditions.chain_id", "apply_messages.0.kind", "apply_messages.0.chain_length",
        "postconditions.events", "postconditions.apply_rets", "randomness",
    ])
    func nullInAnOptionalFieldIsAbsence(_ path: String) throws {
        guard let sample = try Self.sample() else { return }
        let parts = path.split(separator: ".").map(String.init)
        func vector(_ value: JSONValue?) throws -> Vector {
            try Vector(json: Array(sample.replacing(parts, with: value).text().utf8), file: "x.json", name: "x")
        }
        let (absent, null) = (try vector(nil), try vector(.null))
        #expect(null.environment == absent.environment && null.messages == absent.messages)
        #expect(null.description == absent.description && null.unsupported == absent.unsupported)
        #expect(null.postconditions == absent.postconditions)
        #expect(null.randomness == absent.randomness)
    }

    @Test func nullAsAnEventsRootSaysThereIsNone() throws {
        guard let sample = try Self.sample() else { return }
        let json = sample.replacing(["postconditions", "receipts", "0", "events_root"], with: .null)
        let receipt = try Vector(json: Array(json.text().utf8), file: "x.json").postconditions?.receipts.first
        #expect(receipt?.eventsRoot == .stated(nil))
    }

    @Test func aByteOrderMarkIsNamed() throws {
        #expect(throws: VectorError.self) { try Vector(json: [0xEF, 0xBB, 0xBF] + Array("{}".utf8), file: "x.json") }
        do { _ = try Vector(json: [0xEF, 0xBB, 0xBF], file: "x.json") } catch {
            #expect(error.description.contains("byte order mark"))
        }
    }

    @Test func integersBeyond64BitsAreExactWhereTheyAreLegal() throws {
        guard let sample = try Self.sample() else { return }
        let largest = "340282366920938463463374607431768211455"
        let json = sample.replacing(["preconditions", "circ_supply"], with: .number(largest))
            .replacing(["preconditions", "basefee"], with: .number("18446744073709551616"))
        let vector = try Vector(json: Array(json.text().utf8), file: "x.json")
        #expect(vector.environment.circulatingSupply.decimal == largest)
        #expect(vector.environment.baseFee.decimal == "18446744073709551616")
    }

    @Test func textThatIsNoJSONIsNamedWithItsPlace() {
        for text in ["", "{", "[1,2", "{\"a\":1} x", "nonsense"] {
            do {
                _ = try Vector(json: Array(text.utf8), file: "x.json")
                Issue.record("\(text) was accepted")
            } catch {
                #expect(error.description.hasPrefix("x.json: not JSON: line"))
            }
        }
    }

    @Test func secp256k1MessagesAreChargedWithTheirSignature() throws {
        guard let path = sharedData(transferVector), let sample = try Self.sample() else { return }
        let vector = try Vector(json: try readFile(path), file: path)
        let message = try #require(vector.messages.first)
        let text = try #require(sample["apply_messages"]?.array?.first?["bytes"]?.string)
        let stated = try #require(Base64.decode(text))
        let signature = message.message.from.addressProtocol == .secp256k1 ? 69 : 0
        #expect(message.chainLength == UInt64(stated.count + signature))

        let given = sample.replacing(["apply_messages", "0", "chain_length"], with: .number("7"))
        #expect(try Vector(json: Array(given.text().utf8), file: path).messages.first?.chainLength == 7)
    }

    @Test(arguments: [
        ("chaos_actor", "true"), ("requires:consensus_fault_extern", "true"), ("min_protocol_version", "chocolate"),
    ])
    func unsupportedSelectorsAreSkippedWithAReason(_ name: String, _ value: String) throws {
        guard let sample = try Self.sample() else { return }
        let json = sample.replacing(["selector", name], with: .string(value))
        #expect(try Vector(json: Array(json.text().utf8), file: "x").unsupported?.contains(name) == true)
    }
}
