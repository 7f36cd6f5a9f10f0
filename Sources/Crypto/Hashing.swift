import CLibCrypto
import CSodium
import CTomCrypt
import Primitives

/// BLAKE2b without key, from libsodium: the digest of blocks, addresses and signed texts.
public enum Blake2b {
    /// Lets libsodium look at the processor: until then it hashes with portable code, half as fast.
    private static let isReady = sodium_init() >= 0

    /// A digest of `size` bytes.
    ///
    /// - Precondition: `size` is 1 to 64; callers name one of the fixed sizes of the FVM.
    public static func hash(_ data: Span<UInt8>, size: Int) -> [UInt8] {
        precondition(isReady, "libsodium")
        var out = [UInt8](repeating: 0, count: size)
        data.withUnsafeBufferPointer { input in
            // Lengths are those of the buffers; without a key only the output length could be refused.
            let status = crypto_generichash_blake2b(&out, size, input.baseAddress, UInt64(input.count), nil, 0)
            precondition(status == 0, "blake2b")
        }
        return out
    }

    /// A digest of `size` bytes, 1 to 64.
    public static func hash(_ data: [UInt8], size: Int) -> [UInt8] { hash(data.span, size: size) }

    /// 32 bytes: block CIDs, signed texts, drawn randomness.
    public static func hash256(_ data: [UInt8]) -> [UInt8] { hash(data.span, size: 32) }

    /// 32 bytes.
    public static func hash256(_ data: Span<UInt8>) -> [UInt8] { hash(data, size: 32) }

    /// 64 bytes.
    public static func hash512(_ data: [UInt8]) -> [UInt8] { hash(data.span, size: 64) }

    /// 20 bytes: addresses of keys and actors.
    public static func hash160(_ data: [UInt8]) -> [UInt8] { hash(data.span, size: 20) }
}

/// SHA-2, from OpenSSL.
public enum Sha2 {
    /// Fetched once, because a fetch costs more than hashing a short key.
    ///
    /// Unsafe for the compiler as it is a C pointer; OpenSSL's method objects are immutable and reference counted.
    nonisolated(unsafe) private static let sha256 = EVP_MD_fetch(nil, "SHA256", nil)

    /// A SHA-256 digest, 32 bytes.
    public static func hash256(_ data: Span<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        data.withUnsafeBufferPointer { input in
            // EVP_Digest writes the method's 32 bytes and reads `count` bytes. It fails for no input, only when the
            // process is out of memory or OpenSSL has no SHA-256; a wrong digest must not come out of that.
            precondition(EVP_Digest(input.baseAddress, input.count, &out, nil, sha256, nil) == 1, "sha-256")
        }
        return out
    }

    /// A SHA-256 digest, 32 bytes.
    public static func hash256(_ data: [UInt8]) -> [UInt8] { hash256(data.span) }

    /// A SHA-256 digest, 32 bytes, of what comes in pieces: `body` gives them one after the other.
    public static func hash256(_ body: (borrowing Pieces) -> Void) -> [UInt8] {
        let pieces = Pieces(key: nil)
        body(pieces)
        return pieces.finish()
    }

    /// HMAC with SHA-256, 32 bytes.
    public static func hmac256(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        hmac256(key: key) { $0.add(data.span) }
    }

    /// HMAC with SHA-256, 32 bytes, of what comes in pieces.
    public static func hmac256(key: [UInt8], _ body: (borrowing Pieces) -> Void) -> [UInt8] {
        let pieces = Pieces(key: key)
        body(pieces)
        return pieces.finish()
    }

    /// Hashing on its way. OpenSSL fails here only when the process is out of memory, of which no digest must come.
    public struct Pieces: ~Copyable {
        private let context: OpaquePointer
        private let isKeyed: Bool

        /// - Parameter key: nil is for a digest, otherwise the key of an authentication code.
        fileprivate init(key: [UInt8]?) {
            guard let context = EVP_MD_CTX_new() else { preconditionFailure("sha-256") }
            self.context = context
            isKeyed = key != nil
            if let key {
                // The context keeps the key alive as long as it needs it.
                let holder = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nil, key, key.count)
                precondition(EVP_DigestSignInit(context, nil, sha256, nil, holder) == 1, "hmac")
                EVP_PKEY_free(holder)
            } else {
                precondition(EVP_DigestInit_ex(context, sha256, nil) == 1, "sha-256")
            }
        }

        deinit { EVP_MD_CTX_free(context) }

        /// Adds what comes next.
        public func add(_ data: Span<UInt8>) {
            data.withUnsafeBufferPointer { input in
                // Reads `count` bytes.
                let status =
                    isKeyed
                    ? EVP_DigestSignUpdate(context, input.baseAddress, input.count)
                    : EVP_DigestUpdate(context, input.baseAddress, input.count)
                precondition(status == 1, "sha-256")
            }
        }

