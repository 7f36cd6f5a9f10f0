import IPLD
import Machine
import Primitives
import StateTree

/// A message of a vector, alone on the state that the messages before it left: what it comes to depends on nothing that
/// these would do otherwise.
public struct MessageStep: Sendable {
    /// Its place in the vector.
    public let index: Int
    /// It alone; demands what came of it.
    public let session: VectorSession
    /// What came of it.
    public let ending: Ending

    /// What a message came to, with the blocks to look into the state it left.
    public struct Ending: Sendable {
        public let report: VectorReport
        fileprivate let blocks: [Cid: [UInt8]]

        /// nil where it got no receipt.
        public var result: ApplyResult? { report.messages.first?.result }
    }

    /// What the message comes to in a session made from this one's.
    public func ending(of changed: VectorSession) -> Ending {
        let outcome = changed.runner.run(
            changed.vector, changed.variant, name: changed.name, file: changed.file, changed.blocks, observer: nil)
        return Ending(report: outcome.report, blocks: outcome.blocks)
    }

    /// The message with another gas limit; nothing is demanded of it.
    public func limited(to limit: UInt64, in changed: VectorSession) throws(MessageError) -> VectorSession {
        var vector = changed.vector
        vector.postconditions = nil
        vector.messages = [try vector.messages[0].limited(to: limit)]
        return VectorSession(
            name: changed.name, file: changed.file, vector, changed.variant, changed.blocks, changed.runner)
    }

    /// Actors that another ending of the message leaves in another state, but for what it costs: the sender has so much
    /// less as more was burned for gas. Where either left no state there is nothing to tell.
    public func differences(from other: Ending) throws(StateError) -> [StateDifference] {
        guard let first = ending.report.stateRoot, let second = other.report.stateRoot, first != second,
            let before = ending.result?.gas, let after = other.result?.gas
        else { return [] }
        let store = ReplayBlockstore(
            ending.blocks.merging(other.blocks) { block, _ in block }, shared: session.runner.blocks)
        let more =
            after.baseFeeBurn + after.overEstimationBurn - before.baseFeeBurn - before.overEstimationBurn
        var hasPaid = false
        return try StateDifference.between(first, second, in: store).filter { difference in
            guard difference.fields.map(\.name) == ["balance"], let old = difference.first?.balance,
                let new = difference.second?.balance
            else { return true }
            if difference.id == Singleton.burntFunds, new - old == more { return false }
            if !hasPaid, old - new == more {
                hasPaid = true
                return false
            }
            return true
        }
    }
}

extension VectorSession {
    /// Its messages one by one.
    /// - Parameter report: of a run that passed; each message has to come to the same alone.
    public func steps(_ report: VectorReport) throws(NoResults) -> [MessageStep] {
        var root = vector.preStateRoot
        var blocks = blocks
        var steps: [MessageStep] = []
        for (index, entry) in vector.messages.enumerated() {
            var alone = vector
            alone.messages = [entry]
            alone.preStateRoot = root
            alone.postconditions = nil
            let outcome = runner.run(alone, variant, name: name, file: file, blocks, observer: nil)
            guard let made = outcome.report.postconditions, report.messages.indices.contains(index),
                outcome.report.messages.first?.result == report.messages[index].result
            else {
                throw NoResults(
                    reason: "message \(index) gives other results alone: it depends on more than the state before it")
            }
            alone.postconditions = made
            steps.append(
                MessageStep(
                    index: index, session: VectorSession(name: name, file: file, alone, variant, blocks, runner),
                    ending: MessageStep.Ending(report: outcome.report, blocks: outcome.blocks)))
            root = made.stateRoot
            blocks = outcome.blocks
        }
        return steps
    }
}
