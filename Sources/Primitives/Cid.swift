/// A content identifier, version 0 or 1 (multiformats CID; FVM machine layer, "CID forms").
///
/// The form that all of chain state uses (version 1, blake2b-256 of 32 bytes) lies in the value itself, so decoding,
/// copying, comparing and hashing such links allocates nothing; any other form keeps its digest on the heap.
public struct Cid: Hashable, Sendable {
    /// What the block holds: a multicodec number.
    public let codec: UInt64
    /// The digest of the usual form as four big-endian words; zero for any other form.
    private let words: (UInt64, UInt64, UInt64, UInt64)
    /// Present exactly when the CID is not of the usual form.
    private let other: OtherForm?

    private final class OtherForm: Sendable {
        let version: UInt8
        let hashCode: UInt64
        let digest: [UInt8]

        init(version: UInt8, hashCode: UInt64, digest: [UInt8]) {
            self.version = version
            self.hashCode = hashCode
            self.digest = digest
        }
    }

    /// The longest digest, in bytes (FVM machine layer, "constants").
    public static let maxDigestLength = 64

    // Multicodec numbers of what a block holds.

    /// Bytes without structure, such as code.
    public static let raw: UInt64 = 0x55
    /// CBOR whose links are not followed.
    public static let cbor: UInt64 = 0x51
    /// CBOR with links.
    public static let dagCbor: UInt64 = 0x71
    /// What a version 0 CID names.
    public static let dagPB: UInt64 = 0x70
    /// The commitment to a piece or an unsealed sector, which names no block.
    public static let unsealedCommitment: UInt64 = 0xf101
    /// The commitment to a sealed sector, which names no block.
    public static let sealedCommitment: UInt64 = 0xf102

    // Multihash numbers.

    /// The digest is the block itself.
    public static let identity: UInt64 = 0x00
    /// SHA-256.
    public static let sha2256: UInt64 = 0x12
    /// BLAKE2b with 32 bytes of output.
    public static let blake2b256: UInt64 = 0xb220
    /// SHA-256 cut to 254 bits: unsealed commitments.
    public static let sha2256Trunc254Padded: UInt64 = 0x1012
    /// Poseidon: sealed commitments.
    public static let poseidonBLS12381: UInt64 = 0xb401

    /// A version 1 CID.
    ///
    /// - Throws: `.digestTooLong` above 64 bytes.
    public init(codec: UInt64, hashCode: UInt64, digest: [UInt8]) throws(CidError) {
        self = try Cid(version: 1, codec: codec, hashCode: hashCode, digest: digest.span)
    }

    private init(version: UInt8, codec: UInt64, hashCode: UInt64, digest: Span<UInt8>) throws(CidError) {
        guard digest.count <= Cid.maxDigestLength else { throw .digestTooLong(UInt64(digest.count)) }
        self.codec = codec
        if version == 1 && hashCode == Cid.blake2b256 && digest.count == 32 {
            words = (
                digest.word(at: 0), digest.word(at: 8), digest.word(at: 16), digest.word(at: 24)
            )
            other = nil
        } else {
            var copy: [UInt8] = []
            copy.reserveCapacity(digest.count)
            for index in 0..<digest.count { copy.append(digest[index]) }
            words = (0, 0, 0, 0)
            other = OtherForm(version: version, hashCode: hashCode, digest: copy)
        }
    }

    /// A version 1 CID of the usual form.
    ///
    /// - Precondition: `digest` has 32 bytes, as the output of a 256-bit hash function has.
    public init(codec: UInt64, blake2b256 digest: Span<UInt8>) {
        self.codec = codec
        words = (digest.word(at: 0), digest.word(at: 8), digest.word(at: 16), digest.word(at: 24))
        other = nil
    }

    /// 0 or 1.
    public var version: UInt8 { other?.version ?? 1 }

    /// The multihash number of the digest's function.
    public var hashCode: UInt64 { other?.hashCode ?? Cid.blake2b256 }