        fileprivate func finish() -> [UInt8] {
            var out = [UInt8](repeating: 0, count: 32)
            var size = out.count
            // Both write the method's 32 bytes.
            let status =
                isKeyed ? EVP_DigestSignFinal(context, &out, &size) : EVP_DigestFinal_ex(context, &out, nil)
            precondition(status == 1 && size == 32, "sha-256")
            return out
        }
    }
}

/// RIPEMD-160, from libtomcrypt.
public enum Ripemd {
    /// A digest of 20 bytes.
    public static func hash160(_ data: [UInt8]) -> [UInt8] { hash160(data.span) }

    /// A digest of 20 bytes.
    public static func hash160(_ data: Span<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 20)
        var state = hash_state()
        _ = rmd160_init(&state)
        data.withUnsafeBufferPointer { _ = rmd160_process(&state, $0.baseAddress, UInt($0.count)) }
        _ = rmd160_done(&state, &out)
        return out
    }
}

/// Keccak-256 with the padding it had before it became SHA-3.
public enum Keccak {
    /// Bytes absorbed between two permutations at 256 bits of output.
    private static let rate = 136

    /// A digest of 32 bytes.
    public static func hash256(_ data: [UInt8]) -> [UInt8] { hash256(data.span) }

    /// A digest of 32 bytes.
    ///
    /// libtomcrypt finishes with SHA-3's padding only, so the padding (1, zeros, 0x80 in the block's last byte) is
    /// fed as data: that completes a block, and the digest is the first four words of the state.
    public static func hash256(_ data: Span<UInt8>) -> [UInt8] {
        var padding = [UInt8](repeating: 0, count: rate - data.count % rate)
        padding[0] = 0x01
        padding[padding.count - 1] |= 0x80
        var state = hash_state()
        _ = sha3_256_init(&state)
        data.withUnsafeBufferPointer { _ = sha3_process(&state, $0.baseAddress, UInt($0.count)) }
        _ = sha3_process(&state, padding, UInt(padding.count))
        var out: [UInt8] = []
        out.reserveCapacity(32)
        let words = state.sha3.s
        for word in [words.0, words.1, words.2, words.3] {
            withUnsafeBytes(of: UInt64(word).littleEndian) { out.append(contentsOf: $0) }
        }
        return out
    }
}

/// Random bytes for keys, from OpenSSL.
public enum SecureRandom {
    /// `count` bytes, or nil when the system has no entropy to give.
    public static func bytes(_ count: Int) -> [UInt8]? {
        guard let size = Int32(exactly: count) else { return nil }
        var out = [UInt8](repeating: 0, count: count)
        return RAND_bytes(&out, size) == 1 ? out : nil
    }
}

extension HashFunction {
    /// The whole digest of `data`: 20, 32 or 64 bytes.
    public func hash(_ data: [UInt8]) -> [UInt8] { hash(data.span) }

    /// The whole digest of `data`: 20, 32 or 64 bytes.
    public func hash(_ data: Span<UInt8>) -> [UInt8] {
        switch self {
        case .sha2256: Sha2.hash256(data)
        case .keccak256: Keccak.hash256(data)
        case .ripemd160: Ripemd.hash160(data)
        case .blake2b256: Blake2b.hash256(data)
        case .blake2b512: Blake2b.hash(data, size: 64)
        }
    }
}

extension Cid {
    /// The CID of a block the FVM writes: version 1, blake2b-256.
    public static func blake2b256(codec: UInt64, data: [UInt8]) -> Cid {
        Cid(codec: codec, blake2b256: Blake2b.hash256(data).span)
    }

    /// Whether `data` is the block this CID names; nil when its hash function is unknown here.
    public func verifies(_ data: [UInt8]) -> Bool? {
        switch hashCode {
        case Cid.identity: digest == data
        case Cid.blake2b256: self.isBlake2b256 && self == Cid.blake2b256(codec: codec, data: data)
        case Cid.sha2256: digest == Sha2.hash256(data)
        default: nil
        }
    }
}

extension Address {
    /// The address of the secp256k1 key whose uncompressed form (65 bytes) is `publicKey`.
    public static func secp256k1(publicKey: [UInt8]) throws(AddressError) -> Address {
        try .secp256k1(Blake2b.hash160(publicKey))
    }

    /// The address of an actor from its creation data (FVM machine layer, `next_actor_address`).
    public static func actor(creationData: [UInt8]) throws(AddressError) -> Address {
        try .actor(Blake2b.hash160(creationData))
    }
}
