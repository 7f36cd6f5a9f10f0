import IPLD
import JSON
import Machine
import Primitives
import Testing

@testable import Replay

/// Messages in files, and what they count on chain.
@Suite struct LotusMessageTests {
    private func message(from: Address) -> Message {
        Message(
            to: .id(5), from: from, nonce: 7, value: TokenAmount(1), gasLimit: 1_000_000, feeCap: TokenAmount(3),
            premium: TokenAmount(2), method: 2, params: [0x81, 0x00])
    }

    private let key = try! Address.secp256k1([UInt8](repeating: 1, count: 20))

    private func read(_ bytes: [UInt8]) throws -> VectorMessage {
        try LotusMessage.read(bytes, file: "m", kind: .explicit)
    }

    /// Lotus's form, with a signature of this many bytes where one is asked for.
    private func json(_ message: Message, signature: (type: Int, size: Int)? = nil) throws -> [UInt8] {
        let plain = LotusMessage.value(message, cid: try VectorMessage(message).cid)
        guard let signature else { return Array(plain.text().utf8) }
        let data = Base64.encode([UInt8](repeating: 9, count: signature.size))
        return Array(
            JSONValue.object([
                "Message": plain,
                "Signature": .object(["Type": .integer(signature.type), "Data": .string(data)]),
            ]).text().utf8)
    }

    private func cbor(_ message: Message, type: UInt8, size: Int) throws -> [UInt8] {
        var writer = CborWriter()
        writer.array(2)
        writer.encoded(try message.encoded())
        writer.byteString([type] + [UInt8](repeating: 9, count: size))
        return writer.bytes
    }

    @Test func whatIsWrittenIsRead() throws {
        let expected = try VectorMessage(message(from: key))
        #expect(try read(try json(expected.message)) == expected)
        #expect(try read(expected.encoding) == expected)
        #expect(try read(Array(Hex.encode(expected.encoding).utf8)) == expected)
    }

    /// 1 array head, 2 byte-string head, 1 type and 65 of signature; a BLS signature is aggregated, and a legacy
    /// Ethereum transaction's is longer (FVM machine specification, section 4).
    @Test func aSignatureCountsAsItStandsOnChain() throws {
        let bls = try Address.bls([UInt8](repeating: 2, count: 48))
        for (from, type, size, extra) in [(key, 1, 65, 69), (bls, 2, 96, 0), (key, 3, 68, 72)]
            as [(Address, UInt8, Int, UInt64)]
        {
            let message = message(from: from)
            let length = UInt64(try message.encoded().count) + extra
            #expect(try read(try cbor(message, type: type, size: size)).chainLength == length)
            #expect(try read(try json(message, signature: (Int(type), size))).chainLength == length)
        }
    }

    @Test func fieldsThatLotusLeavesOutHaveItsDefaults() throws {
        let read = try read(
            Array(#" {"To":"t05","From":"\#(key.text(.testnet))","Nonce":1,"GasLimit":9,"Method":0} "#.utf8))
        #expect(
            read.message
                == Message(
                    to: .id(5), from: key, nonce: 1, value: .zero, gasLimit: 9, feeCap: .zero, premium: .zero,
                    method: 0,
                    params: []))
    }

    @Test func anEmptySignatureIsNone() throws {
        var writer = CborWriter()
        writer.array(2)
        writer.encoded(try message(from: key).encoded())
        writer.byteString([])
        let bytes = writer.bytes
        #expect(throws: VectorError.self) { try read(bytes) }
    }
}
