import CBLST
import Crypto
import Primitives
import Testing

private let domain = Array("BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_".utf8)

/// A key pair that signs, for tests only.
private struct Signer {
    private var secret = blst_scalar()

    init(_ seed: UInt8) {
        let material = [UInt8](repeating: seed, count: 32)
        blst_keygen_v3(&secret, material, material.count, nil, 0)
    }

    var publicKey: [UInt8] {
        var secret = secret
        var point = blst_p1()
        var out = [UInt8](repeating: 0, count: 48)
        blst_sk_to_pk_in_g1(&point, &secret)
        blst_p1_compress(&out, &point)
        return out
    }

    func point(_ message: [UInt8]) -> blst_p2 {
        var secret = secret
        var hash = blst_p2()
        var point = blst_p2()
        blst_hash_to_g2(&hash, message, message.count, domain, domain.count, nil, 0)
        blst_sign_pk_in_g1(&point, &hash, &secret)
        return point
    }

    func sign(_ message: [UInt8]) -> [UInt8] { compress(point(message)) }
}

private func compress(_ point: blst_p2) -> [UInt8] {
    var point = point
    var out = [UInt8](repeating: 0, count: 96)
    blst_p2_compress(&out, &point)
    return out
}

private func sum(_ points: [blst_p2]) -> [UInt8] {
    var total = blst_p2()
    for point in points {
        var left = total
        var right = point
        blst_p2_add_or_double(&total, &left, &right)
    }
    return compress(total)
}

private let infinityKey = [0xc0] + [UInt8](repeating: 0, count: 47)
private let infinitySignature = [0xc0] + [UInt8](repeating: 0, count: 95)

@Suite struct BLSTests {
    @Test func signatureOfTheBasicSchemesPublishedVectorVerifies() {
        // Chia's test vectors of the basic scheme: seed of 32 zeros, message 07 08 09.
        let signer = Signer(0)
        let signature =
            "b8faa6d6a3881c9fdbad803b170d70ca5cbf1e6ba5a586262df368c75acd1d1f"
            + "fa3ab6ee21c71f844494659878f5eb230c958dd576b08b8564aad2ee0992e85a"
            + "1e565f299cd53a285de729937f70dc176a1f01432129bb2b94d3d5031f8065a1"
        #expect(Hex.encode(signer.sign([7, 8, 9])) == signature)
        #expect(
            BLS.verify(
                signature: Hex.decode(signature) ?? [], message: [7, 8, 9], publicKey: signer.publicKey))
    }

    @Test func otherMessageKeyOrSignatureIsRefused() {
        let a = Signer(1)
        let b = Signer(2)
        let signature = a.sign([1, 2, 3])
        #expect(BLS.verify(signature: signature, message: [1, 2, 3], publicKey: a.publicKey))
        #expect(!BLS.verify(signature: signature, message: [1, 2], publicKey: a.publicKey))
        #expect(!BLS.verify(signature: signature, message: [1, 2, 3], publicKey: b.publicKey))
        #expect(!BLS.verify(signature: b.sign([1, 2, 3]), message: [1, 2, 3], publicKey: a.publicKey))
        #expect(BLS.verify(signature: a.sign([]), message: [], publicKey: a.publicKey))
    }

    @Test func identitiesAreRefused() {
        let signer = Signer(3)
        #expect(!BLS.verify(signature: infinitySignature, message: [1], publicKey: infinityKey))
        #expect(!BLS.verify(signature: infinitySignature, message: [1], publicKey: signer.publicKey))
        #expect(!BLS.verify(signature: signer.sign([1]), message: [1], publicKey: infinityKey))
    }

    @Test func bytesThatAreNoPointsVerifyNothing() {
        let signer = Signer(4)
        let signature = signer.sign([1])
        let key = signer.publicKey
        for bad in [[], Array(key.dropLast()), key + [0], [UInt8](repeating: 0xff, count: 48), [0] + key.dropFirst()] {
            #expect(!BLS.verify(signature: signature, message: [1], publicKey: bad))
        }
        let noPoint = [UInt8](repeating: 0xff, count: 96)
        for bad in [[], Array(signature.dropLast()), signature + [0], noPoint, [0] + signature.dropFirst()] {
            #expect(!BLS.verify(signature: bad, message: [1], publicKey: key))
        }
    }

    @Test func pointsOutsideTheSubgroupAreRefused() {
        // The first abscissas on the curves whose points are not in the subgroups.
        let signer = Signer(5)
        var key = [UInt8](repeating: 0, count: 48)
        key[0] = 0x80
        var found = 0
        for x in 0..<40 {
            key[47] = UInt8(x)
            var point = blst_p1_affine()
            guard blst_p1_uncompress(&point, key) == BLST_SUCCESS, !blst_p1_affine_in_g1(&point) else { continue }
            found += 1
            #expect(!BLS.verify(signature: infinitySignature, message: [1], publicKey: key))
            #expect(!BLS.verify(signature: signer.sign([1]), message: [1], publicKey: key))
        }
        #expect(found > 5)
    }

    @Test func addressesHoldTheirKey() throws {
        let signer = Signer(6)
        let address = try Address.bls(signer.publicKey)
        #expect(BLS.verify(signature: signer.sign([9]), message: [9], signer: address))
        #expect(!BLS.verify(signature: signer.sign([9]), message: [9], signer: Address.id(1)))
    }

    @Test func aggregateOfSeveralSignersVerifies() {
        let signers = (10..<14).map { Signer(UInt8($0)) }
        let messages = signers.indices.map { [UInt8($0), 7] }
        let keys = signers.map(\.publicKey)
        let aggregate = sum(zip(signers, messages).map { $0.point($1) })
        #expect(BLS.verifyAggregate(signature: aggregate, messages: messages, publicKeys: keys))
        #expect(!BLS.verifyAggregate(signature: aggregate, messages: messages, publicKeys: keys.reversed()))
        #expect(
            !BLS.verifyAggregate(
                signature: aggregate, messages: Array(messages.dropLast()), publicKeys: Array(keys.dropLast())))
        #expect(!BLS.verifyAggregate(signature: aggregate, messages: messages, publicKeys: Array(keys.dropLast())))
        var broken = keys
        broken[2] = infinityKey
        #expect(!BLS.verifyAggregate(signature: aggregate, messages: messages, publicKeys: broken))
        broken[2] = [UInt8](repeating: 0xff, count: 48)
        #expect(!BLS.verifyAggregate(signature: aggregate, messages: messages, publicKeys: broken))
    }

    @Test func emptyAggregateIsValidBeforeAnythingIsDecoded() {
        #expect(BLS.verifyAggregate(signature: [UInt8](repeating: 0xff, count: 96), messages: [], publicKeys: []))
    }

    @Test func equalMessagesInAnAggregateAreRefused() {
        let a = Signer(20)
        let b = Signer(21)
        let aggregate = sum([a.point([1]), b.point([1])])
        let keys = [a.publicKey, b.publicKey]
        #expect(!BLS.verifyAggregate(signature: aggregate, messages: [[1], [1]], publicKeys: keys))
    }
}
