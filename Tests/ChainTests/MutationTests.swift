import BlockFiles
import Crypto
import Foundation
import IPLD
import Primitives
import StateTree
import Testing

@testable import Chain

/// How many changed files each decoder gets: SMELT_MUTATIONS, or a few. `make mutations` runs a million.
private let mutations = ProcessInfo.processInfo.environment["SMELT_MUTATIONS"].flatMap { Int($0) } ?? 1500

/// A chain of three heights with messages and a state, as an archive.
private struct SmallChain {
    var car = Car(roots: [], blocks: [])
    var header: [UInt8] = []
    var list: Car.Block
    var message: [UInt8] = []

    init() throws {
        func block(_ data: [UInt8]) -> Car.Block {
            Car.Block(cid: .blake2b256(codec: Cid.dagCbor, data: data), data: data)
        }
        func link(_ cid: Cid) -> [UInt8] {
            var writer = CborWriter()
            writer.link(cid)
            return writer.bytes
        }
        var blocks: [Car.Block] = []
        var messages: [Cid] = []
        for nonce in 0..<11 as Range<UInt64> {
            var writer = CborWriter()
            writer.array(10)
            writer.unsigned(UInt64(0))
            writer.byteString(Address.id(101).bytes)
            writer.byteString(Address.id(100).bytes)
            writer.unsigned(nonce)
            writer.byteString(try TokenAmount(77).cborBytes)
            writer.unsigned(UInt64(1_000_000))
            writer.byteString(try TokenAmount(1000).cborBytes)
            writer.byteString(try TokenAmount(1).cborBytes)
            writer.unsigned(UInt64(0))
            writer.byteString([UInt8]())
            message = writer.bytes
            messages.append(block(writer.bytes).cid)
            blocks.append(block(writer.bytes))
        }
        let bls = AmtVersion0.encode(messages.map(link))
        let secp = AmtVersion0.encode([])
        list = try #require(bls.blocks.last)
        blocks += bls.blocks + secp.blocks
        var meta = CborWriter()
        meta.array(2)
        meta.link(bls.root)
        meta.link(secp.root)
        blocks.append(block(meta.bytes))
        let store = MemoryBlockstore()
        let state = try StateTree(store: store, root: try StateTree.makeEmpty(in: store))
        for id in 100..<140 as Range<UInt64> {
            state.setActor(id, .empty(code: block(meta.bytes).cid, delegatedAddress: nil))
        }
        let root = try state.flush()
        for (cid, data) in store.blocks.sorted(by: { $0.key < $1.key }) {
            blocks.append(Car.Block(cid: cid, data: data))
        }
        var parents: [Cid] = []
        for height in 0..<3 as Range<Int64> {
            let header = BlockHeader(
                miner: .id(1000), ticket: [UInt8](repeating: UInt8(height), count: 96),
                electionProof: .init(winCount: 1, vrfProof: [1, 2, 3]), beaconEntries: [.init(round: 5, data: [9])],
                winPoStProof: [.init(type: 3, bytes: [1])], parents: parents, parentWeight: TokenAmount(UInt64(height)),
                height: height, parentStateRoot: root, parentMessageReceipts: secp.root,
                messages: block(meta.bytes).cid,
                blsAggregate: [2] + [UInt8](repeating: 7, count: 96), timestamp: 30 * UInt64(height),
                blockSignature: [2, 3], forkSignaling: 0, parentBaseFee: TokenAmount(100))
            self.header = try header.encoded()
            parents = [block(self.header).cid]
            blocks.insert(block(self.header), at: 0)
        }
        car = Car(roots: parents, blocks: blocks)
    }
}

