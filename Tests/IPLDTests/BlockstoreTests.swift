import Crypto
import IPLD
import Primitives
import Testing

private func block(_ value: CborValue) -> (cid: Cid, data: [UInt8]) {
    (Cid.blake2b256(codec: Cid.dagCbor, data: value.encoded), value.encoded)
}

private func put(_ store: BufferedBlockstore, _ value: CborValue) throws -> Cid {
    let block = block(value)
    try store.put(block.cid, block.data)
    return block.cid
}

@Suite struct BlockstoreTests {
    @Test func flushMovesWhatTheRootReachesAndKeepsTheRest() throws {
        let base = MemoryBlockstore()
        let store = BufferedBlockstore(base: base)
        let leaf = try put(store, .unsigned(1))
        let stray = try put(store, .unsigned(2))
        let raw = Cid.blake2b256(codec: Cid.raw, data: [7])
        try store.put(raw, [7])
        let root = try put(store, .array([.link(leaf), .map([CborValue.Entry(key: "r", value: .link(raw))])]))
        #expect(try base.get(root) == nil)
        #expect(try store.get(root) != nil && store.has(stray))
        try store.flush(root)
        #expect(Set(base.blocks.keys) == [root, leaf, raw])
        #expect(store.bufferedCount == 1)
        #expect(try store.get(stray) == CborValue.unsigned(2).encoded)
    }

    @Test func blocksOfTheBaseAreNotFollowed() throws {
        let base = MemoryBlockstore()
        let store = BufferedBlockstore(base: base)
        let leaf = try put(store, .unsigned(1))
        let middle = block(.array([.link(leaf)]))
        try base.put(middle.cid, middle.data)
        let root = try put(store, .array([.link(middle.cid)]))
        try store.flush(root)
        #expect(try base.get(leaf) == nil)
        #expect(try store.get(leaf) != nil)
    }

    @Test func identityLinksAreFollowedAndCommitmentsIgnored() throws {
        let base = MemoryBlockstore()
        let store = BufferedBlockstore(base: base)
        let leaf = try put(store, .unsigned(1))
        let inline = try Cid(codec: Cid.dagCbor, hashCode: Cid.identity, digest: CborValue.link(leaf).encoded)
        let commitment = try Cid(
            codec: Cid.unsealedCommitment, hashCode: Cid.sha2256Trunc254Padded, digest: [UInt8](repeating: 0, count: 32)
        )
        let root = try put(store, .array([.link(inline), .link(commitment)]))
        try store.flush(root)
        #expect(Set(base.blocks.keys) == [root, leaf])
    }

    @Test func linksThatChainStateCannotHaveFailTheFlush() throws {
        let digest = [UInt8](repeating: 0, count: 32)
        let refused = [
            try Cid(codec: Cid.dagPB, hashCode: Cid.blake2b256, digest: digest),
            try Cid(codec: Cid.raw, hashCode: Cid.sha2256, digest: digest),
            try Cid(codec: Cid.dagCbor, hashCode: Cid.blake2b256, digest: Array(digest.dropLast())),
        ]
        for cid in refused {
            let store = BufferedBlockstore(base: MemoryBlockstore())
            let root = try put(store, .array([.link(cid)]))
            #expect(throws: BlockstoreError.self) { try store.flush(root) }
        }
    }

    @Test func malformedBlocksOnTheWayFailTheFlush() throws {
        for data in [[0x82, 0xd8, 42], [0xd8, 42, 0x41, 1], [0xd8, 42, 0x61, 0], [0x9f], [0x45, 1]] as [[UInt8]] {
            let store = BufferedBlockstore(base: MemoryBlockstore())
            let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
            try store.put(cid, data)
            #expect(throws: BlockstoreError.self) { try store.flush(cid) }
            #expect(try store.get(cid) == data)
        }
    }

    @Test func failingBaseLosesNothing() throws {
        let store = BufferedBlockstore(base: FullStore())
        let leaf = try put(store, .unsigned(1))
        let root = try put(store, .array([.link(leaf)]))
        #expect(throws: BlockstoreError.storage("no space left on device")) { try store.flush(root) }
        #expect(try store.get(root) != nil && store.get(leaf) != nil)
    }

    @Test func linkScanIsLenientWhereTheReferenceIs() throws {
        let link = "d82a46000171000180"
        for (hex, count) in [
            (link, 1), ("1800", 0), ("82" + link + link, 2), ("a1" + "61ff" + link, 1), (link + "ff", 1),
            ("c1" + link, 1), ("da0000002a46000171000180", 1), ("d82a480001710001800102", 1), ("f93c00", 0),
            ("f7", 0), ("a101" + link, 1), ("80", 0), ("fb3ff0000000000000", 0),
            // Twice 2^63 entries wrap to none.
            ("bb8000000000000000", 0),
        ] {
            #expect(try LinkScan.links(Hex.decode(hex) ?? []).count == count, "\(hex)")
        }
        for hex in [
            "", "81", "9f", "ff", "1c", "d82a4601017100", "d82a40", "9bffffffffffffffff00", "bbffffffffffffffff00",
            "bb800000000000000100",
        ] {
            #expect(throws: CborError.self, "\(hex)") { try LinkScan.links(Hex.decode(hex) ?? []) }
        }
    }
}

/// A store on a full disk.
private final class FullStore: Blockstore {
    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? { nil }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { throw .storage("no space left on device") }
}
