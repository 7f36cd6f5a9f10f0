import Chain
import Crypto
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree
import Testing

@testable import Tipsets

/// Ways to execute a tipset that are nearly right (FVM chain layer 6, by its numbers): each comes to other roots than
/// the chain has, and the right one comes to the chain's.
@Suite struct PitfallTests {
    private struct Roots: Equatable {
        var state: Cid
        var receipts: Cid

        init(_ outcome: TipsetOutcome) {
            state = outcome.stateRoot
            receipts = outcome.receiptsRoot
        }
    }

    /// A tipset of the busy chain with its plan, and what it comes to when it is executed as it should be.
    private struct Case {
        var chain: BusyChain
        var plan: TipsetPlan
        var execution: TipsetExecution
        var right: Roots

        init?(_ height: Int64, _ era: Era = .newest) throws {
            guard let chain = try BusyChain.of(era) else { return nil }
            self.chain = chain
            let (tipset, execution, store) = try chain.execution(height)
            self.execution = execution
            let parent = try execution.line.atOrBelow(height - 1)
            plan = try TipsetPlan(
                tipset, parentHeight: parent.height, store: store, network: chain.network, rules: .lotus)
            right = Roots(try execution.run(plan, store: store))
            let child = try execution.line.atOrAbove(height + 1)
            #expect(right.state == child.parentStateRoot)
        }

        /// What another plan comes to.
        func roots(_ change: (inout TipsetPlan) throws -> Void) throws -> Roots {
            var plan = plan
            try change(&plan)
            return Roots(try execution.run(plan, store: chain.store))
        }

        /// What the same plan comes to with other answers.
        func roots(externs: any Externs) throws -> Roots {
            Roots(try execution.run(plan, store: chain.store, externs: externs))
        }

        /// What the same plan comes to on another network.
        func rootsOn(network change: (inout ChainNetwork) -> Void) throws -> Roots {
            var network = chain.network
            change(&network)
            let store = chain.store
            let execution = TipsetExecution(
                network: network, rules: .lotus, line: ChainLine(top: chain.head, store: store), engine: engine)
            return Roots(try execution.run(plan, store: store))
        }
    }

    @Test func pitfall1NullRoundsRunCronOnMachinesOfTheirOwn() throws {
        guard let at5 = try Case(5) else { return }
        #expect(at5.plan.stages.map(\.epoch) == [3, 4, 5])
        #expect(at5.plan.stages.map(\.timestamp) == [3, 4, 5].map { at5.chain.network.genesisTimestamp + 30 * $0 })
        let without = try at5.roots { $0.stages.removeFirst() }
        #expect(without.state != at5.right.state)
        let inOne = try at5.roots { plan in
            plan.stages[2].steps = [.cron, .cron] + plan.stages[2].steps
            plan.stages.removeFirst(2)
        }
        #expect(inOne.state != at5.right.state)
    }