    /// The digest: at most 64 bytes.
    public var digest: [UInt8] {
        if let other { return other.digest }
        var out: [UInt8] = []
        out.reserveCapacity(32)
        appendWords(to: &out)
        return out
    }

    /// Whether the CID names its block by a 32-byte blake2b-256 digest, the only kind the FVM itself makes.
    public var isBlake2b256: Bool {
        guard let other else { return true }
        return other.hashCode == Cid.blake2b256 && other.digest.count == 32
    }

    private func appendWords(to out: inout [UInt8]) {
        for word in [words.0, words.1, words.2, words.3] {
            withUnsafeBytes(of: word.bigEndian) { out.append(contentsOf: $0) }
        }
    }

    /// Appends the binary form to `out`.
    public func append(to out: inout [UInt8]) {
        guard let other else {
            out.append(1)
            Varint.append(codec, to: &out)
            out.append(contentsOf: [0xa0, 0xe4, 0x02, 0x20])
            withUnsafeBytes(of: words.0.bigEndian) { out.append(contentsOf: $0) }
            withUnsafeBytes(of: words.1.bigEndian) { out.append(contentsOf: $0) }
            withUnsafeBytes(of: words.2.bigEndian) { out.append(contentsOf: $0) }
            withUnsafeBytes(of: words.3.bigEndian) { out.append(contentsOf: $0) }
            return
        }
        if other.version == 1 {
            out.append(1)
            Varint.append(codec, to: &out)
        }
        Varint.append(other.hashCode, to: &out)
        Varint.append(UInt64(other.digest.count), to: &out)
        out.append(contentsOf: other.digest)
    }

