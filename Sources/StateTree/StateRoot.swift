import Crypto
import IPLD
import Primitives

/// The block at the root of a state: `[version, actors, info]`.
struct StateRoot {
    /// The only version that network versions 18 and up have.
    static let version: UInt64 = 5

    /// Root of the HAMT of actors.
    var actors: Cid
    /// An empty array on chain; carried through unchanged.
    var info: Cid

    static func load(_ root: Cid, from store: any Blockstore) throws(StateError) -> StateRoot {
        let block = try store.block(root, "state root")
        do throws(CborError) {
            var reader = CborReader(block)
            try reader.tuple(3)
            let found: UInt64 = try reader.unsigned()
            guard found == version else {
                throw CborError(.value("state tree version \(found), only \(version) can be used"), at: 1)
            }
            let state = StateRoot(actors: try reader.link(), info: try reader.link())
            try reader.finish()
            return state
        } catch {
            throw .malformed("state root \(root): \(error)")
        }
    }

    func store(in store: any Blockstore) throws(StateError) -> Cid {
        var writer = CborWriter()
        writer.array(3)
        writer.unsigned(Self.version)
        writer.link(actors)
        writer.link(info)
        return try store.putState(writer.bytes)
    }
}

extension Blockstore {
    /// The block, which must be there and have a CBOR codec; `what` says what it is.
    public func block(_ cid: Cid, _ what: String) throws(StateError) -> [UInt8] {
        guard cid.codec == Cid.dagCbor || cid.codec == Cid.cbor else {
            throw .malformed("\(what): \(cid.text) does not name a cbor block")
        }
        let found: [UInt8]?
        do throws(BlockstoreError) { found = try get(cid) } catch { throw .local(error.description) }
        guard let found else { throw .missingBlock(cid, what) }
        return found
    }

    /// Keeps a DAG-CBOR block under its BLAKE2b-256 CID.
    public func putState(_ block: [UInt8]) throws(StateError) -> Cid {
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: block)
        do throws(BlockstoreError) { try put(cid, block) } catch { throw .local(error.description) }
        return cid
    }
}
