import Crypto
import IPLD
import Primitives

/// The blocks of one height that have the same parents (FVM chain layer 1.2).
public struct TipSet: Sendable, Equatable {
    /// CIDs in the order of the blocks.
    public let key: [Cid]
    /// By ticket; the first has the smallest.
    public let blocks: [BlockHeader]

    /// Heights beyond are no chain's: thirty thousand million years.
    public static let maxHeight: Int64 = 1 << 55

    /// What all blocks of a tipset have alike is read from the first.
    private var first: BlockHeader { blocks[0] }
    public var height: Int64 { first.height }
    public var parents: [Cid] { first.parents }
    public var parentStateRoot: Cid { first.parentStateRoot }
    public var parentMessageReceipts: Cid { first.parentMessageReceipts }
    public var parentWeight: TokenAmount { first.parentWeight }
    public var baseFee: TokenAmount { first.parentBaseFee }
    /// The earliest of the blocks', Unix seconds.
    public var timestamp: UInt64 { blocks.map(\.timestamp).min() ?? 0 }
    public var isGenesis: Bool { height == 0 }

    /// The tipset of blocks named in the order of their key.
    ///
    /// - Throws: where they make no tipset: another height, other parents, an order that is not by ticket.
    public init(_ blocks: [(cid: Cid, header: BlockHeader)]) throws(ChainError) {
        guard let first = blocks.first?.header else { throw .malformed("a tipset has no blocks") }
        guard first.height >= 0, first.height <= TipSet.maxHeight else {
            throw .malformed("block \(blocks[0].cid) has height \(first.height)")
        }
        key = blocks.map(\.cid)
        self.blocks = blocks.map(\.header)
        for (cid, header) in blocks.dropFirst() {
            for (name, isSame) in [
                ("height", header.height == first.height), ("parents", header.parents == first.parents),
                ("parent state root", header.parentStateRoot == first.parentStateRoot),
                ("receipts", header.parentMessageReceipts == first.parentMessageReceipts),
                ("weight", header.parentWeight == first.parentWeight),
                ("timestamp", header.timestamp == first.timestamp),
                ("base fee", header.parentBaseFee == first.parentBaseFee),
            ] where !isSame {
                throw .malformed("block \(cid) has another \(name) than \(blocks[0].cid), with which it is named")
            }
        }
        for (earlier, later) in zip(blocks, blocks.dropFirst()) where !TipSet.precedes(earlier, later) {
            throw .malformed("block \(later.cid) has a smaller ticket than \(earlier.cid), behind which it is named")
        }
    }

    /// By the hash of the ticket, ties by the bytes of the CID.
    private static func precedes(_ left: (cid: Cid, header: BlockHeader), _ right: (cid: Cid, header: BlockHeader))
        -> Bool
    {
        let hashes = [left, right].map { $0.header.ticketDigest }
        if hashes[0] != hashes[1] { return hashes[0].lexicographicallyPrecedes(hashes[1]) }
        return left.cid.bytes.lexicographicallyPrecedes(right.cid.bytes)
    }

    /// The CID of the key: of a CBOR byte string of all CIDs one after another.
    public var keyCid: Cid { TipSet.keyCid(key) }

    /// The CID of a tipset with this key.
    public static func keyCid(_ key: [Cid]) -> Cid {
        .blake2b256(codec: Cid.dagCbor, data: CborWriter.byteString(key.flatMap(\.bytes)))
    }

    /// As Lotus prints keys.
    public var keyText: String { "{\(key.map(\.text).joined(separator: ","))}" }

    /// Reads the tipset with this key.
    public init(key: [Cid], from store: any Blockstore) throws(ChainError) {
        var blocks: [(cid: Cid, header: BlockHeader)] = []
        for cid in key { blocks.append((cid, try BlockHeader.load(cid, from: store))) }
        try self.init(blocks)
    }
}

extension BlockHeader {
    /// By which blocks are ordered and from which the chain's randomness comes.
    public var ticketDigest: [UInt8] { Blake2b.hash256(ticket ?? []) }

    /// Reads a header.
    public static func load(_ cid: Cid, from store: any Blockstore) throws(ChainError) -> BlockHeader {
        let data = try store.chainBlock(cid, "header")
        do { return try BlockHeader(cbor: data) } catch { throw .malformed("header \(cid): \(error)") }
    }
}

extension Blockstore {
    /// A block that has to be there.
    public func chainBlock(_ cid: Cid, _ what: String) throws(ChainError) -> [UInt8] {
        let found: [UInt8]?
        if cid.hashCode == Cid.identity { return cid.digest }
        do { found = try get(cid) } catch { throw .store(error.description) }
        guard let found else { throw .missing(cid, what) }
        return found
    }
}

/// What is wrong with chain data.
public enum ChainError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A block is not in the file; what it would be.
    case missing(Cid, String)
    case malformed(String)
    /// The store failed, or found a block damaged.
    case store(String)

    public var description: String {
        switch self {
        case .missing(let cid, let what): "\(what) \(cid) is not in the file"
        case .malformed(let text), .store(let text): text
        }
    }
}
