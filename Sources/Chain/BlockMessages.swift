import Crypto
import IPLD
import Machine
import Primitives

/// A message as a block has it.
public struct ChainMessage: Sendable, Equatable {
    public var message: Message
    /// As the block names it: of a message with a signature, of both.
    public var cid: Cid
    /// Bytes on chain, with the signature where it stands beside the message.
    public var chainLength: UInt64
    /// Type and signature; nil for a message whose BLS signature is part of the block's aggregate.
    public var signature: [UInt8]?

    /// As blocks name a message whose signature is in their aggregate; nil for an amount too large for a block.
    public var unsignedCid: Cid? {
        guard signature != nil else { return cid }
        return (try? message.encoded()).map { .blake2b256(codec: Cid.dagCbor, data: $0) }
    }

    /// Reads a message block: a tuple of ten, or a pair of one and its signature.
    public init(_ cid: Cid, isSigned: Bool, from store: any Blockstore) throws(ChainError) {
        let data = try store.chainBlock(cid, "message")
        self.cid = cid
        chainLength = UInt64(data.count)
        do throws(MessageError) {
            guard isSigned else {
                message = try Message(cbor: data)
                signature = nil
                return
            }
            let signed = try SignedMessage(cbor: data)
            message = signed.message
            signature = signed.signature
        } catch { throw .malformed("message \(cid): \(error)") }
    }
}

/// The messages of a block, in their order: those with a BLS signature come first.
public struct BlockMessages: Sendable, Equatable {
    public var bls: [ChainMessage] = []
    /// With secp256k1 signatures, and those of delegated senders.
    public var secp: [ChainMessage] = []

    public var count: Int { bls.count + secp.count }
    public var all: [ChainMessage] { bls + secp }

    /// CIDs of the two lists that a header's pair names.
    public static func lists(_ meta: Cid, in store: any Blockstore) throws(ChainError) -> (bls: Cid, secp: Cid) {
        let data = try store.chainBlock(meta, "message lists")
        do {
            var reader = CborReader(data)
            try reader.tuple(2)
            let lists = (try reader.link(), try reader.link())
            try reader.finish()
            return lists
        } catch { throw .malformed("message lists \(meta): \(error)") }
    }

    /// Reads the messages of a header.
    public init(_ meta: Cid, in store: any Blockstore) throws(ChainError) {
        let lists = try Self.lists(meta, in: store)
        for cid in try Self.cids(lists.bls, in: store) {
            bls.append(try ChainMessage(cid, isSigned: false, from: store))
        }
        for cid in try Self.cids(lists.secp, in: store) {
            secp.append(try ChainMessage(cid, isSigned: true, from: store))
        }
    }

    /// What a list of messages holds.
    public static func cids(_ list: Cid, in store: any Blockstore) throws(ChainError) -> [Cid] {
        var found: [Cid] = []
        try AmtVersion0.forEach(list, in: store, what: "message list") { (index, value) throws(ChainError) in
            guard index == UInt64(found.count) else {
                throw .malformed("message list \(list): nothing has index \(found.count)")
            }
            do {
                var reader = CborReader(value)
                found.append(try reader.link())
                try reader.finish()
            } catch { throw .malformed("message list \(list), index \(index): \(error)") }
        }
        return found
    }

    /// How many messages each list of a header names; the messages themselves are not read.
    public static func counts(_ meta: Cid, in store: any Blockstore) throws(ChainError) -> (bls: Int, secp: Int) {
        let lists = try lists(meta, in: store)
        return (try cids(lists.bls, in: store).count, try cids(lists.secp, in: store).count)
    }
}
