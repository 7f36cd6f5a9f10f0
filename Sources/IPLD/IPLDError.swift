import Primitives

/// A failure to read or change a structure made of blocks.
public enum IPLDError: Error, Sendable, Equatable, CustomStringConvertible {
    case store(BlockstoreError)
    /// The store does not have a block that the structure leads to.
    case missing(Cid)
    case cbor(Cid, CborError)
    /// A block is CBOR but not what it has to be.
    case malformed(Cid, String)
    /// A key's hash has no bits left to tell it from others.
    case maxDepth
    /// An index above the largest one an array can have.
    case index(UInt64)

    public var description: String {
        switch self {
        case .store(let error): error.description
        case .missing(let cid): "block \(cid) is missing"
        case .cbor(let cid, let error): "block \(cid): \(error)"
        case .malformed(let cid, let why): "block \(cid): \(why)"
        case .maxDepth: "hash is used up, keys cannot be told apart"
        case .index(let index): "index \(index) is above the largest of an array"
        }
    }
}

extension Blockstore {
    /// The block of `cid`, which has to be there and to have a CBOR codec, as everything the host itself reads.
    public func cborBlock(_ cid: Cid) throws(IPLDError) -> [UInt8] {
        guard cid.codec == Cid.dagCbor || cid.codec == Cid.cbor else {
            throw .malformed(cid, "codec 0x\(String(cid.codec, radix: 16)) is not cbor")
        }
        let block: [UInt8]?
        do { block = try get(cid) } catch { throw .store(error) }
        guard let block else { throw .missing(cid) }
        return block
    }

    /// Writes `data` as a DAG-CBOR block.
    public func putCbor(_ data: [UInt8]) throws(IPLDError) -> Cid {
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
        do { try put(cid, data) } catch { throw .store(error) }
        return cid
    }
}
