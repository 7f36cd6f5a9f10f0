import Crypto
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

private func key(_ id: UInt64) -> [UInt8] { [0] + Varint.encode(id) }

private func value(_ number: UInt64) -> [UInt8] { CborValue.unsigned(number).encoded }

/// Overwrites a block in a copy of the store, for trees that are not what they should be.
private func load(_ hex: String, bitWidth: Int = 5) throws(IPLDError) -> Hamt {
    let store = MemoryBlockstore()
    let cid = try store.putCbor(Hex.decode(hex) ?? [])
    return try Hamt(root: cid, store: store, bitWidth: bitWidth)
}

@Suite struct HamtTests {
    @Test func emptyMapHasItsKnownRoot() throws {
        let store = MemoryBlockstore()
        let root = try Hamt(store: store).flush()
        #expect(root.text == "bafy2bzaceamp42wmmgr2g2ymg46euououzfyck7szknvfacqscohrvaikwfay")
        #expect(try store.get(root) == [0x82, 0x40, 0x80])
        #expect(try Hamt(root: root, store: store).get(key(1)) == nil)
    }

    @Test func firstEntryHasItsKnownBlock() throws {
        let store = MemoryBlockstore()
        let map = Hamt(store: store)
        #expect(try map.set(key(1), value(1)))
        let root = try map.flush()
        #expect(root.text == "bafy2bzacedzz2qtuzilvi6txil5c5ej5vajjlxvxclz7eff4ncfh5q3l2fneu")
        #expect(Hex.encode(try store.get(root) ?? []) == "824340000081818242000101")
    }

