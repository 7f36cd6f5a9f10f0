import Chain
import Engine
import IPLD
import Machine
import Primitives
import Replay

/// What executing a tipset came to.
public struct TipsetOutcome: Sendable {
    /// A message with its result.
    public struct Applied: Sendable {
        public var step: TipsetPlan.Step
        /// Of the machine.
        public var epoch: Int64
        public var message: Message
        public var result: ApplyResult
        public var report: MessageReport

        public var isExplicit: Bool {
            if case .message = step { true } else { false }
        }

        /// As the chain calls it; of the node's own messages as the machine's wrapper does.
        public var cid: Cid? { report.cid }
    }

    /// What a block's messages owe and pay.
    public struct Reward: Sendable, Equatable {
        public var penalty = TokenAmount.zero
        public var tip = TokenAmount.zero
    }

    /// What one machine was given.
    public struct Stage: Sendable, Equatable {
        public var epoch: Int64
        public var version: NetworkVersion
        /// attoFIL.
        public var circulatingSupply: TokenAmount
    }

    public var tipset: TipSet
    public var stateRoot: Cid
    public var receiptsRoot: Cid
    /// In the order they were applied, the node's own too.
    public var applied: [Applied] = []
    public var dropped: [MessageSelection.Dropped]
    /// By block.
    public var rewards: [Reward]
    public var stages: [Stage] = []
    /// attoFIL per gas; nil where it does not follow from the messages.
    public var nextBaseFee: TokenAmount?
    /// Proofs that were answered by a rule.
    /// The list of built-in actors that the state names.
    public var manifest: Cid?
    /// Of the tipset's own machine.
    public var priceList: String?
    public var answered = AnsweredVerifications(rule: .chain)
    public var faultsFound = 0
    /// Spent on finding, compiling and mapping code.
    public var codeLoading = ElapsedTime.zero

    /// Of explicit messages, in their order.
    public var receipts: [Receipt] { applied.filter(\.isExplicit).map(\.result.receipt) }

    init(_ plan: TipsetPlan) {
        tipset = plan.tipset
        stateRoot = plan.tipset.parentStateRoot
        receiptsRoot = plan.tipset.parentMessageReceipts
        dropped = plan.dropped
        rewards = plan.tipset.blocks.map { _ in Reward() }
    }

    /// Nothing runs at height 0: its result is what its header says of its parents.
    init(genesis: TipSet) {
        tipset = genesis
        stateRoot = genesis.parentStateRoot
        receiptsRoot = genesis.parentMessageReceipts
        dropped = []
        rewards = genesis.blocks.map { _ in Reward() }
    }
}