/// Numbers that are the same in each run.
private struct Numbers {
    private var state: UInt64 = 0x5EED

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    /// Bits flipped, bytes set to edges, cut, padded, parts copied over others, removed or doubled.
    mutating func change(_ bytes: [UInt8]) -> [UInt8] {
        var changed = bytes
        for _ in 0...below(3) where !changed.isEmpty {
            let at = below(changed.count)
            switch below(8) {
            case 0, 1: changed[at] ^= 1 << UInt8(below(8))
            case 2: changed[at] = [0, 0xFF, 0x7F, 0x80, 0x1B, 0x9B, 0xBB, 0xD8][below(8)]
            case 3: changed.removeLast(min(changed.count, 1 + below(40)))
            case 4: changed += [UInt8](repeating: UInt8(below(256)), count: 1 + below(40))
            case 5:
                let from = below(changed.count)
                let count = min(1 + below(60), changed.count - max(at, from))
                changed.replaceSubrange(at..<at + count, with: Array(changed[from..<from + count]))
            case 6: changed.removeSubrange(at..<min(changed.count, at + 1 + below(30)))
            default: changed.insert(contentsOf: changed[at..<min(changed.count, at + 1 + below(60))], at: at)
            }
        }
        return changed
    }
}

/// No changed file makes a decoder stop the process, run without an end, or give a block under a wrong name.
@Suite struct MutationTests {
    @Test func headersMessagesAndLists() throws {
        let chain = try SmallChain()
        var numbers = Numbers()
        for _ in 0..<mutations {
            if let header = try? BlockHeader(cbor: numbers.change(chain.header)) { _ = try? header.encoded() }
            let message = numbers.change(chain.message)
            let cid = Cid.blake2b256(codec: Cid.dagCbor, data: message)
            _ = try? ChainMessage(cid, isSigned: numbers.below(2) == 0, from: MemoryBlockstore([cid: message]))
            let list = numbers.change(chain.list.data)
            let store = MemoryBlockstore([chain.list.cid: list])
            for block in chain.car.blocks where block.cid != chain.list.cid { try store.put(block.cid, block.data) }
            _ = try? BlockMessages.cids(chain.list.cid, in: store)
        }
    }

    /// Plain, in frames, and in Forest's form: opened, all blocks asked for, the chain verified, the state listed.
    @Test(arguments: [CarArchive.Form.plain, .zstd, .forest]) func archives(form: CarArchive.Form) throws {
        let chain = try SmallChain()
        let folder = FileManager.default.temporaryDirectory.path + "/smelt-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let writer = try ArchiveWriter(path: folder + "/sound", form: form, roots: chain.car.roots)
        for block in chain.car.blocks { try writer.append(block.cid, block.data) }
        try writer.finish()
        let sound = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/sound")))
        let expected = Dictionary(chain.car.blocks.map { ($0.cid, $0.data) }) { first, _ in first }
        var numbers = Numbers()
        var opened = 0
        for _ in 0..<mutations {
            let path = folder + "/changed"
            try Data(numbers.change(sound)).write(to: URL(fileURLWithPath: path))
            guard let archive = try? CarArchive(path: path, cache: folder + "/cache") else { continue }
            opened += 1
            for (cid, data) in expected {
                if let found = try? archive.block(cid) { #expect(found == data) }
            }
            let store = ArchiveBlockstore([archive])
            if let snapshot = try? Snapshot(roots: archive.roots, store: store) {
                var verification = ChainVerification(snapshot, walksStates: true)
                _ = try? verification.run()
                if let state = try? StateListing(root: snapshot.head.parentStateRoot, store: store) {
                    try? state.visitActors { _ in }
                }
            }
        }
        #expect(opened > 0)
    }

    /// A state whose nodes name each other again is refused, however many ways lead to them.
    @Test func aNodeThatComesAgainEndsTheWalk() throws {
        let store = MemoryBlockstore()
        var below = Cid.blake2b256(codec: Cid.dagCbor, data: [0x82, 0x40, 0x80])
        try store.put(below, [0x82, 0x40, 0x80])
        for _ in 0..<40 {
            var writer = CborWriter()
            writer.array(2)
            writer.byteString([0xFF])
            writer.array(8)
            for _ in 0..<8 { writer.link(below) }
            below = .blake2b256(codec: Cid.dagCbor, data: writer.bytes)
            try store.put(below, writer.bytes)
        }
        let listing = try StateListing(root: below, store: store)
        #expect(throws: StateError.self) { try listing.visitActors { _ in } }
    }
}
