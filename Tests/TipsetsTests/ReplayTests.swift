import BlockFiles
import Chain
import IPLD
import Machine
import Primitives
import Testing

@testable import Tipsets

@Suite struct ReplayTests {
    @Test(arguments: Era.all) func whatWasMadeReplays(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let replay = try ChainReplay(
            head: chain.head, store: chain.store, .heights(0...100), network: chain.network, rules: .lotus,
            engine: engine)
        var heights: [Int64] = []
        replay.run { report in
            heights.append(report.height)
            switch report.result {
            case .success(let check): #expect(check.isEqual, "\(report.height): \(check.mismatches)")
            case .failure(let error): Issue.record("\(report.height): \(error)")
            }
            return true
        }
        #expect(heights == [0, 1, 2, 5, 7, 8])
    }

    @Test(arguments: Era.all) func everyKindOfMessageIsInTheChain(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let (first, execution, store) = try chain.execution(1)
        let outcome = try execution.execute(first, store: store)
        #expect(outcome.receipts.map(\.exitCode) == [.ok, .ok, .ok, .ok])
        #expect(outcome.dropped.map(\.block) == [1, 1, 1, 2])
        #expect(outcome.applied.count == 4 + 3 + 1)
        #expect(outcome.rewards[2] == .init() && !outcome.rewards[0].tip.isZero && !outcome.rewards[1].tip.isZero)

        let (second, _, _) = try chain.execution(5)
        let later = try execution.execute(second, store: chain.store)
        #expect(later.receipts.map(\.exitCode) == [.ok, .usrIllegalArgument, .sysSenderInvalid, .ok])
        #expect(later.stages.map(\.epoch) == [3, 4, 5])
        #expect(!later.rewards[2].penalty.isZero && later.rewards[1] == .init())
    }
}
