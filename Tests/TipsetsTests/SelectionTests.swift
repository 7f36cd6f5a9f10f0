import Chain
import IPLD
import Machine
import Primitives
import StateTree
import Testing

@testable import Tipsets

@Suite struct SelectionTests {
    private func entry(_ from: Address, _ nonce: UInt64, _ premium: UInt64 = 0) throws -> ChainMessage {
        let message = message(from: from, to: Wallet.bob, nonce: nonce, premium: premium)
        let data = try message.encoded()
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
        return try ChainMessage(cid, isSigned: false, from: MemoryBlockstore([cid: data]))
    }

    private func select(
        _ blocks: [[ChainMessage]], resolve: ((Address) throws(TipsetError) -> Address)? = nil
    ) throws -> MessageSelection {
        var lists: [BlockMessages] = []
        for messages in blocks {
            var list = try BlockMessages(try emptyMessages.root, in: emptyMessages.store)
            list.bls = messages
            lists.append(list)
        }
        return try MessageSelection(lists, resolve: resolve)
    }

    private var emptyMessages: (root: Cid, store: MemoryBlockstore) {
        get throws {
            let list = AmtVersion0.encode([])
            var writer = CborWriter()
            writer.array(2)
            writer.link(list.root)
            writer.link(list.root)
            let root = Cid.blake2b256(codec: Cid.dagCbor, data: writer.bytes)
            return (root, MemoryBlockstore([root: writer.bytes, list.root: list.blocks[0].data]))
        }
    }

    /// The first message of a sender says where its nonces begin; what does not go on from there is dropped, whatever
    /// it is.
    @Test func noncesGoOnFromTheFirstMessageOfASender() throws {
        let a = Wallet.alice
        let selected = try select([
            [entry(a, 7), entry(a, 9), entry(a, 8)], [entry(a, 7, 5), entry(a, 9), entry(Wallet.bob, 0)],
        ])
        #expect(selected.blocks.map { $0.map(\.message.nonce) } == [[7, 8], [9, 0]])
        #expect(selected.dropped.map(\.nonce) == [9, 7] && selected.dropped.map(\.expectedNonce) == [8, 9])
        #expect(selected.dropped.map(\.block) == [0, 1])
    }

    /// Lotus, once a sender is written as an id: the same account under two names.
    @Test func sendersAreComparedByIdOnceOneIsWrittenSo() throws {
        let blocks = [[try entry(Wallet.alice, 3)], [try entry(Wallet.aliceID, 3), try entry(Wallet.aliceID, 4)]]
        let resolve = { (address: Address) throws(TipsetError) -> Address in
            address == Wallet.alice ? Wallet.aliceID : address
        }
        #expect(try select(blocks, resolve: resolve).blocks.map(\.count) == [1, 1])
        #expect(try select(blocks).blocks.map(\.count) == [1, 2])
    }

    @Test func theNodesDifferWhereAnAccountUsesBothItsAddresses() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let maker = chain.maker()
        let tipset = try maker.append([
            .init(miner: chain.miners[0], messages: [message(from: Wallet.bob, to: Wallet.alice, nonce: 2)]),
            .init(
                miner: chain.miners[1],
                bls: [
                    message(from: Wallet.bobID, to: Wallet.alice, nonce: 2),
                    message(from: Wallet.bobID, to: Wallet.alice, nonce: 3),
                ]),
        ])
        let lotus = try maker.headOutcome()
        #expect(lotus.receipts.map(\.exitCode) == [.ok, .ok] && lotus.dropped.count == 1)
        let forest = try TipsetPlan(
            tipset, parentHeight: tipset.height - 1, store: maker.store, network: chain.network,
            rules: .forest)
        #expect(forest.dropped.isEmpty)
    }

    @Test func oneMinerTwiceIsRefusedByLotusAlone() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let maker = chain.maker()
        let twice = (0..<2).map { _ in ChainMaker.Block(miner: chain.miners[0]) }
        let tipset = try maker.append(twice)
        #expect(throws: TipsetError.minerTwice(chain.miners[0])) { try maker.headOutcome() }
        let forest = ChainMaker(
            head: tipset, network: chain.network, rules: .forest, engine: engine, store: maker.store)
        #expect(try forest.headOutcome().rewards.count == 2)
    }

    /// The reward actor refuses a block that won nothing; without its reward the tipset has no result.
    @Test func aRewardThatFailsEndsTheTipset() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let maker = chain.maker()
        try maker.append([.init(miner: chain.miners[0], winCount: 0)])
        do {
            _ = try maker.headOutcome()
            Issue.record("it has a result")
        } catch {
            guard case .implicit("reward of block 0", .usrIllegalArgument, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