    /// The binary form; 38 bytes for the CIDs of chain state, at most 100.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(byteCount)
        append(to: &out)
        return out
    }

    /// The length of the binary form.
    public var byteCount: Int {
        func length(_ value: UInt64) -> Int { max(1, (64 - value.leadingZeroBitCount + 6) / 7) }
        guard let other else { return 1 + length(codec) + 4 + 32 }
        let head = other.version == 1 ? 1 + length(codec) : 0
        return head + length(other.hashCode) + length(UInt64(other.digest.count)) + other.digest.count
    }

    /// Reads a CID from `bytes` at `offset` and moves `offset` behind it; what follows is not looked at.
    ///
    /// On an error `offset` is left where it was.
    public static func read(_ bytes: Span<UInt8>, at offset: inout Int) throws(CidError) -> Cid {
        if let usual = usual(bytes, offset) {
            offset += usualLength
            return usual
        }
        var position = offset
        let first = try varint(bytes, &position)
        let second = try varint(bytes, &position)
        if first == 0x12 && second == 0x20 {
            guard bytes.count - position >= 32 else { throw .truncated }
            let cid = try Cid(
                version: 0, codec: dagPB, hashCode: sha2256, digest: bytes.extracting(position..<position + 32))
            offset = position + 32
            return cid
        }
        guard first == 1 else { throw .unknownVersion(first) }
        let hashCode = try varint(bytes, &position)
        let length = try varint(bytes, &position)
        guard length <= UInt64(maxDigestLength) else { throw .digestTooLong(length) }
        guard bytes.count - position >= Int(length) else { throw .truncated }
        let end = position + Int(length)
        let cid = try Cid(version: 1, codec: second, hashCode: hashCode, digest: bytes.extracting(position..<end))
        offset = end
        return cid
    }

    /// Bytes of the usual form: version, a codec of one byte, three for the hash function, its length, the digest.
    private static let usualLength = 38

    /// The CID at `offset` when it has the usual form and a codec below 0x80.
    private static func usual(_ bytes: Span<UInt8>, _ offset: Int) -> Cid? {
        guard offset >= 0, offset <= bytes.count - usualLength, bytes[offset] == 1, bytes[offset + 1] < 0x80,
            bytes[offset + 2] == 0xa0, bytes[offset + 3] == 0xe4, bytes[offset + 4] == 2, bytes[offset + 5] == 32
        else { return nil }
        return Cid(
            codec: UInt64(bytes[offset + 1]), blake2b256: bytes.extracting(offset + 6..<offset + usualLength))
    }

    private static func varint(_ bytes: Span<UInt8>, _ offset: inout Int) throws(CidError) -> UInt64 {
        do { return try Varint.read(bytes, at: &offset) } catch { throw .varint(error) }
    }

    /// A CID that takes up all of `bytes`.
    public init(bytes: Span<UInt8>) throws(CidError) {
        var offset = 0
        self = try Cid.read(bytes, at: &offset)
        guard offset == bytes.count else { throw .trailingBytes(bytes.count - offset) }
    }

    /// A CID that takes up all of `bytes`.
    public init(bytes: [UInt8]) throws(CidError) {
        try self.init(bytes: bytes.span)
    }

    /// `b` and lower-case base32 for version 1, base58 for version 0.
    public var text: String { version == 0 ? Base58.encode(bytes) : "b" + Base32.encode(bytes) }

    /// The CID of `text` as `text` writes it; other multibases are refused.
    public init(text: String) throws(CidError) {
        let characters = text.utf8
        if characters.count == 46 && text.hasPrefix("Qm") {
            guard let bytes = Base58.decode(characters) else { throw .notBase58 }
            try self.init(bytes: bytes)
            guard version == 0 else { throw .unknownVersion(UInt64(version)) }
            return
        }
        guard characters.first == UInt8(ascii: "b") else { throw .unknownMultibase(text.first) }
        // 100 bytes of binary form have 160 characters; longer text cannot be a CID.
        guard characters.count <= 256, let bytes = Base32.decode(characters.dropFirst()) else { throw .notBase32 }
        try self.init(bytes: bytes)
        guard version == 1 else { throw .unknownVersion(UInt64(version)) }
    }

    public static func == (left: Cid, right: Cid) -> Bool {
        guard left.codec == right.codec else { return false }
        switch (left.other, right.other) {
        case (nil, nil): return left.words == right.words
        case (let a?, let b?):
            return a === b || (a.version == b.version && a.hashCode == b.hashCode && a.digest == b.digest)
        default: return false
        }
    }

    /// All of the digest counts: a link need not be the digest of anything, so its first bytes can be chosen.
    public func hash(into hasher: inout Hasher) {
        if let other {
            hasher.combine(other.hashCode)
            hasher.combine(other.digest)
        } else {
            hasher.combine(words.0)
            hasher.combine(words.1)
            hasher.combine(words.2)
            hasher.combine(words.3)
        }
    }
}

extension Cid: Comparable {
    /// By version, codec, hash code, then digest.
    public static func < (left: Cid, right: Cid) -> Bool {
        let a = (left.version, left.codec, left.hashCode)
        let b = (right.version, right.codec, right.hashCode)
        if a != b { return a < b }
        if left.other == nil && right.other == nil { return left.words < right.words }
        return left.digest.lexicographicallyPrecedes(right.digest)
    }
}

extension Cid: CustomStringConvertible {
    public var description: String { text }
}

/// Why bytes or text are not a CID.
public enum CidError: Error, Sendable, Equatable, CustomStringConvertible {
    case truncated
    case varint(VarintError)
    case unknownVersion(UInt64)
    case digestTooLong(UInt64)
    case trailingBytes(Int)
    case unknownMultibase(Character?)
    case notBase32
    case notBase58

    public var description: String {
        switch self {
        case .truncated: "cid ends inside its digest"
        case .varint(let error): "cid: \(error)"
        case .unknownVersion(let version): "cid version \(version) is unknown"
        case .digestTooLong(let length): "cid digest has \(length) bytes, limit \(Cid.maxDigestLength)"
        case .trailingBytes(let count): "\(count) bytes after the cid"
        case .unknownMultibase(let first):
            first.map { "cid text starts with '\($0)', not with b or Qm" } ?? "cid text is empty"
        case .notBase32: "cid text is not base32"
        case .notBase58: "cid text is not base58"
        }
    }
}