    @Test func pitfall2AMigrationBetweenIsSaidAndNotSkipped() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        for (height, stops) in [(2, true), (3, true), (4, true), (5, false), (1, false)] as [(Int64, Bool)] {
            let store = chain.store
            var network = chain.network
            network.migrations = [height]
            let line = ChainLine(top: chain.head, store: store)
            let tipset = try TipSet(key: try line.atOrBelow(5).key, from: store)
            let execution = TipsetExecution(network: network, rules: .lotus, line: line, engine: engine)
            let result = Result { () throws(TipsetError) in try execution.execute(tipset, store: store) }
            switch result {
            case .success: #expect(!stops)
            case .failure(let error): #expect(stops && error == .migration(height: height))
            }
        }
    }

    /// The version behind a height; a null round before it runs the older one.
    @Test func pitfall3AVersionHoldsAboveItsHeight() throws {
        guard let chain = try BusyChain.of(Era.all[2]) else { return }
        var network = chain.network
        network.upgrades = [.init(version: 24, height: -1), .init(version: 25, height: 5)]
        func plan(_ height: Int64, _ parent: Int64) throws -> TipsetPlan {
            let store = chain.store
            let line = ChainLine(top: chain.head, store: store)
            return try TipsetPlan(
                TipSet(key: try line.atOrBelow(height).key, from: store), parentHeight: parent, store: store,
                network: network, rules: .lotus)
        }
        #expect(try plan(5, 2).stages.map(\.version.rawValue) == [24, 24, 24])
        #expect(try plan(7, 5).stages.map(\.version.rawValue) == [25, 25])
        network.upgrades[1].height = 4
        let mixed = try plan(5, 2)
        #expect(mixed.stages.map(\.version.rawValue) == [24, 24, 25])
        // Actors of one generation do not run by the rules of the other.
        guard let at5 = try Case(5, Era.all[0]) else { return }
        let newer = try? at5.roots { $0.stages[2].version = NetworkVersion(rawValue: 21) }
        #expect(newer != at5.right)
    }

    @Test func pitfall3TheNewBeaconHoldsFromItsEpochOn() throws {
        guard let (genesis, network, store, miners) = try BusyChain.genesis(.newest) else { return }
        var switching = network
        let old = ChainNetwork.Drand.mainnet
        let new = ChainNetwork.Drand.quicknet
        func schedule(_ from: Int64) -> [ChainNetwork.Drand] {
            [
                .init(from: 0, period: old.period, genesis: old.genesis),
                .init(from: from, period: new.period, genesis: new.genesis),
            ]
        }
        switching.drand = schedule(2)
        let maker = ChainMaker(head: genesis, network: switching, rules: .lotus, engine: engine, store: store)
        try maker.append([.init(miner: miners[0], messages: [Recorder.deploy(nonce: 0, beacon: true)])])
        let call = message(
            from: Wallet.ether, to: .id(10), nonce: 1, value: 0, gasLimit: 500_000_000, method: 4,
            params: CborWriter.byteString([0x44, 0x60, 0, 0x55, 0]))
        let second = try maker.append([.init(miner: miners[0], messages: [call])])
        #expect(second.blocks[0].beaconEntries.map(\.round) == [switching.beaconRound(at: 2)])
        let right = try maker.headOutcome()
        #expect(right.receipts.map(\.exitCode) == [.ok])
        switching.drand = schedule(3)
        let wrong = TipsetExecution(
            network: switching, rules: .lotus, line: ChainLine(top: second, store: store), engine: engine)
        #expect(Roots(try wrong.execute(second, store: store)) != Roots(right))
    }

    /// From network version 28 on the deposit of a new miner goes by the circulating supply.
    @Test func pitfall4TheSupplyIsThatOfTheStateTheMachineBeginsWith() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let store = chain.store
        let maker = chain.maker(store)
        var params = CborWriter()
        params.array(5)
        params.byteString(Wallet.alice.bytes)
        params.byteString(Wallet.bob.bytes)
        params.unsigned(13 as UInt64)
        params.byteString([])
        params.array(0)
        let create = Message(
            to: .id(4), from: Wallet.alice, nonce: 3, value: TokenAmount(100) * TokenAmount.attoPerFil,
            gasLimit: 500_000_000, feeCap: TokenAmount(300_000_000), premium: .zero, method: 2, params: params.bytes)
        let tipset = try maker.append([.init(miner: chain.miners[0], messages: [create])])
        let right = try maker.headOutcome()
        #expect(right.receipts.map(\.exitCode) == [.ok])
        let plan = try TipsetPlan(
            tipset, parentHeight: tipset.height - 1, store: store, network: chain.network,
            rules: .lotus)
        let supply = try #require(right.stages.first).circulatingSupply
        let other = supply + TokenAmount(400_000_000) * TokenAmount.attoPerFil
        let wrong = try maker.execution.run(plan, store: store) { _, _ in other }
        #expect(Roots(wrong) != Roots(right))
        let same = try maker.execution.run(plan, store: store) { _, _ in supply }
        #expect(Roots(same) == Roots(right))
    }

    /// Answers of the chain, but for what a test says otherwise.
    private final class OtherAnswers: Externs {
        let proofs: any ProofSyscalls = AcceptingVerifier().proofs
        let lookups: ChainLookups
        let beacon: ((Int64, ChainLookups) throws -> [UInt8])?
        let tipset: ((Int64, ChainLookups) throws -> Cid)?

        init(
            _ lookups: ChainLookups, beacon: ((Int64, ChainLookups) throws -> [UInt8])? = nil,
            tipset: ((Int64, ChainLookups) throws -> Cid)? = nil
        ) {
            self.lookups = lookups
            self.beacon = beacon
            self.tipset = tipset
        }

        private func answer<R>(_ body: () throws -> R) throws(ExternFailure) -> R {
            do { return try body() } catch { throw .refused("\(error)") }
        }

        func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
            try answer { try lookups.ticketDigest(epoch) }
        }

        func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
            try answer { try beacon.map { try $0(epoch, lookups) } ?? lookups.beaconDigest(epoch) }
        }

        func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid {
            try answer { try tipset.map { try $0(epoch, lookups) } ?? lookups.tipsetCid(epoch) }
        }

        func consensusFault(
            first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
        ) throws(ExternFailure) -> ConsensusFault? { nil }
    }

    private func lookups(_ some: Case, _ height: Int64) -> ChainLookups {
        ChainLookups(network: some.chain.network, line: some.execution.line, height: height)
    }

    @Test func pitfall5OfANullRoundRandomnessIsTheYoungersAndTheCidTheOlders() throws {
        guard let at5 = try Case(5) else { return }
        let lookups = lookups(at5, 5)
        #expect(try at5.roots(externs: OtherAnswers(lookups)) == at5.right)
        let youngerCid = OtherAnswers(
            lookups,
            tipset: { epoch, lookups in
                TipSet.keyCid(try lookups.line.atOrAbove(epoch).key)
            })
        #expect(try at5.roots(externs: youngerCid) != at5.right)
        let olderBeacon = OtherAnswers(
            lookups,
            beacon: { epoch, lookups in
                Blake2b.hash256(try lookups.line.atOrBelow(epoch).beaconEntries.last?.data ?? [])
            })
        #expect(try at5.roots(externs: olderBeacon) != at5.right)
        // Tickets are asked for by miners alone: the lookup by itself.
        let link = try lookups.line.atOrBelow(5)
        #expect(try lookups.ticketDigest(3) == link.ticketDigest && lookups.ticketDigest(4) == link.ticketDigest)
        #expect(try lookups.ticketDigest(2) == lookups.line.atOrBelow(2).ticketDigest)
        #expect(try lookups.tipsetCid(4) == TipSet.keyCid(lookups.line.atOrBelow(2).key))
        #expect(try lookups.ticketDigest(-7) == lookups.line.atOrBelow(0).ticketDigest)
        #expect(throws: (any Error).self) { try lookups.ticketDigest(6) }
    }

    @Test func pitfall6TheEntryOfTheEpochsRoundIsTakenNotTheLast() throws {
        guard let at5 = try Case(5) else { return }
        let last = OtherAnswers(
            lookups(at5, 5),
            beacon: { epoch, lookups in
                Blake2b.hash256(try lookups.line.atOrAbove(epoch).beaconEntries.last?.data ?? [])
            })
        #expect(try at5.roots(externs: last) != at5.right)
        #expect(at5.plan.tipset.blocks[0].beaconEntries.count == 3)
    }

    @Test func pitfall7BlocksGoByTicketAndBlsMessagesFirst() throws {
        guard let at1 = try Case(1) else { return }
        let otherBlocks = try at1.roots { plan in
            let steps = plan.stages[0].steps
            let second = steps.filter { if case .message(_, 1) = $0 { true } else { $0 == .reward(block: 1) } }
            plan.stages[0].steps = second + steps.filter { !second.contains($0) }
        }
        #expect(otherBlocks != at1.right)
        let secpFirst = try at1.roots { plan in
            let bls = plan.stages[0].steps.firstIndex {
                if case .message(let entry, _) = $0 { entry.signature == nil } else { false }
            }
            let step = plan.stages[0].steps.remove(at: try #require(bls))
            plan.stages[0].steps.insert(step, at: try #require(bls) + 1)
        }
        #expect(secpFirst.receipts != at1.right.receipts)
    }

    @Test func pitfall8DuplicatesHaveNoReceiptAndRejectsHaveOne() throws {
        guard let at1 = try Case(1), let at5 = try Case(5) else { return }
        let transfer = at1.plan.blockMessages[0].first { $0.message.from == Wallet.alice }
        let duplicate = TipsetPlan.Step.message(try #require(transfer), block: 1)
        #expect(at1.plan.dropped.contains { $0.block == 1 && $0.cid == transfer?.cid })
        let executedTwice = try at1.roots { plan in
            let reward = try #require(plan.stages[0].steps.firstIndex(of: .reward(block: 1)))
            plan.stages[0].steps.insert(duplicate, at: reward)
        }
        #expect(executedTwice.receipts != at1.right.receipts)
        let credited = try at1.roots { plan in
            plan.stages[0].steps.removeAll { $0 == .message(try! #require(transfer), block: 0) }
            let reward = try #require(plan.stages[0].steps.firstIndex(of: .reward(block: 0)))
            plan.stages[0].steps.insert(duplicate, at: reward + 1)
        }
        #expect(credited.state != at1.right.state)
        let withoutReject = try at5.roots { plan in
            plan.stages[2].steps.removeAll {
                if case .message(let entry, _) = $0 { entry.message.from == Wallet.nobody } else { false }
            }
        }
        #expect(withoutReject.receipts != at5.right.receipts && withoutReject.state != at5.right.state)
    }

    @Test func pitfall9EachBlockIsRewardedBehindItsMessages() throws {
        guard let at5 = try Case(5) else { return }
        let before = try at5.roots { plan in
            let reward = try #require(plan.stages[2].steps.firstIndex(of: .reward(block: 2)))
            plan.stages[2].steps.insert(plan.stages[2].steps.remove(at: reward), at: 0)
        }
        #expect(before.state != at5.right.state)
        let noneForEmpty = try at5.roots { $0.stages[2].steps.removeAll { $0 == .reward(block: 1) } }
        #expect(noneForEmpty.state != at5.right.state)
        at5.execution.makeReward = { (header, epoch, penalty, tip) throws(TokenAmountError) in
            try ImplicitMessages.reward(header, epoch, penalty: tip, tip: penalty)
        }
        #expect(try at5.roots { _ in }.state != at5.right.state)
    }

    @Test func pitfall10CronIsLastAndTheNodesMessagesHaveTheWrappersLimit() throws {
        guard let at1 = try Case(1) else { return }
        let cronFirst = try at1.roots { plan in
            plan.stages[0].steps.insert(plan.stages[0].steps.removeLast(), at: 0)
        }
        #expect(cronFirst.state != at1.right.state)
        let outcome = try at1.execution.run(at1.plan, store: at1.chain.store)
        let implicit = outcome.applied.filter { !$0.isExplicit }
        #expect(implicit.count == 4 && implicit.allSatisfy { $0.message.gasLimit == 4_611_686_018_427_387_903 })
    }

    /// A new machine for the final cron is told the supply of the state it begins with; where cron does not ask for it, as
    /// no release of the actors does, nobody can tell. A cron before the rewards can be told, and one that is missing.
    @Test(arguments: Era.all) func pitfall10AMachineOfItsOwnForTheFinalCronCannotBeTold(_ era: Era) throws {
        guard let at5 = try Case(5, era) else { return }
        let ownMachine = try at5.roots { plan in
            var cron = try #require(plan.stages.last)
            plan.stages[plan.stages.count - 1].steps.removeLast()
            cron.steps = [.cron]
            plan.stages.append(cron)
        }
        #expect(ownMachine == at5.right)
        let none = try at5.roots { plan in plan.stages[plan.stages.count - 1].steps.removeLast() }
        #expect(none.state != at5.right.state)
    }

    @Test func pitfall11TheBaseFeeIsTheHeadersOwn() throws {
        guard let at5 = try Case(5) else { return }
        let next = try at5.roots { plan in
            let fee = try #require(at5.execution.nextBaseFee(plan))
            #expect(fee != plan.tipset.baseFee)
            plan.tipset = try TipSet(
                zip(plan.tipset.key, plan.tipset.blocks).map { cid, header in
                    var header = header
                    header.parentBaseFee = fee
                    return (cid, header)
                })
        }
        #expect(next.state != at5.right.state)
    }

    @Test func pitfall12TheChainIdIsTheNetworks() throws {
        guard let at5 = try Case(5) else { return }
        #expect(try at5.rootsOn(network: { $0.chainID = 0 }).state != at5.right.state)
    }

    @Test func pitfall13ASignatureIsPaidForAsLongAsItIs() throws {
        guard let at1 = try Case(1), let chain = try BusyChain.of(.newest) else { return }
        let unsigned = try at1.roots { plan in
            plan.stages[0].steps = try plan.stages[0].steps.map { step in
                guard case .message(var entry, let block) = step else { return step }
                entry.chainLength = UInt64(try entry.message.encoded().count)
                return .message(entry, block: block)
            }
        }
        #expect(unsigned != at1.right)
        // A legacy Ethereum signature is a byte longer: + 70.
        let maker = chain.maker()
        let legacy = SignedMessage(
            message: message(from: Wallet.ether, to: Wallet.alice, nonce: 3, value: 1),
            signature: [3, 1] + [UInt8](repeating: 7, count: 65))
        try maker.append([.init(miner: chain.miners[0], signed: [legacy])])
        let selected = try #require(try maker.headOutcome().applied.first)
        guard case .message(let entry, _) = selected.step else { return #expect(Bool(false)) }
        #expect(entry.chainLength == UInt64(try legacy.message.encoded().count) + 70)
    }

    @Test func pitfall14ReceiptsAreAnArrayOfTheFirstVersionWithFourFields() throws {
        guard let at5 = try Case(5) else { return }
        let receipts = try at5.execution.run(at5.plan, store: at5.chain.store).receipts
        #expect(ReceiptList.list(receipts).root == at5.right.receipts)
        let version3 = Amt(store: MemoryBlockstore(), bitWidth: 3)
        for (index, receipt) in receipts.enumerated() {
            try version3.set(UInt64(index), ReceiptList.encode(receipt))
        }
        #expect(try version3.flush() != at5.right.receipts)
        let three = receipts.map { receipt in
            var writer = CborWriter()
            writer.array(3)
            writer.unsigned(receipt.exitCode.rawValue)
            writer.byteString(receipt.returnData)
            writer.unsigned(receipt.gasUsed)
            return writer.bytes
        }
        #expect(AmtVersion0.encode(three).root != at5.right.receipts)
        #expect(receipts.allSatisfy { ReceiptList.encode($0).first == 0x84 })
    }

    @Test func pitfall15CodeComesFromTheStateAndItsAbsenceIsNamed() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let store = MemoryBlockstore(chain.blocks.filter { $0.key.codec != Cid.raw })
        let execution = TipsetExecution(
            network: chain.network, rules: .lotus, line: ChainLine(top: chain.head, store: store),
            engine: FreshEngine.make())
        let tipset = try TipSet(key: try execution.line.atOrBelow(2).key, from: store)
        do {
            _ = try execution.execute(tipset, store: store)
            Issue.record("it ran without code")
        } catch {
            #expect("\(error)".contains("code of the reward actor"), "\(error)")
        }
    }

    /// What a run reads is enough for another run: nothing is read that only another implementation would not need.
    @Test(arguments: [1, 5, 7] as [Int64]) func pitfall17NothingIsReadAhead(_ height: Int64) throws {
        guard let some = try Case(height) else { return }
        let noting = NotingStore(some.chain.store)
        let first = TipsetExecution(
            network: some.chain.network, rules: .lotus, line: ChainLine(top: some.chain.head, store: noting),
            engine: FreshEngine.make())
        let tipset = try TipSet(key: some.plan.tipset.key, from: noting)
        #expect(Roots(try first.execute(tipset, store: noting)) == some.right)
        let partial = MemoryBlockstore(some.chain.blocks.filter { noting.asked.contains($0.key) })
        #expect(partial.blocks.count < some.chain.blocks.count / 2)
        let second = TipsetExecution(
            network: some.chain.network, rules: .lotus, line: ChainLine(top: some.chain.head, store: partial),
            engine: FreshEngine.make())
        #expect(Roots(try second.execute(tipset, store: partial)) == some.right)
    }
}
