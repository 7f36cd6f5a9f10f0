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
        /// Which of the machines it ran on.
        public var stage: Int
        public var entry: VectorMessage
        /// The state before it; nil where states between messages were not kept.
        public var stateBefore: Cid?
        /// Proofs of the tipset that were answered before it.
        var proofsBefore: Int
        public var result: ApplyResult
        public var report: MessageReport

        public var message: Message { entry.message }

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
        /// Unix seconds.
        public var timestamp: UInt64
        public var version: NetworkVersion
        /// The state it began with.
        public var stateRoot: Cid
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
    /// The list of built-in actors that the state names.
    public var manifest: Cid?
    /// Of the tipset's own machine.
    public var priceList: String?
    /// Proofs that were answered by a rule.
    public var answered = AnsweredVerifications(rule: .chain)
    /// The proof that was answered "not valid", in the order of the calls from 0.
    public internal(set) var refusedProof: Int?
    public var faultsFound = 0
    /// Spent on finding, compiling and mapping code.
    public var codeLoading = ElapsedTime.zero

    /// Of explicit messages, in their order.
    public var receipts: [Receipt] { applied.filter(\.isExplicit).map(\.result.receipt) }

    /// The state behind a message; nil where states between messages were not kept.
    public func stateAfter(_ index: Int) -> Cid? {
        let stage = applied[index].stage
        guard index + 1 < applied.count else { return stateRoot }
        let next = applied[index + 1]
        return next.stage == stage ? next.stateBefore : stages[next.stage].stateRoot
    }

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
