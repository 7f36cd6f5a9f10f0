import Crypto
import JSON
import Primitives
import TestSupport
import Testing

private let abc = Array("abc".utf8)

@Suite struct HashingTests {
    @Test func digestsOfKnownTexts() {
        // FIPS 180-2, RFC 7693, and the functions' own papers.
        #expect(
            Hex.encode(Sha2.hash256(abc)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(Sha2.hash256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hex.encode(Blake2b.hash512(abc))
                == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")
        #expect(
            Hex.encode(Blake2b.hash256([])) == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8")
        #expect(Hex.encode(Ripemd.hash160(abc)) == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")
        #expect(Hex.encode(Ripemd.hash160([])) == "9c1185a5c5e9fc54612808977ee8f548b2258d31")
        #expect(
            Hex.encode(Keccak.hash256(abc)) == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")
        #expect(
            Hex.encode(Keccak.hash256([])) == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    }

    @Test func hmacOfTheStandardsFirstAndLongKeyCases() {
        // RFC 4231, cases 1 and 6.
        #expect(
            Hex.encode(Sha2.hmac256(key: [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8)))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            Hex.encode(
                Sha2.hmac256(
                    key: [UInt8](repeating: 0xaa, count: 131),
                    Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func piecesAreHashedAsTheWhole() {
        let whole = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        for cut in [0, 1, 63, 64, 65, 999, 1_000] {
            func add(_ pieces: borrowing Sha2.Pieces) {
                pieces.add(whole.span.extracting(..<cut))
                pieces.add(whole.span.extracting(cut...))
            }
            #expect(Sha2.hash256(add) == Sha2.hash256(whole))
            #expect(Sha2.hmac256(key: [1, 2], add) == Sha2.hmac256(key: [1, 2], whole))
        }
        #expect(Sha2.hash256 { _ in } == Sha2.hash256([]))
    }

    @Test func keccakPadsAtEveryLengthAroundItsBlock() {
        // A zero-filled message of each length: lengths whose padding is one byte, two bytes and a whole block.
        let digests = [134, 135, 136, 137, 271, 272].map {
            Hex.encode(Array(Keccak.hash256([UInt8](repeating: 0, count: $0)).prefix(4)))
        }
        #expect(Set(digests).count == 6)
        #expect(digests[2] == "3a5912a7")
    }

    @Test func hashFunctionsAreChosenByTheirNumbers() {
        #expect(HashFunction(rawValue: 0x12)?.hash(abc) == Sha2.hash256(abc))
        #expect(HashFunction(rawValue: 0xb220)?.hash(abc) == Blake2b.hash256(abc))
        #expect(HashFunction(rawValue: 0xb240)?.hash(abc) == Blake2b.hash512(abc))
        #expect(HashFunction(rawValue: 0x1b)?.hash(abc) == Keccak.hash256(abc))
        #expect(HashFunction(rawValue: 0x1053)?.hash(abc) == Ripemd.hash160(abc))
        #expect(HashFunction(rawValue: 0x13) == nil)
    }

    @Test func slicesHashLikeArrays() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(Blake2b.hash256(bytes[10..<500].span) == Blake2b.hash256(Array(bytes[10..<500])))
        #expect(Sha2.hash256(bytes[10..<500].span) == Sha2.hash256(Array(bytes[10..<500])))
    }

    @Test func blockCidsAreVerifiedByTheirHashFunction() throws {
        let block: [UInt8] = [0x80]
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: block)
        #expect(cid.text == "bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a")
        #expect(cid.verifies(block) == true)
        #expect(cid.verifies([0x81]) == false)
        #expect(try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: block).verifies(block) == true)
        #expect(try Cid(codec: Cid.raw, hashCode: Cid.identity, digest: block).verifies([]) == false)
        let sha = try Cid(codec: Cid.raw, hashCode: Cid.sha2256, digest: Sha2.hash256(block))
        #expect(sha.verifies(block) == true && sha.verifies([]) == false)
        #expect(try Cid(codec: Cid.raw, hashCode: 0x9999, digest: block).verifies(block) == nil)
        let short = try Cid(codec: Cid.raw, hashCode: Cid.blake2b256, digest: Blake2b.hash(block, size: 20))
        #expect(short.verifies(block) == false)
    }

    @Test func randomBytesDiffer() throws {
        let a = try #require(SecureRandom.bytes(32))
        #expect(a.count == 32)
        #expect(a != SecureRandom.bytes(32))
    }

    @Test func drawnRandomnessIsBlake2bOfItsParts() throws {
        guard let file = sharedBytes("fvm/selfcheck/randomness_v3.json") else { return }
        let rows = try #require(try JSON.parse(file).array)
        #expect(rows.count == 42)
        for row in rows {
            var input: [UInt8] = []
            func append(_ name: String) throws {
                let value: Int64 = try #require(row[name]?.integer())
                withUnsafeBytes(of: value.bigEndian) { input.append(contentsOf: $0) }
            }
            try append("personalization")
            input += try row.hex("digest")
            try append("epoch")
            input += try row.hex("entropy")
            #expect(Hex.encode(Blake2b.hash256(input)) == row["drawn"]?.string)
        }
    }

    @Test func actorAddressesComeFromTheirCreationData() throws {
        guard let file = sharedBytes("fvm/selfcheck/next_actor_address.json") else { return }
        let rows = try #require(try JSON.parse(file).array)
        #expect(rows.count == 13)
        for row in rows {
            let address = try Address.actor(creationData: try row.hex("preimage_hex"))
            #expect(address.text() == row["address"]?.string)
        }
    }
}
