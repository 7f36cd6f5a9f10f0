import Crypto
import JSON
import Kernel
import Primitives
import TestSupport
import Testing

@testable import Machine

@Suite struct FixtureTests {
    @Test func nextActorAddressesAreThoseOfTheChain() throws {
        guard let path = sharedData("fvm/selfcheck/next_actor_address.json") else { return }
        let cases = try #require(try JSON.parse(try readFile(path)).array)
        #expect(cases.count >= 10)
        for entry in cases {
            let address = try NextActorAddress.make(
                origin: try Address(text: try #require(entry["origin"]?.string)),
                nonce: try #require(entry["nonce"]?.integer()),
                created: try #require(entry["created_so_far"]?.integer()))
            #expect(address.text() == entry["address"]?.string)
        }
    }

    @Test func eventsRootsCoverOneBlockAndSeveralLevels() throws {
        guard let path = sharedData("fvm/selfcheck/events_amt.json") else { return }
        let roots = try #require(try JSON.parse(try readFile(path))["roots"]?.array)
        #expect(roots.count >= 4)
        for entry in roots {
            let count: Int = try #require(entry["count"]?.integer())
            let events = (0..<count).map { index in
                let byte = UInt8(truncatingIfNeeded: index)
                return ActorEvent(
                    emitter: UInt64(1000 + index),
                    entries: [
                        .init(flags: 3, key: Array("t1".utf8), codec: 0x55, value: Sha2.hash256([byte])),
                        .init(
                            flags: 3, key: Array("d".utf8), codec: 0x55,
                            value: [UInt8](repeating: byte, count: index % 5)),
                    ])
            }
            #expect(try EventsRoot.of(events).text == entry["events_root"]?.string)
        }
    }

    @Test func messagesOfTheFixturesDecode() throws {
        guard let path = sharedData("fvm/selfcheck/messages10.json") else { return }
        let cases = try #require(try JSON.parse(try readFile(path)).array)
        #expect(cases.count == 10)
        for entry in cases {
            let text = try #require(entry["message_hex"]?.string)
            let bytes = try #require(Hex.decode(text))
            let message = try Message(cbor: bytes)
            #expect(message.to.text() == entry["to"]?.string)
            #expect(message.from.text() == entry["from"]?.string)
            #expect(message.nonce == entry["nonce"]?.integer())
            #expect(message.method == entry["method"]?.integer())
            #expect(throws: MessageError.self) { try Message(cbor: bytes + [0]) }
            #expect(throws: MessageError.self) { try Message(cbor: Array(bytes.dropLast())) }
        }
    }
}

@Suite struct MessageTests {
    @Test func noBytesCrashTheDecoderOfMessages() throws {
        guard let path = sharedData("fvm/selfcheck/messages10.json") else { return }
        let entry = try #require(try JSON.parse(try readFile(path)).array?.first)
        let text = try #require(entry["message_hex"]?.string)
        let good = try #require(Hex.decode(text))
        for position in good.indices {
            for value in [0, 0x1b, 0x3b, 0x5b, 0x5f, 0x7f, 0x9b, 0xdb, 0xff] as [UInt8] {
                var bytes = good
                bytes[position] = value
                _ = try? Message(cbor: bytes)
            }
            #expect(throws: MessageError.self) { try Message(cbor: Array(good.prefix(position))) }
        }
    }
}
