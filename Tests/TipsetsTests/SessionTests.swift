import BlockFiles
import Chain
import IPLD
import Kernel
import Machine
import Primitives
import Testing

@testable import Tipsets

/// What lives from tipset to tipset changes nothing but the time they take.
@Suite struct SessionTests {
    /// Counts how often a block of another store is asked for.
    private final class CountingStore: Blockstore {
        private let base: MemoryBlockstore
        private(set) var count = 0

        init(_ base: MemoryBlockstore) { self.base = base }

        func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
            count += 1
            return try base.get(cid)
        }

        func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { try base.put(cid, data) }
    }

    private func replay(
        _ chain: BusyChain, _ range: ChainReplay.Range = .complete, store: (any Blockstore)? = nil,
        ahead: (@Sendable () -> any Blockstore)? = nil
    ) throws -> ChainReplay {
        try ChainReplay(
            head: chain.head, store: store ?? chain.store, range, network: chain.network, rules: .lotus, engine: engine,
            ahead: ahead)
    }

    private func checks(_ replay: ChainReplay) -> [TipsetCheck?] {
        replay.entries.indices.map { try? replay.run($0).result.get() }
    }

    @Test(arguments: Era.all) func tipsetsThatFollowOneAnotherComeToWhatTheyComeToAlone(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let inARow = CountingStore(chain.store)
        let together = checks(try replay(chain, store: inARow))
        #expect(together.count == 6)
        var alone = 0
        for check in together {
            let check = try #require(check)
            let height = check.outcome.tipset.height
            let store = CountingStore(chain.store)
            let again = try replay(chain, .heights(height...height), store: store).run(0).result.get()
            alone += store.count
            #expect(check.isEqual && again.isEqual, "\(height)")
            #expect(again.outcome.applied.map(\.result) == check.outcome.applied.map(\.result), "\(height)")
            #expect(again.outcome.stages == check.outcome.stages, "\(height)")
        }
        #expect(inARow.count < alone * 2 / 3, "\(inARow.count) reads in a row, \(alone) by tipsets alone")
    }

    @Test func whatWasWrittenIsDroppedWhereItIsTooMuch() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let replay = try replay(chain)
        replay.writtenLimit = 0
        var stores: Set<ObjectIdentifier> = []
        var kept: [OverlayBlockstore] = []
        for index in replay.entries.indices {
            #expect(try replay.run(index).result.get().isEqual)
            stores.insert(ObjectIdentifier(replay.written))
            kept.append(replay.written)
        }
        // Nothing is written at height 0.
        #expect(stores.count == replay.entries.count - 1 && kept.count == replay.entries.count)
    }

    /// A tipset that comes to other roots leaves a state nobody goes on from.
    @Test func afterAMismatchTheNextTipsetBeginsWithTheChainsState() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let replay = try replay(chain)
        for (index, entry) in replay.entries.enumerated() {
            if entry.link.height == 5 {
                replay.execution.makeReward = { (header, epoch, penalty, tip) throws(TokenAmountError) in
                    try ImplicitMessages.reward(header, epoch, penalty: tip, tip: penalty)
                }
            }
            let check = try replay.run(index).result.get()
            #expect(check.isEqual == (entry.link.height != 5), "\(entry.link.height)")
            replay.execution.makeReward = ImplicitMessages.reward
        }
    }

    @Test func aTipsetThatFailedInTheMiddleIsRunFromItsBeginning() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let replay = try replay(chain)
        var nobody = chain.head.blocks[0]
        nobody.miner = .id(77)
        for (index, entry) in replay.entries.enumerated() {
            if entry.link.height == 7 {
                // The reward of a miner that does not exist.
                replay.execution.makeReward = { [nobody] (_, epoch, penalty, tip) throws(TokenAmountError) in
                    try ImplicitMessages.reward(nobody, epoch, penalty: penalty, tip: tip)
                }
                let failed = try? replay.run(index).result.get()
                #expect(failed?.isEqual != true)
                replay.execution.makeReward = ImplicitMessages.reward
            }
            #expect(try replay.run(index).result.get().isEqual, "\(entry.link.height)")
        }
    }

    // MARK: Reading ahead

    @Test(arguments: [Era.all[0], Era.newest]) func whatIsReadAheadIsWhatIsReadInTurn(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let blocks = chain.blocks
        let ahead = checks(try replay(chain) { MemoryBlockstore(blocks) })
        let inTurn = checks(try replay(chain))
        #expect(ahead.count == 6)
        for (one, other) in zip(ahead, inTurn) {
            #expect(one?.isEqual == true && one?.outcome.stateRoot == other?.outcome.stateRoot)
            #expect(one?.outcome.applied.map(\.result) == other?.outcome.applied.map(\.result))
        }
    }

    @Test func whatIsMissingIsSaidByTheTipsetThatLacksIt() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let line = ChainLine(top: chain.head, store: chain.store)
        let lists = try TipSet(key: try line.atOrBelow(7).key, from: chain.store).blocks[0].messages
        let partial = chain.blocks.filter { $0.key != lists }
        let replay = try replay(chain, store: MemoryBlockstore(partial)) { MemoryBlockstore(partial) }
        for (index, entry) in replay.entries.enumerated() {
            switch replay.run(index).result {
            case .success(let check): #expect(check.isEqual && entry.link.height != 7)
            case .failure(let error): #expect(entry.link.height == 7 && "\(error)".contains(lists.text), "\(error)")
            }
        }
    }

    /// Only the thread's own view of the file lacks them.
    @Test func whatCannotBeReadAheadIsReadInTurn() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let checks = checks(try replay(chain) { MemoryBlockstore() })
        #expect(checks.count == 6 && checks.allSatisfy { $0?.isEqual == true })
    }
}
