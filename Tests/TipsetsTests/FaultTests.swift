import CBLST
import Chain
import Crypto
import Genesis
import IPLD
import Kernel
import Machine
import Primitives
import StateTree
import Testing

@testable import Tipsets

/// Consensus faults with signatures that are ones (FVM chain layer 2.8, pitfall 16).
@Suite struct FaultTests {
    /// A BLS key for the miner's worker.
    private struct Key {
        private let secret: blst_scalar
        let address: Address

        init() throws {
            var scalar = blst_scalar()
            let seed = [UInt8](repeating: 0x5E, count: 32)
            blst_keygen(&scalar, seed, seed.count, nil, 0)
            secret = scalar
            var point = blst_p1()
            blst_sk_to_pk_in_g1(&point, &scalar)
            var bytes = [UInt8](repeating: 0, count: 48)
            blst_p1_compress(&bytes, &point)
            address = try .bls(bytes)
        }

        func sign(_ message: [UInt8]) -> [UInt8] {
            let domain = Array("BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_".utf8)
            var (hash, point, scalar) = (blst_p2(), blst_p2(), secret)
            blst_hash_to_g2(&hash, message, message.count, domain, domain.count, nil, 0)
            blst_sign_pk_in_g1(&point, &hash, &scalar)
            var bytes = [UInt8](repeating: 0, count: 96)
            blst_p2_compress(&bytes, &point)
            return [2] + bytes
        }
    }

    private struct Scene {
        var key: Key
        var maker: ChainMaker
        var miner: Address
        var network: ChainNetwork

        /// Heights 1 to 4, all by one miner whose worker's key is at hand.
        init?(_ era: Era = .newest) throws {
            let key = try Key()
            guard let (genesis, network, store, miners) = try BusyChain.genesis(era, worker: key.address) else {
                return nil
            }
            self.key = key
            self.network = network
            miner = miners[0]
            maker = ChainMaker(head: genesis, network: network, rules: .lotus, engine: engine, store: store)
            for _ in 0..<4 { try maker.append([.init(miner: miner)]) }
        }

        /// A signed header with the head's fields but for what a test changes.
        func header(_ name: UInt8, _ change: (inout BlockHeader) -> Void = { _ in }) throws -> BlockHeader {
            var header = maker.head.blocks[0]
            header.ticket = [UInt8](repeating: name, count: 96)
            change(&header)
            header.blockSignature = nil
            header.blockSignature = key.sign(try header.encoded())
            return header
        }

        func check(_ rules: NodeRules = .lotus, startState: Cid? = nil, epoch: Int64 = 5) -> ConsensusFaultCheck {
            ConsensusFaultCheck(
                lookups: ChainLookups(network: network, line: maker.execution.line, height: 4), rules: rules,
                startState: startState ?? maker.head.parentStateRoot, epoch: epoch, store: maker.store)
        }
    }

    private func cid(_ header: BlockHeader) throws -> Cid {
        .blake2b256(codec: Cid.dagCbor, data: try header.encoded())
    }

