import Chain
import IPLD
import Machine
import Primitives
import Replay
import Testing

@testable import Tipsets

/// A sector from its pre-commitment to the cron that verifies its seal (network version 18, where cron does that).
@Suite struct ProofTests {
    private func message(_ to: Address, nonce: UInt64, method: UInt64, _ params: [UInt8]) -> Message {
        Message(
            to: to, from: Wallet.alice, nonce: nonce, value: .zero, gasLimit: 500_000_000,
            feeCap: TokenAmount(300_000_000), premium: .zero, method: method, params: params)
    }

    /// A chain whose last tipset but one proves a sector.
    ///
    /// - Parameter refused: the proof that the chain's nodes found not valid.
    private func chain(refused: Int?) throws -> ChainMaker? {
        guard let (genesis, network, store, miners) = try BusyChain.genesis(Era.all[0]) else { return nil }
        let maker = ChainMaker(head: genesis, network: network, rules: .lotus, engine: engine, store: store)
        maker.execution.refusedProof = refused
        let sealed = try Cid(
            codec: Cid.sealedCommitment, hashCode: Cid.poseidonBLS12381, digest: [UInt8](repeating: 3, count: 32))
        var commit = CborWriter()
        commit.array(10)
        // StackedDRG32GiBV1P1, sector 7, sealed with the randomness of epoch 1, without deals.
        commit.unsigned(8 as UInt64)
        commit.unsigned(7 as UInt64)
        commit.link(sealed)
        commit.int64(1)
        commit.array(0)
        commit.int64(700_000)
        commit.bool(false)
        for _ in 0..<3 { commit.unsigned(0 as UInt64) }
        var prove = CborWriter()
        prove.array(2)
        prove.unsigned(7 as UInt64)
        prove.byteString([UInt8](repeating: 1, count: 1_920))
        try maker.append([.init(miner: miners[0])])
        try maker.append([
            .init(miner: miners[0], messages: [message(miners[1], nonce: 0, method: 6, commit.bytes)])
        ])
        #expect(try maker.headOutcome().receipts.map(\.exitCode) == [.ok])
        try maker.append(
            [.init(miner: miners[0], messages: [message(miners[1], nonce: 1, method: 7, prove.bytes)])],
            nullRounds: 151)
        let outcome = try maker.headOutcome()
        #expect(
            outcome.receipts.map(\.exitCode) == [.ok], "\(outcome.applied.compactMap(\.result.failure?.description))")
        #expect(outcome.answered[.seals] == 1 && outcome.answered.total == 1)
        try maker.append([.init(miner: miners[0])])
        return maker
    }

    @Test func aValidSealReplaysAndIsCounted() throws {
        guard let maker = try chain(refused: nil) else { return }
        let check = try replay(maker)
        #expect(check?.isEqual == true && check?.inferredRefusal == nil && check?.outcome.answered[.seals] == 1)
    }

    @Test func aSealThatWasNotValidIsInferredFromTheRoots() throws {
        guard let maker = try chain(refused: 0) else { return }
        let check = try replay(maker)
        #expect(check?.isEqual == true && check?.inferredRefusal == 0)
    }

    /// The run that was taken back leaves nothing to the next tipset.
    @Test func theTipsetAboveAnInferredOneReplays() throws {
        guard let maker = try chain(refused: 0) else { return }
        maker.execution.refusedProof = nil
        try maker.append([.init(miner: maker.head.blocks[0].miner)])
        let replay = try ChainReplay(
            head: maker.head, store: maker.store, .last(3), network: maker.execution.network, rules: .lotus,
            engine: engine)
        let checks = try replay.entries.indices.map { try replay.run($0).result.get() }
        #expect(checks.map(\.inferredRefusal) == [nil, 0, nil] && checks.allSatisfy(\.isEqual))
    }

    /// Nodes charge for a batch of seals, which the reference's driver does not; what was not valid no vector can say.
    @Test(arguments: [nil, 0]) func aCronThatVerifiesSealsIsAVectorUnlessOneWasRefused(_ refused: Int?) throws {
        guard let maker = try chain(refused: refused) else { return }
        let replay = try ChainReplay(
            head: maker.head, store: maker.store, .last(1), network: maker.execution.network, rules: .lotus,
            engine: engine)
        replay.execution.keepsStates = true
        let check = try replay.run(0).result.get()
        let cron = check.outcome.applied.count - 1
        let message = try replay.message(cron, of: check)
        #expect(message.run(observer: nil).status == .passed)
        let archive = try replay.archive(0, check)
        #expect(!archive.blocks.isEmpty)
        if refused != nil {
            #expect(throws: ExtractionFailure.self) { try message.vector(named: "cron") }
        } else {
            let vector = try message.vector(named: "cron")
            #expect(vector.verifications == .node)
        }
    }

    private func replay(_ maker: ChainMaker) throws -> TipsetCheck? {
        let replay = try ChainReplay(
            head: maker.head, store: maker.store, .last(1), network: maker.execution.network, rules: .lotus,
            engine: engine)
        switch replay.run(0).result {
        case .success(let check): return check
        case .failure(let error):
            Issue.record("\(error)")
            return nil
        }
    }
}
