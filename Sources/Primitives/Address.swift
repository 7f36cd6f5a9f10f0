import CSodium

/// A Filecoin address (FVM machine layer, "addresses").
///
/// Equal addresses have equal binary forms; the network is a matter of text only.
public struct Address: Hashable, Sendable {
    /// The kind of an address, as its first byte and in text.
    public enum AddressProtocol: UInt8, Sendable, CaseIterable {
        case id = 0
        case secp256k1 = 1
        case actor = 2
        case bls = 3
        case delegated = 4
    }

    /// What an address names.
    public enum Payload: Hashable, Sendable {
        case id(UInt64)
        /// blake2b-160 of the uncompressed public key.
        case secp256k1([UInt8])
        /// blake2b-160 of the creation data.
        case actor([UInt8])
        /// The 48-byte public key.
        case bls([UInt8])
        /// Under the actor `namespace`; at most 54 bytes.
        case delegated(namespace: UInt64, subaddress: [UInt8])
    }

    /// The letter that starts an address' text.
    public enum Network: String, Sendable {
        case mainnet = "f"
        case testnet = "t"
    }

    private enum Storage: Hashable, Sendable {
        case id(UInt64)
        /// The whole binary form, checked; never of an id address.
        case bytes([UInt8])
    }

    private let storage: Storage

    /// Bytes of the digests of protocols 1 and 2.
    public static let hashLength = 20
    /// Bytes of the key of protocol 3.
    public static let blsKeyLength = 48
    /// The most bytes of a subaddress of protocol 4.
    public static let maxSubaddressLength = 54

    private init(storage: Storage) {
        self.storage = storage
    }

    /// The address of the actor numbered `id`.
    public static func id(_ id: UInt64) -> Address { Address(storage: .id(id)) }

    /// The address of a key by the blake2b-160 `hash` of it.
    public static func secp256k1(_ hash: [UInt8]) throws(AddressError) -> Address {
        try Address(bytes: [AddressProtocol.secp256k1.rawValue] + hash)
    }

    /// The address of an actor by the blake2b-160 `hash` of its creation data.
    public static func actor(_ hash: [UInt8]) throws(AddressError) -> Address {
        try Address(bytes: [AddressProtocol.actor.rawValue] + hash)
    }

    /// The address of a BLS public key of 48 bytes.
    public static func bls(_ key: [UInt8]) throws(AddressError) -> Address {
        try Address(bytes: [AddressProtocol.bls.rawValue] + key)
    }

    /// An address that the actor `namespace` gave out.
    public static func delegated(namespace: UInt64, subaddress: [UInt8]) throws(AddressError) -> Address {
        try Address(bytes: [AddressProtocol.delegated.rawValue] + Varint.encode(namespace) + subaddress)
    }

    /// The address in its binary form; anything that is not exactly one address is refused.
    public init(bytes: [UInt8]) throws(AddressError) {
        try self.init(bytes: bytes.span)
    }

    /// The address in its binary form; anything that is not exactly one address is refused.
    public init(bytes: Span<UInt8>) throws(AddressError) {
        guard bytes.count >= 2 else { throw .tooShort(bytes.count) }
        guard let kind = AddressProtocol(rawValue: bytes[0]) else { throw .unknownProtocol(bytes[0]) }
        var canonical: [UInt8] = [kind.rawValue]
        var offset = 1
        switch kind {
        case .id:
            let id = try Address.varint(bytes, &offset)
            guard offset == bytes.count else { throw .trailingBytes(bytes.count - offset) }
            storage = .id(id)
            return
        case .secp256k1, .actor:
            guard bytes.count - 1 == Address.hashLength else { throw .payloadLength(kind, bytes.count - 1) }
        case .bls:
            guard bytes.count - 1 == Address.blsKeyLength else { throw .payloadLength(kind, bytes.count - 1) }
        case .delegated:
            // Written again because the reader is lenient about a tenth byte.
            Varint.append(try Address.varint(bytes, &offset), to: &canonical)
            let length = bytes.count - offset
            guard length <= Address.maxSubaddressLength else { throw .payloadLength(kind, length) }
        }
        canonical.reserveCapacity(canonical.count + bytes.count - offset)
        for index in offset..<bytes.count { canonical.append(bytes[index]) }
        storage = .bytes(canonical)
    }

    private static func varint(_ bytes: Span<UInt8>, _ offset: inout Int) throws(AddressError) -> UInt64 {
        do { return try Varint.read(bytes, at: &offset) } catch { throw .varint(error) }
    }

    /// The kind of this address.
    public var addressProtocol: AddressProtocol {
        switch storage {
        case .id: .id
        case .bytes(let bytes): AddressProtocol(rawValue: bytes[0]) ?? .id
        }
    }

    /// The actor's number when this is an id address.
    public var id: UInt64? {
        if case .id(let id) = storage { id } else { nil }
    }

