import JSON
import Primitives
import TestSupport
import Testing

private let emptyArray = "bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a"
private let emptyArrayHex = "0171a0e4022045b0cfc220ceec5b7c1c62c4d4193d38e4eba48e8815729ce75f9c0ab0e4c1c0"

private func bytes(_ hex: String) -> [UInt8] { Hex.decode(hex) ?? [] }

@Suite struct CidTests {
    @Test func usualFormReadsAndWrites() throws {
        let cid = try Cid(bytes: bytes(emptyArrayHex))
        #expect(cid.text == emptyArray)
        #expect(try Cid(text: emptyArray) == cid)
        #expect(cid.version == 1 && cid.codec == Cid.dagCbor && cid.hashCode == Cid.blake2b256)
        #expect(cid.digest == Array(bytes(emptyArrayHex).suffix(32)))
        #expect(cid.bytes == bytes(emptyArrayHex) && cid.byteCount == 38)
        #expect(cid.isBlake2b256)
    }

    @Test func version0IsDagPBWithSha256AndBase58Text() throws {
        // The empty directory of IPFS.
        let text = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
        let cid = try Cid(text: text)
        #expect(cid.version == 0 && cid.codec == Cid.dagPB && cid.hashCode == Cid.sha2256)
        #expect(cid.bytes.count == 34 && cid.byteCount == 34)
        #expect(cid.text == text)
        #expect(try Cid(bytes: cid.bytes) == cid)
        let sameDigest = try Cid(codec: Cid.dagPB, hashCode: Cid.sha2256, digest: cid.digest)
        #expect(sameDigest != cid)
    }

    @Test func otherFormsCompareByContent() throws {
        let a = try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: [1, 2])
        let b = try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: [1, 2])
        let c = try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: [1, 3])
        #expect(a == b && a.hashValue == b.hashValue && a != c)
        #expect(a < c && !(c < a))
        #expect(Set([a, b, c]).count == 2)
        #expect(!a.isBlake2b256)
    }

    @Test func usualDigestUnderAnotherCodecDiffers() throws {
        let cid = try Cid(text: emptyArray)
        let raw = try Cid(codec: Cid.raw, hashCode: Cid.blake2b256, digest: cid.digest)
        #expect(raw != cid && raw < cid)
        #expect(try Cid(codec: Cid.dagCbor, hashCode: Cid.blake2b256, digest: cid.digest) == cid)
    }

    @Test func shortBlake2bDigestIsNotTheUsualForm() throws {
        let cid = try Cid(codec: Cid.dagCbor, hashCode: Cid.blake2b256, digest: [9])
        #expect(!cid.isBlake2b256)
        #expect(try Cid(bytes: cid.bytes) == cid)
    }

    @Test func everyTruncationIsRefused() throws {
        for hex in [emptyArrayHex, "0155000568656c6c6f", "1220" + String(repeating: "ab", count: 32)] {
            let whole = bytes(hex)
            _ = try Cid(bytes: whole)
            for length in 0..<whole.count {
                #expect(throws: CidError.self) { try Cid(bytes: Array(whole.prefix(length))) }
            }
        }
    }

    @Test func faultsAreNamed() {
        #expect(throws: CidError.unknownVersion(0)) { try Cid(bytes: [0, 0x55, 0, 0]) }
        #expect(throws: CidError.unknownVersion(2)) { try Cid(bytes: [2, 0x55, 0, 0]) }
        #expect(throws: CidError.digestTooLong(65)) { try Cid(bytes: [1, 0x55, 0, 65]) }
        #expect(throws: CidError.digestTooLong(.max)) {
            try Cid(bytes: [1, 0x55, 0] + Varint.encode(.max))
        }
        #expect(throws: CidError.trailingBytes(1)) { try Cid(bytes: [1, 0x55, 0, 0, 0]) }
        #expect(throws: CidError.varint(.notMinimal)) { try Cid(bytes: [1, 0xd5, 0, 0, 0]) }
        #expect(throws: CidError.digestTooLong(65)) {
            try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: [UInt8](repeating: 0, count: 65))
        }
    }

    @Test(arguments: ["", "b", "B", "bafy2", "zQm", "BAFKQABLIMVWGY3Y", "bafkqablimvwgy3z", "Qm", emptyArray + "a"])
    func textThatIsNoCidIsRefused(text: String) {
        #expect(throws: CidError.self) { try Cid(text: text) }
    }

    @Test func longestDigestFits() throws {
        let cid = try Cid(codec: .max, hashCode: .max, digest: [UInt8](repeating: 7, count: 64))
        #expect(cid.byteCount == 86)
        #expect(try Cid(bytes: cid.bytes) == cid)
        #expect(try Cid(text: cid.text) == cid)
    }

    @Test func readLeavesWhatFollows() throws {
        var offset = 1
        let cid = try Cid.read(([9] + bytes(emptyArrayHex) + [1, 2]).span, at: &offset)
        #expect(cid.text == emptyArray && offset == 39)
    }

    @Test func sharedFixturesReadAndWrite() throws {
        guard let file = sharedBytes("fvm/selfcheck/cids.json") else { return }
        let rows = try #require(try JSON.parse(file).array)
        #expect(rows.count == 7)
        for row in rows {
            let cid = try Cid(text: try row.text("text"))
            #expect(Hex.encode(cid.bytes) == row["bytes"]?.string)
            #expect(try Cid(bytes: cid.bytes).text == row["text"]?.string)
            #expect(cid.codec == row["codec"]?.integer())
            #expect(cid.hashCode == row["hash"]?.integer())
            #expect(cid.digest.count == row["digest_len"]?.integer())
        }
    }
}
