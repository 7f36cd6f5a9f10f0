import Crypto
import JSON
import Primitives
import TestSupport
import Testing

/// The group order.
private let order = Hex.decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141") ?? []

/// A signature of mainnet with its digest and key.
private let digest = Hex.decode("4cde4b4749098ab4c4de3d841f3b4beb54cc00bc27e9e86d1e4e8370accd9010") ?? []
private let signature =
    Hex.decode(
        "ff3cb2ffae92b343eb24e3a294ba58604796ed02c6e80d9c7e0752f0d9ce8bf4"
            + "596d41a2f95c7e4e6a841ec612756b3bc73d05dfbd004799af6724d0c8a55da901") ?? []
private let key =
    Hex.decode(
        "04887c3b67a20406703c764e60f152562106365f6fbabdc217eb5b29d6d82d51f1"
            + "db1962973714eea7e0674faeff3e71cfe728b5c24f494463d657db943b0f17e1") ?? []

/// order − s, big-endian.
private func negated(_ s: ArraySlice<UInt8>) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    var borrow = 0
    for index in (0..<32).reversed() {
        let difference = Int(order[index]) - Int(s[s.startIndex + index]) - borrow
        out[index] = UInt8(truncatingIfNeeded: difference)
        borrow = difference < 0 ? 1 : 0
    }
    return out
}

@Suite struct Secp256k1Tests {
    @Test func keyOfAMainnetSignatureIsRecovered() throws {
        #expect(Secp256k1.recover(digest: digest, signature: signature) == key)
        #expect(try Address.secp256k1(publicKey: key).text() == "f15bifor3i7amo6ympnry5zlmdtdhq7zajtqtknli")
    }

    @Test func highSWithFlippedRecoveryIdNamesTheSameKey() {
        let high = Array(signature[..<32]) + negated(signature[32..<64]) + [signature[64] ^ 1]
        #expect(high[32] > 0x7f)
        #expect(Secp256k1.recover(digest: digest, signature: high) == key)
        let unflipped = Array(high[..<64]) + [signature[64]]
        #expect(Secp256k1.recover(digest: digest, signature: unflipped) != key)
    }

    @Test func recoveryIdsAbove3AreRefused() {
        for id in 4...255 {
            #expect(Secp256k1.recover(digest: digest, signature: Array(signature[..<64]) + [UInt8(id)]) == nil)
        }
        #expect(Secp256k1.recover(digest: digest, signature: Array(signature[..<64]) + [0]) != key)
    }

    @Test func scalarsOutsideTheGroupAreRefused() {
        let zero = [UInt8](repeating: 0, count: 32)
        let ones = [UInt8](repeating: 0xff, count: 32)
        let r = Array(signature[..<32])
        let s = Array(signature[32..<64])
        for bad in [zero + s, r + zero, order + s, r + order, ones + s, r + ones] {
            for id in 0...3 { #expect(Secp256k1.recover(digest: digest, signature: bad + [UInt8(id)]) == nil) }
        }
    }

    @Test func wrongLengthsAreRefused() {
        #expect(Secp256k1.recover(digest: [], signature: signature) == nil)
        #expect(Secp256k1.recover(digest: digest + [0], signature: signature) == nil)
        for length in [0, 1, 64, 66] {
            let other = Array((signature + [0]).prefix(length))
            #expect(Secp256k1.recover(digest: digest, signature: other) == nil)
        }
    }

    @Test func everyMainnetSignatureVerifiesAndNoneWithAFlippedBit() throws {
        guard let file = sharedBytes("fvm/selfcheck/signatures.json") else { return }
        var count = 0
        for vector in try #require(try JSON.parse(file).array) {
            for call in try vector.list("calls") {
                let signature = try call.hex("signature_hex")
                var text = try call.hex("plaintext_hex")
                let signer = try Address(bytes: try call.hex("signer_hex"))
                #expect(Hex.encode(Blake2b.hash256(text)) == call["blake2b256_hex"]?.string)
                let digest = Blake2b.hash256(text)
                #expect(Secp256k1.recover(digest: digest, signature: signature) == (try call.hex("pubkey_hex")))
                #expect(Secp256k1.verify(signature: signature, message: text, signer: signer) == call["valid"]?.bool)
                text[0] ^= 1
                #expect(!Secp256k1.verify(signature: signature, message: text, signer: signer))
                count += 1
            }
        }
        #expect(count == 97)
    }

    @Test func addressesOfOtherKindsVerifyNothing() throws {
        let bls = try Address.bls([UInt8](repeating: 1, count: 48))
        for signer in [Address.id(5), bls] {
            #expect(!Secp256k1.verify(signature: signature, message: [], signer: signer))
        }
    }
}
