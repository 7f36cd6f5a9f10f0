import JSON
import Primitives
import TestSupport
import Testing

private let keyHash = Hex.decode("3f387d1edc59ac9ed3b148561a096c9b314c4916") ?? []
private let ethereum = Hex.decode("4bfa669af6233fb5ab8cc8177c387ca883d89bf6") ?? []

@Suite struct AddressTests {
    @Test func idsReadAndWrite() throws {
        for id: UInt64 in [0, 1, 127, 128, 16_384, .max] {
            let address = Address.id(id)
            #expect(address.id == id && address.addressProtocol == .id && address.payload == .id(id))
            #expect(try Address(bytes: address.bytes) == address)
            #expect(address.text() == "f0\(id)")
            #expect(try Address(text: "t0\(id)", network: .testnet) == address)
        }
    }

    @Test func knownAddressesHaveTheirText() throws {
        #expect(try Address.secp256k1(keyHash).text() == "f1h44h2hw4lgwj5u5rjblbuclmtmyuysiw77vkcmi")
        let delegated = try Address.delegated(namespace: 10, subaddress: ethereum)
        #expect(delegated.text() == "f410fjp5gngxwem73lk4mzalxyod4vcb5rg7wmtnrlwa")
        #expect(delegated.namespace == 10)
        #expect(delegated.payload == .delegated(namespace: 10, subaddress: ethereum))
        #expect(
            try Address.bls([0xc0] + [UInt8](repeating: 0, count: 47)).text()
                == "f3yaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaby2smx7a")
    }

    @Test func theNetworkIsTextOnly() throws {
        let address = try Address.actor(keyHash)
        let text = address.text(.testnet)
        #expect(text.hasPrefix("t2"))
        #expect(try Address(text: text, network: .testnet) == address)
        #expect(throws: AddressError.network) { try Address(text: text) }
    }

    @Test func payloadLengthsAreExact() {
        for length in 0...60 {
            let payload = [UInt8](repeating: 1, count: length)
            #expect(((try? Address.secp256k1(payload)) != nil) == (length == 20))
            #expect(((try? Address.actor(payload)) != nil) == (length == 20))
            #expect(((try? Address.bls(payload)) != nil) == (length == 48))
            #expect(((try? Address.delegated(namespace: 32, subaddress: payload)) != nil) == (length <= 54))
        }
    }

    @Test func tenthVarintByteIsTruncatedAndRewritten() throws {
        let ones = [UInt8](repeating: 0xff, count: 9)
        #expect(try Address(bytes: [0] + ones + [3]) == Address.id(.max))
        let lenient = try Address(bytes: [4] + ones + [3] + [7])
        #expect(lenient == (try Address.delegated(namespace: .max, subaddress: [7])))
        #expect(lenient.bytes == [4] + ones + [1] + [7])
    }

    @Test func everyChangedCharacterBreaksTheChecksum() {
        let text = Array("f410fjp5gngxwem73lk4mzalxyod4vcb5rg7wmtnrlwa".utf8)
        for index in 5..<text.count {
            var changed = text
            changed[index] = changed[index] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
            #expect(throws: AddressError.self) { try Address(text: String(decoding: changed, as: UTF8.self)) }
        }
    }

    @Test(arguments: [
        "", "f", "f0", "é", "f0é", "f0+1", "f0-1", "f0 1", "f018446744073709551616", "f4f", "f410", "f41",
    ])
    func textThatIsNoAddressIsRefused(text: String) {
        #expect(throws: AddressError.self) { try Address(text: text) }
    }

    @Test func longTextIsRefused() {
        #expect(throws: AddressError.textLength(139)) {
            try Address(text: "f1" + String(repeating: "a", count: 137))
        }
    }

    @Test func sharedFixturesReadWriteAndRefuse() throws {
        guard let file = sharedBytes("fvm/selfcheck/addresses.json") else { return }
        let fixture = try JSON.parse(file)
        let valid = try fixture.list("valid")
        #expect(valid.count >= 30)
        for row in valid {
            let bytes = try row.hex("bytes")
            let text = try row.text("text")
            let address = try Address(bytes: bytes)
            #expect(address.bytes == bytes)
            #expect(address.text() == text)
            #expect(try Address(text: text) == address)
            #expect(address.text(.testnet) == row["testnet_text"]?.string)
        }
        for row in try fixture.list("invalid_bytes") {
            let bytes = try row.hex("bytes")
            #expect(throws: AddressError.self, "\(row)") { try Address(bytes: bytes) }
        }
        for row in try fixture.list("invalid_text") {
            #expect(throws: AddressError.self, "\(row)") { try Address(text: try row.text("text")) }
        }
    }
}
