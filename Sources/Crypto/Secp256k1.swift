import CSecp256k1
import Primitives

/// ECDSA over secp256k1 with key recovery, from libsecp256k1.
public enum Secp256k1 {
    /// Bytes of a message digest.
    public static let digestLength = 32
    /// Bytes of a signature: r, s, recovery id.
    public static let signatureLength = 65
    /// Bytes of an uncompressed public key.
    public static let publicKeyLength = 65

    /// Unsafe for the compiler as it is a C pointer; a context is immutable after creation and recovery only reads.
    nonisolated(unsafe) private static let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE))

    /// The public key (0x04, X, Y) that made `signature` over `digest`, or nil: wrong lengths, r or s zero or not
    /// below the group order, a recovery id above 3, or no such point.
    ///
    /// The FVM's reference first turns a high s into n − s and flips the id's lowest bit. That names the same key,
    /// and never moves the id into or out of 0–3, so it is not done here.
    public static func recover(digest: [UInt8], signature: [UInt8]) -> [UInt8]? {
        guard digest.count == digestLength, signature.count == signatureLength, signature[64] <= 3, let context else {
            return nil
        }
        var parsed = secp256k1_ecdsa_recoverable_signature()
        var key = secp256k1_pubkey()
        // Lengths are checked above: the library reads 64 bytes of the signature and 32 of the digest.
        guard
            secp256k1_ecdsa_recoverable_signature_parse_compact(
                context, &parsed, signature, Int32(signature[64])) == 1,
            secp256k1_ecdsa_recover(context, &key, &parsed, digest) == 1
        else { return nil }
        var out = [UInt8](repeating: 0, count: publicKeyLength)
        var length = out.count
        guard
            secp256k1_ec_pubkey_serialize(context, &out, &length, &key, UInt32(SECP256K1_EC_UNCOMPRESSED)) == 1,
            length == publicKeyLength
        else { return nil }
        return out
    }

    /// Whether `signature` over blake2b-256 of `message` was made by the key whose address is `signer`.
    public static func verify(signature: [UInt8], message: [UInt8], signer: Address) -> Bool {
        guard signer.addressProtocol == .secp256k1,
            let key = recover(digest: Blake2b.hash256(message), signature: signature)
        else { return false }
        return (try? Address.secp256k1(publicKey: key)) == signer
    }
}
