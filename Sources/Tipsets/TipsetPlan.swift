import Chain
import GasSchedule
import IPLD
import Primitives

/// What executing a tipset consists of, before anything runs (FVM chain layer 2.1): machines one after another, each
/// with its messages in order.
public struct TipsetPlan: Sendable {
    /// One message.
    public enum Step: Sendable, Equatable {
        /// One of a block's.
        case message(ChainMessage, block: Int)
        /// A block's reward, with what its messages came to.
        case reward(block: Int)
        case cron

        /// Where it stands.
        func place(_ epoch: Int64) -> String {
            switch self {
            case .message(_, let block): "block \(block)"
            case .reward(let block): "reward of block \(block)"
            case .cron: "cron of epoch \(epoch)"
            }
        }
    }

    /// One machine: it is flushed before the next begins.
    public struct Stage: Sendable, Equatable {
        public var epoch: Int64
        /// Unix seconds.
        public var timestamp: UInt64
        public var version: NetworkVersion
        public var steps: [Step]
    }

    public var tipset: TipSet
    /// Of each null round since the parents, then the tipset's own.
    public var stages: [Stage]
    /// What is not applied.
    public var dropped: [MessageSelection.Dropped]
    /// Messages of all blocks, applied or not, for the base fee.
    public var blockMessages: [[ChainMessage]]

    /// Plans the execution of a tipset.
    ///
    /// - Parameters:
    ///   - parentHeight: of the parents.
    ///   - messages: of each block, where they have been read already.
    ///   - store: has the messages, and the parents' state where senders are compared by id.
    public init(
        _ tipset: TipSet, parentHeight: Int64, messages: [BlockMessages]? = nil, store: any Blockstore,
        network: ChainNetwork, rules: NodeRules
    ) throws(TipsetError) {
        if let height = network.migration(in: parentHeight..<tipset.height) { throw .migration(height: height) }
        if rules.refusesMinerTwice {
            var miners: Set<Address> = []
            for header in tipset.blocks where !miners.insert(header.miner).inserted { throw .minerTwice(header.miner) }
        }
        let selection = try MessageSelection(
            tipset, messages: messages, store: store, network: network, rules: rules)
        self.tipset = tipset
        dropped = selection.dropped
        blockMessages = selection.all
        stages = []
        var epoch = parentHeight + 1
        while epoch < tipset.height {
            stages.append(
                Stage(
                    epoch: epoch,
                    timestamp: network.genesisTimestamp &+ ChainNetwork.blockDelay &* UInt64(epoch),
                    version: try network.executableVersion(at: epoch), steps: [.cron]))
            epoch += 1
        }
        var steps: [Step] = []
        for (block, messages) in selection.blocks.enumerated() {
            steps += messages.map { .message($0, block: block) }
            steps.append(.reward(block: block))
        }
        stages.append(
            Stage(
                epoch: tipset.height, timestamp: tipset.timestamp,
                version: try network.executableVersion(at: tipset.height),
                steps: steps + [.cron]))
    }
}

extension ChainNetwork {
    /// The version that messages of an epoch are executed by, which has to be one whose machine this is.
    func executableVersion(at epoch: Int64) throws(TipsetError) -> NetworkVersion {
        guard let version = version(at: epoch) else {
            throw .unknownVersion(
                height: epoch,
                "\(name) ran a network version below \(upgrades.first?.version ?? 0) there, whose actors "
                    + "were no WASM")
        }
        do throws(NetworkProfileError) { return try NetworkProfile.forVersion(version).version } catch {
            throw .unknownVersion(height: epoch, error.description)
        }
    }
}