    @Test func contentAloneDecidesTheRoot() throws {
        let store = MemoryBlockstore()
        let forward = Hamt(store: store)
        let backward = Hamt(store: store)
        let detour = Hamt(store: store)
        for id in 0..<500 { try forward.set(key(UInt64(id)), value(UInt64(id))) }
        for id in (0..<500).reversed() { try backward.set(key(UInt64(id)), value(UInt64(id))) }
        for id in 0..<2000 { try detour.set(key(UInt64(id)), value(7)) }
        _ = try detour.flush()
        for id in 500..<2000 { #expect(try detour.delete(key(UInt64(id)))) }
        for id in 0..<500 { try detour.set(key(UInt64(id)), value(UInt64(id))) }
        let root = try forward.flush()
        #expect(try backward.flush() == root)
        #expect(try detour.flush() == root)
    }

    @Test func everyEntryIsFoundAgainAfterReload() throws {
        let store = MemoryBlockstore()
        let map = Hamt(store: store)
        for id in 0..<1000 { try map.set(key(UInt64(id)), value(UInt64(id * 3))) }
        let reloaded = try Hamt(root: try map.flush(), store: store)
        for id in 0..<1000 { #expect(try reloaded.get(key(UInt64(id))).map(Array.init) == value(UInt64(id * 3))) }
        #expect(try reloaded.get(key(1000)) == nil)
        var seen: Set<[UInt8]> = []
        try reloaded.visit { key, _ in seen.insert(Array(key)) }
        #expect(seen.count == 1000)
    }

    @Test func deletingEverythingGivesTheEmptyRoot() throws {
        let map = Hamt(store: MemoryBlockstore())
        for id in 0..<300 { try map.set(key(UInt64(id)), value(0)) }
        _ = try map.flush()
        for id in 0..<300 { #expect(try map.delete(key(UInt64(id)))) }
        #expect(try !map.delete(key(5)))
        #expect(try map.flush().text == "bafy2bzaceamp42wmmgr2g2ymg46euououzfyck7szknvfacqscohrvaikwfay")
    }

    @Test func equalValuesChangeNothing() throws {
        let store = MemoryBlockstore()
        let map = Hamt(store: store)
        try map.set(key(1), value(1))
        _ = try map.flush()
        let count = store.blocks.count
        #expect(try !map.set(key(1), value(1)))
        #expect(try !map.delete(key(2)))
        _ = try map.flush()
        #expect(store.blocks.count == count)
    }

    @Test func missingNodesAreErrorsOnlyWhenTouched() throws {
        let full = MemoryBlockstore()
        let map = Hamt(store: full)
        for id in 0..<2000 { try map.set(key(UInt64(id)), value(UInt64(id))) }
        let root = try map.flush()
        let rootBlock = try #require(try full.get(root))
        let partial = MemoryBlockstore([root: rootBlock])
        let tree = try Hamt(root: root, store: partial)
        #expect(throws: IPLDError.self) { try tree.get(key(1)) }
        #expect(throws: IPLDError.self) { try tree.set(key(1), value(9)) }
        #expect(throws: IPLDError.self) { try tree.delete(key(1)) }
        #expect(throws: IPLDError.self) { try tree.visit { _, _ in } }
        #expect(try tree.flush() == root)
        // One path is enough to change one entry.
        var needed: [Cid: [UInt8]] = [root: rootBlock]
        let probe = Recorder(full)
        _ = try Hamt(root: root, store: probe).get(key(1))
        for cid in probe.read { needed[cid] = try full.get(cid) }
        let path = try Hamt(root: root, store: MemoryBlockstore(needed))
        try path.set(key(1), value(9))
        try map.set(key(1), value(9))
        #expect(try path.flush() == (try map.flush()))
        #expect(throws: IPLDError.missing(Cid.blake2b256(codec: Cid.dagCbor, data: [1]))) {
            try Hamt(root: Cid.blake2b256(codec: Cid.dagCbor, data: [1]), store: full)
        }
    }

    @Test func nodesAreReadOnce() throws {
        let full = MemoryBlockstore()
        let map = Hamt(store: full)
        for id in 0..<2000 { try map.set(key(UInt64(id)), value(UInt64(id))) }
        let probe = Recorder(full)
        let tree = try Hamt(root: try map.flush(), store: probe)
        for _ in 0..<3 { for id in 0..<2000 { _ = try tree.get(key(UInt64(id))) } }
        #expect(probe.read.count == Set(probe.read).count)
    }

    @Test func keysOfAnyLengthWork() throws {
        let map = Hamt(store: MemoryBlockstore())
        for length in 0..<80 { try map.set([UInt8](repeating: 1, count: length), value(UInt64(length))) }
        for length in 0..<80 {
            #expect(try map.get([UInt8](repeating: 1, count: length)).map(Array.init) == value(UInt64(length)))
        }
    }

    @Test(
        arguments: [
            ("8240818181824101f6", "pointers without bits"), ("82410180", "bits without pointers"),
            ("8241018180", "empty bucket"), ("824101818484", "bucket of four"),
            ("8241018182824102f6824101f6", "unsorted"), ("8241018182824101f6824101f6", "duplicate"),
            ("8241018181814101", "pair of one"), ("82410181818201f6", "key is a number"), ("8240", "one element"),
            ("83408000", "three elements"), ("824080ff", "trailing byte"), ("80", "empty tuple"), ("", "empty block"),
            ("82582100000000000000000000000000000000000000000000000000000000000000000080", "bitfield of 33 bytes"),
            ("82410181d82a46000155000180", "link is not dag-cbor"), ("824101819bffffffffffffffff", "bucket lies"),
            ("8241019bffffffffffffffff", "pointer count lies"), ("82410181a0", "pointer is a map"),
        ] as [(String, Comment)])
    func malformedRootsAreRefused(hex: String, why: Comment) {
        #expect(throws: IPLDError.self, why) { try load(hex) }
    }

    @Test func emptyNodeBelowTheRootIsRefused() throws {
        let store = MemoryBlockstore()
        let empty = try store.putCbor([0x82, 0x40, 0x80])
        let parent = CborValue.array([.bytes([0xff, 0xff, 0xff, 0xff]), .array((0..<32).map { _ in .link(empty) })])
        let tree = try Hamt(root: try store.putCbor(parent.encoded), store: store)
        #expect(throws: IPLDError.malformed(empty, "hamt node below the root is empty")) { try tree.get(key(1)) }
    }

    @Test func treeThatLinksToItselfEndsAtTheHashsLastBit() throws {
        let store = MemoryBlockstore()
        // No hash is checked on reading, so a store may hold a node under the CID it links to.
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: [0])
        let loop = CborValue.array([.bytes([0xff, 0xff, 0xff, 0xff]), .array((0..<32).map { _ in .link(cid) })])
        try store.put(cid, loop.encoded)
        let tree = try Hamt(root: cid, store: store)
        #expect(throws: IPLDError.maxDepth) { try tree.get(key(1)) }
        #expect(throws: IPLDError.maxDepth) { try tree.set(key(1), value(1)) }
        #expect(throws: IPLDError.maxDepth) { try tree.delete(key(1)) }
        #expect(throws: IPLDError.maxDepth) { try tree.visit { _, _ in } }
    }

    @Test func rootsWithoutCborCodecAreRefused() throws {
        let store = MemoryBlockstore()
        let raw = Cid.blake2b256(codec: Cid.raw, data: [0x82, 0x40, 0x80])
        try store.put(raw, [0x82, 0x40, 0x80])
        #expect(throws: IPLDError.self) { try Hamt(root: raw, store: store) }
    }

    @Test func lenientValuesAreWrittenCanonically() throws {
        let store = MemoryBlockstore()
        // The value 1 in a head of two bytes.
        let root = try store.putCbor(Hex.decode("82434000008181824200011801") ?? [])
        let tree = try Hamt(root: root, store: store)
        #expect(try tree.get(key(1)).map(Array.init) == value(1))
        try tree.set(key(2), value(2))
        let canonical = Hamt(store: store)
        try canonical.set(key(1), value(1))
        try canonical.set(key(2), value(2))
        #expect(try tree.flush() == (try canonical.flush()))
    }

    @Test func nodesInUnusualEncodingMeanTheSame() throws {
        // The same pair, with a key head, a value head and a bucket head that are longer than needed.
        for hex in [
            "824340000081818242000101", "8243400000818182580200" + "0101", "82434000008181824200011801",
            "82434000008198" + "0182" + "42000101",
        ] {
            let tree = try load(hex)
            #expect(try tree.get(key(1)).map(Array.init) == value(1), "\(hex)")
            #expect(try tree.get(key(33)) == nil)
            var seen: [[UInt8]] = []
            try tree.visit { key, value in seen.append(Array(key) + Array(value)) }
            #expect(seen == [key(1) + value(1)])
            #expect(try tree.set(key(1), value(2)))
            #expect(try tree.get(key(1)).map(Array.init) == value(2))
            #expect(try tree.delete(key(1)))
            #expect(try tree.flush().text == "bafy2bzaceamp42wmmgr2g2ymg46euououzfyck7szknvfacqscohrvaikwfay")
        }
    }

    @Test func reloadedTreesChangeAsOnesInMemoryDo() throws {
        let store = MemoryBlockstore()
        let memory = Hamt(store: store)
        for id in 0..<600 { try memory.set(key(UInt64(id)), value(UInt64(id))) }
        for step in 0..<600 {
            let reloaded = try Hamt(root: try memory.flush(), store: store)
            let id = UInt64(step * 7 % 600)
            if step % 3 == 0 {
                #expect(try reloaded.set(key(id), value(id + 1)) == (try memory.set(key(id), value(id + 1))))
            } else {
                #expect(try reloaded.delete(key(id)) == (try memory.delete(key(id))))
            }
            #expect(try reloaded.flush() == (try memory.flush()))
        }
    }

    @Test func scriptedStepsHaveTheirRoots() throws {
        guard let file = sharedBytes("fvm/selfcheck/hamt.json") else { return }
        for series in try #require(try JSON.parse(file).array) {
            let store = MemoryBlockstore()
            let map = Hamt(store: store, bitWidth: try #require(series["bit_width"]?.integer()))
            var set: UInt64 = 0
            var steps = 0
            for step in try series.list("steps") {
                let words = try step.text("op")
                if words.hasPrefix("set keys"), let last = words.split(separator: ".").last.flatMap({ UInt64($0) }) {
                    while set < last {
                        set += 1
                        try map.set(key(set), value(set))
                    }
                } else if words == "overwrite key 7 with 7000" {
                    try map.set(key(7), value(7000))
                } else if words.hasPrefix("delete keys"),
                    let last = words.split(separator: "=").last.flatMap({ UInt64($0) })
                {
                    if set == 256 { try map.set(key(7), value(7)) }
                    while set > last {
                        #expect(try map.delete(key(set)))
                        set -= 1
                    }
                } else {
                    #expect(words == "empty")
                }
                let root = try map.flush()
                #expect(root.text == step["root"]?.string, "\(words)")
                if let hex = step["node_hex"]?.string { #expect(Hex.encode(try store.get(root) ?? []) == hex) }
                steps += 1
            }
            #expect(steps == 22)
        }
    }
}

/// A store that notes what is read from it.
private final class Recorder: Blockstore {
    private let base: MemoryBlockstore
    private(set) var read: [Cid] = []

    init(_ base: MemoryBlockstore) {
        self.base = base
    }

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        read.append(cid)
        return try base.get(cid)
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { try base.put(cid, data) }
}
