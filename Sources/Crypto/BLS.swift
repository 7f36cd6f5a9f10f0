import CBLST
import Primitives

/// BLS signatures over BLS12-381 with keys in G1, from blst (ciphersuite of FVM's `verify_signature`).
public enum BLS {
    /// Bytes of a compressed key.
    public static let publicKeyLength = 48
    /// Bytes of a compressed signature.
    public static let signatureLength = 96

    private static let domain = Array("BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_".utf8)

    /// A key that may verify: on the curve, in the right subgroup, not the identity.
    private static func decodeKey(_ bytes: [UInt8]) -> blst_p1_affine? {
        guard bytes.count == publicKeyLength else { return nil }
        var point = blst_p1_affine()
        guard blst_p1_uncompress(&point, bytes) == BLST_SUCCESS, !blst_p1_affine_is_inf(&point),
            blst_p1_affine_in_g1(&point)
        else { return nil }
        return point
    }

    /// A signature on the curve and in the right subgroup; the identity is left to the pairing, which refuses it.
    private static func decodeSignature(_ bytes: [UInt8]) -> blst_p2_affine? {
        guard bytes.count == signatureLength else { return nil }
        var point = blst_p2_affine()
        guard blst_p2_uncompress(&point, bytes) == BLST_SUCCESS, blst_p2_affine_in_g2(&point) else { return nil }
        return point
    }

    /// Whether `signature` over `message` was made by the key `publicKey`; bytes that are no such points are not
    /// errors, they verify nothing.
    public static func verify(signature: [UInt8], message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard var key = decodeKey(publicKey), var point = decodeSignature(signature) else { return false }
        return blst_core_verify_pk_in_g1(
            &key, &point, true, message, message.count, domain, domain.count, nil, 0) == BLST_SUCCESS
    }

    /// Whether `signature` is the sum of signatures over `messages` by the keys of the same places.
    ///
    /// No message at all is valid whatever the signature's bytes, two equal messages are not, as in the reference.
    public static func verifyAggregate(signature: [UInt8], messages: [[UInt8]], publicKeys: [[UInt8]]) -> Bool {
        guard messages.count == publicKeys.count else { return false }
        if messages.isEmpty { return true }
        guard var point = decodeSignature(signature), Set(messages).count == messages.count else { return false }
        // The context's size is known at run time only; 16 bytes are the alignment malloc would give.
        let context = UnsafeMutableRawPointer.allocate(byteCount: blst_pairing_sizeof(), alignment: 16)
        defer { context.deallocate() }
        let pairing = OpaquePointer(context)
        return domain.withUnsafeBufferPointer { tag in
            // The context keeps a pointer to the tag, which this closure keeps in place.
            blst_pairing_init(pairing, true, tag.baseAddress, tag.count)
            for (index, (message, bytes)) in zip(messages, publicKeys).enumerated() {
                guard var key = decodeKey(bytes) else { return false }
                let status =
                    index == 0
                    ? blst_pairing_aggregate_pk_in_g1(pairing, &key, &point, message, message.count, nil, 0)
                    : blst_pairing_aggregate_pk_in_g1(pairing, &key, nil, message, message.count, nil, 0)
                guard status == BLST_SUCCESS else { return false }
            }
            blst_pairing_commit(pairing)
            return blst_pairing_finalverify(pairing, nil)
        }
    }

    /// Whether `signature` over `message` was made by the key that the address `signer` holds.
    public static func verify(signature: [UInt8], message: [UInt8], signer: Address) -> Bool {
        guard case .bls(let key) = signer.payload else { return false }
        return verify(signature: signature, message: message, publicKey: key)
    }
}