    /// What this address names.
    public var payload: Payload {
        guard case .bytes(let bytes) = storage else { return .id(id ?? 0) }
        let rest = Array(bytes.dropFirst())
        switch addressProtocol {
        case .id, .secp256k1: return .secp256k1(rest)
        case .actor: return .actor(rest)
        case .bls: return .bls(rest)
        case .delegated:
            var offset = 1
            let namespace = (try? Varint.read(bytes.span, at: &offset)) ?? 0
            return .delegated(namespace: namespace, subaddress: Array(bytes.dropFirst(offset)))
        }
    }

    /// The namespace when this is a delegated address.
    public var namespace: UInt64? {
        if case .delegated(let namespace, _) = payload { namespace } else { nil }
    }

    /// The binary form: 2 to 65 bytes (1 byte more than the protocol for an empty subaddress' namespace).
    public var bytes: [UInt8] {
        switch storage {
        case .id(let id): [0] + Varint.encode(id)
        case .bytes(let bytes): bytes
        }
    }

    /// blake2b with 4 bytes of output over the binary form.
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 4)
        // Lengths are those of the arrays; libsodium takes any output length from 1 to 64 without a key.
        crypto_generichash_blake2b(&out, out.count, bytes, UInt64(bytes.count), nil, 0)
        return out
    }

    /// The address as people write it, with the letter of `network`.
    public func text(_ network: Network = .mainnet) -> String {
        let head = network.rawValue + String(addressProtocol.rawValue)
        switch payload {
        case .id(let id): return head + String(id)
        case .secp256k1(let rest), .actor(let rest), .bls(let rest):
            return head + Base32.encode(rest + Address.checksum(bytes))
        case .delegated(let namespace, let subaddress):
            return head + String(namespace) + "f" + Base32.encode(subaddress + Address.checksum(bytes))
        }
    }

    /// The address of `text`, which must have the letter of `network` and a right checksum.
    public init(text: String, network: Network = .mainnet) throws(AddressError) {
        let characters = Array(text.utf8)
        guard (3...138).contains(characters.count) else { throw .textLength(characters.count) }
        guard characters[0] == network.rawValue.utf8.first else { throw .network }
        guard characters[1] >= UInt8(ascii: "0"),
            let kind = AddressProtocol(rawValue: characters[1] - UInt8(ascii: "0"))
        else { throw .unknownProtocol(characters[1]) }
        let rest = characters.dropFirst(2)
        switch kind {
        case .id:
            self.init(storage: .id(try Address.decimal(rest)))
        case .secp256k1, .actor, .bls:
            let payload = try Address.base32(rest)
            try self.init(bytes: [kind.rawValue] + payload.dropLast(4))
            guard Array(payload.suffix(4)) == Address.checksum(bytes) else { throw .checksum }
        case .delegated:
            guard let separator = rest.firstIndex(of: UInt8(ascii: "f")) else { throw .noSeparator }
            let namespace = try Address.decimal(rest[..<separator])
            let payload = try Address.base32(rest[(separator + 1)...])
            try self.init(bytes: [kind.rawValue] + Varint.encode(namespace) + payload.dropLast(4))
            guard Array(payload.suffix(4)) == Address.checksum(bytes) else { throw .checksum }
        }
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) throws(AddressError) -> UInt64 {
        guard (1...20).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(String(decoding: digits, as: UTF8.self))
        else { throw .number }
        return value
    }

    private static func base32(_ text: ArraySlice<UInt8>) throws(AddressError) -> [UInt8] {
        guard let bytes = Base32.decode(text), bytes.count >= 4 else { throw .notBase32 }
        return bytes
    }
}

extension Address: CustomStringConvertible {
    public var description: String { text() }
}

/// Why bytes or text are not an address.
public enum AddressError: Error, Sendable, Equatable, CustomStringConvertible {
    case tooShort(Int)
    case unknownProtocol(UInt8)
    case payloadLength(Address.AddressProtocol, Int)
    case trailingBytes(Int)
    case varint(VarintError)
    case textLength(Int)
    case network
    case number
    case noSeparator
    case notBase32
    case checksum

    public var description: String {
        switch self {
        case .tooShort(let count): "address has \(count) bytes, at least 2 are needed"
        case .unknownProtocol(let value): "address protocol 0x\(String(value, radix: 16)) is unknown"
        case .payloadLength(let kind, let count): "\(kind) address has a payload of \(count) bytes"
        case .trailingBytes(let count): "\(count) bytes after the address"
        case .varint(let error): "address: \(error)"
        case .textLength(let count): "address text has \(count) characters, 3 to 138 are allowed"
        case .network: "address text starts with the letter of another network"
        case .number: "address text has a decimal part that is no 64-bit number"
        case .noSeparator: "delegated address text has no f after its namespace"
        case .notBase32: "address text is not base32 with a checksum"
        case .checksum: "address checksum is wrong"
        }
    }
}
