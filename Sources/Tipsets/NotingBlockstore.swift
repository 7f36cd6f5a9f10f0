import IPLD
import Primitives

/// Notes what is read of another store, and writes nothing to it.
final class NotingBlockstore: Blockstore {
    private let base: any Blockstore
    private var written: [Cid: [UInt8]] = [:]
    /// What was there and was asked for before it was written.
    private(set) var read: [Cid: [UInt8]] = [:]

    init(_ base: any Blockstore) { self.base = base }

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        if let data = read[cid] ?? written[cid] { return data }
        guard let data = try base.get(cid) else { return nil }
        read[cid] = data
        return data
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { written[cid] = data }
}
