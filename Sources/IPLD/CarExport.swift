import Primitives

extension Car {
    /// The archive of what `root` reaches through DAG-CBOR links: each block once, parents before children, in the
    /// order of the links. So equal content gives equal bytes.
    ///
    /// Blocks that `store` does not have are left out with what only they reach, as a partial state needs it; so are
    /// raw blocks (code) that `includesRaw` refuses, and commitments, which name no blocks.
    public static func reachable(
        from root: Cid, in store: any Blockstore, includesRaw: (Cid) -> Bool = { _ in true }
    ) throws(BlockstoreError) -> Car {
        var blocks: [Block] = []
        var seen: Set<Cid> = []
        var pending = [root]
        while let cid = pending.popLast() {
            guard seen.insert(cid).inserted else { continue }
            switch cid.codec {
            case Cid.unsealedCommitment, Cid.sealedCommitment: continue
            case Cid.raw: guard includesRaw(cid) else { continue }
            default: break
            }
            let data: [UInt8]
            if cid.hashCode == Cid.identity {
                data = cid.digest
            } else {
                guard let block = try store.get(cid) else { continue }
                data = block
                blocks.append(Block(cid: cid, data: data))
            }
            guard cid.codec == Cid.dagCbor else { continue }
            do { pending += try LinkScan.links(data).reversed() } catch {
                throw .malformedLinks(cid, error.description)
            }
        }
        return Car(roots: [root], blocks: blocks)
    }
}