    @Test func eachKindIsFound() throws {
        guard let scene = try Scene() else { return }
        let check = scene.check()
        func fault(_ a: BlockHeader, _ b: BlockHeader, _ extra: [UInt8] = []) throws -> ConsensusFault? {
            try check.fault(try a.encoded(), try b.encoded(), extra: extra)
        }
        let a = try scene.header(1)
        let twin = try scene.header(2)
        #expect(
            try fault(a, twin) == ConsensusFault(target: scene.miner, epoch: 4, kind: .doubleForkMining))
        let later = try scene.header(3) { $0.height = 5 }
        #expect(try fault(a, later)?.kind == .timeOffsetMining && fault(a, later)?.epoch == 5)
        // The later must be the second, one block twice is no fault, nor are two miners'.
        #expect(try fault(later, a) == nil && fault(a, a) == nil)
        #expect(try fault(a, try scene.header(2) { $0.miner = .id(7) }) == nil)
        let sibling = try scene.header(4) { $0.miner = .id(7) }
        let grinding = try scene.header(5) {
            $0.height = 5
            $0.parents = [try! cid(sibling)]
        }
        #expect(try fault(a, grinding) == nil)
        #expect(try fault(a, grinding, try sibling.encoded())?.kind == .parentGrinding)
        #expect(try fault(a, twin, [1, 2, 3]) == nil)
    }

    @Test func signaturesCountAndTheNodesDifferInWhatFailureIs() throws {
        guard let scene = try Scene() else { return }
        let a = try scene.header(1)
        var forged = try scene.header(2)
        forged.ticket = [9]
        let pair = (try a.encoded(), try forged.encoded())
        #expect(try scene.check().fault(pair.0, pair.1, extra: []) == nil)
        #expect(throws: (any Error).self) { try scene.check(.forest).fault(pair.0, pair.1, extra: []) }
        var unsigned = forged
        unsigned.blockSignature = nil
        #expect(try scene.check().fault(pair.0, try unsigned.encoded(), extra: []) == nil)
        // 900 epochs later nothing is looked at any more.
        let twin = try scene.header(2).encoded()
        #expect(try scene.check(epoch: 904).fault(pair.0, twin, extra: []) != nil)
        #expect(try scene.check(epoch: 905).fault(pair.0, twin, extra: []) == nil)
    }

    /// The worker is the old state's, its key the start state's; headers are told apart by the node's own encoding.
    @Test func pitfall16WorkersComeFromTheOldStateAndKeysFromTheNew() throws {
        guard let scene = try Scene() else { return }
        let (a, twin) = (try scene.header(1).encoded(), try scene.header(2).encoded())
        func state(without id: UInt64) throws -> Cid {
            let tree = try StateTree(store: scene.maker.store, root: scene.maker.head.parentStateRoot)
            tree.deleteActor(id)
            return try tree.flush()
        }
        let worker = try #require(
            try StateTree(store: scene.maker.store, root: scene.maker.head.parentStateRoot).resolve(scene.key.address))
        let withoutMiner = try state(without: try #require(scene.miner.id))
        #expect(try scene.check(startState: withoutMiner).fault(a, twin, extra: []) != nil)
        #expect(try scene.check(startState: try state(without: worker)).fault(a, twin, extra: []) == nil)
        // The height as two bytes instead of one: other bytes, the same header.
        var padded = a
        let fields = try CborValue(a)
        guard case .array(let items) = fields else { return #expect(Bool(false)) }
        let at = 1 + items[..<7].reduce(0) { $0 + $1.encoded.count }
        #expect(padded[at] == 4)
        padded.replaceSubrange(at...at, with: [0x18, 4])
        #expect(try BlockHeader(cbor: padded) == BlockHeader(cbor: a))
        #expect(try scene.check().fault(a, padded, extra: []) == nil)
    }

    /// A report in a message: with the fault it pays the reporter, without it fails.
    ///
    /// Network version 25: a miner of actors v18 that has locked nothing but its deposit of creation cannot pay, as the
    /// power actor's sum does not have that deposit.
    @Test func aReportedFaultChangesTheState() throws {
        guard let scene = try Scene(Era.all[2]) else { return }
        func report(_ b: BlockHeader, nonce: UInt64) throws -> Message {
            var params = CborWriter()
            params.array(3)
            params.byteString(try scene.header(1).encoded())
            params.byteString(try b.encoded())
            params.byteString([])
            return message(
                from: Wallet.alice, to: scene.miner, nonce: nonce, value: 0, gasLimit: 500_000_000, method: 15,
                params: params.bytes)
        }
        var forged = try scene.header(2)
        forged.ticket = [9]
        try scene.maker.append([
            .init(
                miner: scene.miner, messages: [try report(forged, nonce: 0), try report(try scene.header(2), nonce: 1)])
        ])
        let outcome = try scene.maker.headOutcome()
        #expect(
            outcome.receipts.map(\.exitCode) == [.usrIllegalArgument, .ok],
            "\(outcome.applied.map { "\($0.result.failure?.description ?? "")" })")
        #expect(outcome.faultsFound == 1)
    }
}
