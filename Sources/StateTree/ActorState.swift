import Crypto
import IPLD
import Primitives

/// An actor's entry in the state tree (state tree v5).
public struct ActorState: Sendable, Equatable {
    public var code: Cid
    public var state: Cid
    public var sequence: UInt64
    public var balance: TokenAmount
    public var delegatedAddress: Address?

    public init(code: Cid, state: Cid, sequence: UInt64, balance: TokenAmount, delegatedAddress: Address?) {
        self.code = code
        self.state = state
        self.sequence = sequence
        self.balance = balance
        self.delegatedAddress = delegatedAddress
    }

    /// A fresh actor: an empty array as state, nothing spent, nothing owned.
    public static func empty(code: Cid, delegatedAddress: Address?) -> ActorState {
        ActorState(
            code: code, state: EmptyArray.cid, sequence: 0, balance: .zero, delegatedAddress: delegatedAddress)
    }
}

/// The block that stands for "no state yet": one CBOR array without elements.
public enum EmptyArray {
    public static let block: [UInt8] = [0x80]
    public static let cid = Cid.blake2b256(codec: Cid.dagCbor, data: block)
}

// The 5-tuple `[code, state, sequence, balance, delegated address or null]` of the state tree.
extension ActorState {
    /// Decodes an entry of the state tree.
    public init(cbor: [UInt8]) throws(CborError) {
        // The reference decodes a HAMT's values into general ones first.
        var reader = CborReader(cbor, mode: .dynamic)
        try reader.tuple(5)
        code = try reader.link()
        state = try reader.link()
        sequence = try reader.unsigned()
        balance = try reader.tokenAmount()
        delegatedAddress = try reader.null() ? nil : try reader.address()
        try reader.finish()
    }

    /// The entry as the state tree holds it; a balance longer than an amount may be has none.
    public func encoded() throws(TokenAmountError) -> [UInt8] {
        var writer = CborWriter(capacity: 160)
        writer.array(5)
        writer.link(code)
        writer.link(state)
        writer.unsigned(sequence)
        writer.byteString(try balance.cborBytes)
        if let delegatedAddress { writer.byteString(delegatedAddress.bytes) } else { writer.null() }
        return writer.bytes
    }
}
