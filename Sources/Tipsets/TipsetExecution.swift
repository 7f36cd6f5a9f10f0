import Chain
import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import Replay
import StateTree

/// Executes tipsets of one chain (FVM chain layer 2). Not safe to use from several threads.
public final class TipsetExecution {
    public let network: ChainNetwork
    public let rules: NodeRules
    public let line: ChainLine
    private let engine: any ActorEngine
    /// Makes a block's reward.
    var makeReward = ImplicitMessages.reward
    /// Follows the messages; they are numbered within their tipset.
    public var observer: (any MessageObserver)?
    /// Of a tipset's proofs the one that is answered "not valid", in the order of the calls from 0; all others are valid.
    public var refusedProof: Int?
    /// Hears of each message that was applied.
    public var applied: ((TipsetOutcome.Applied) -> Void)?

    public init(network: ChainNetwork, rules: NodeRules, line: ChainLine, engine: any ActorEngine) {
        self.network = network
        self.rules = rules
        self.line = line
        self.engine = engine
    }

    /// Executes a tipset of the line on the state its headers name.
    ///
    /// - Parameter store: has messages, states and headers, and gets what is new.
    public func execute(_ tipset: TipSet, store: any Blockstore) throws(TipsetError) -> TipsetOutcome {
        guard !tipset.isGenesis else { return TipsetOutcome(genesis: tipset) }
        let parents = try TipsetError.onChain { () throws(ChainError) in try line.atOrBelow(tipset.height - 1) }
        let plan = try TipsetPlan(
            tipset, parentHeight: parents.height, store: store, network: network, rules: rules)
        return try run(plan, store: store)
    }

    /// Executes a plan.
    ///
    /// - Parameter externs: answers the machines' questions instead of the chain.
    func run(
        _ plan: TipsetPlan, store: any Blockstore, externs: (any Externs)? = nil,
        supply: ((TipsetPlan.Stage, Cid) throws(TipsetError) -> TokenAmount)? = nil
    ) throws(TipsetError) -> TipsetOutcome {
        var run = Run(execution: self, plan: plan, store: store, externs: externs, supply: supply)
        for stage in plan.stages { try run.execute(stage) }
        return try run.finish()
    }

    /// A tipset on its way.
    private struct Run {
        let execution: TipsetExecution
        let plan: TipsetPlan
        let store: any Blockstore
        let externs: (any Externs)?
        let supply: ((TipsetPlan.Stage, Cid) throws(TipsetError) -> TokenAmount)?
        let verifier: AcceptingVerifier
        var outcome: TipsetOutcome
        var root: Cid

        init(
            execution: TipsetExecution, plan: TipsetPlan, store: any Blockstore, externs: (any Externs)?,
            supply: ((TipsetPlan.Stage, Cid) throws(TipsetError) -> TokenAmount)?
        ) {
            self.execution = execution
            self.plan = plan
            self.store = store
            self.externs = externs
            self.supply = supply
            verifier = AcceptingVerifier(refusing: execution.refusedProof)
            root = plan.tipset.parentStateRoot
            outcome = TipsetOutcome(plan)
        }

        mutating func execute(_ stage: TipsetPlan.Stage) throws(TipsetError) {
            let network = execution.network
            let profile: NetworkProfile
            do throws(NetworkProfileError) { profile = try .forVersion(stage.version) } catch {
                throw .unknownVersion(height: stage.epoch, error.description)
            }
            let circulating =
                if let supply { try supply(stage, root) } else {
                    try CirculatingSupply.at(
                        stage.epoch, root: root, store: store, network: network, version: stage.version)
                }
            let lookups = ChainLookups(network: network, line: execution.line, height: plan.tipset.height)
            let own = TipsetExterns(
                lookups,
                faults: ConsensusFaultCheck(
                    lookups: lookups, rules: execution.rules, startState: root, epoch: stage.epoch, store: store),
                verifier: verifier)
            let begin = root
            let machine = try TipsetError.onState { () throws(StateError) in
                try Machine(
                    network: NetworkFacts(
                        profile: profile, epoch: stage.epoch, timestamp: stage.timestamp,
                        baseFee: plan.tipset.baseFee, circulatingSupply: circulating, chainID: network.chainID),
                    stateRoot: begin, store: store, engine: execution.engine, externs: externs ?? own)
            }
            outcome.stages.append(
                TipsetOutcome.Stage(epoch: stage.epoch, version: stage.version, circulatingSupply: circulating))
            outcome.manifest = machine.manifest.cid
            outcome.priceList = machine.network.prices.id.rawValue
            machine.trace = execution.observer
            execution.observer?.begin(names: ActorNames(machine))
            let executor = Executor(machine)
            for step in stage.steps { try apply(step, stage, executor, own) }
            root = try TipsetError.onState { () throws(StateError) in try machine.flush() }
            outcome.answered.add(own.answered)
            outcome.faultsFound += own.faultsFound
            outcome.codeLoading = outcome.codeLoading + machine.codeLoading
        }

        private mutating func apply(
            _ step: TipsetPlan.Step, _ stage: TipsetPlan.Stage, _ executor: Executor, _ externs: TipsetExterns
        ) throws(TipsetError) {
            let message: Message
            var kind = ApplyKind.implicit
            var chainLength: UInt64 = 0
            let what: String
            switch step {
            case .message(let entry, let block):
                message = entry.message
                kind = .explicit
                chainLength = entry.chainLength
                what = "message \(entry.cid) of block \(block)"
            case .reward(let block):
                let earned = outcome.rewards[block]
                do throws(TokenAmountError) {
                    message = try execution.makeReward(
                        plan.tipset.blocks[block], stage.epoch, earned.penalty, earned.tip)
                } catch { throw .state("reward of block \(block): \(error)") }
                what = "reward of block \(block)"
            case .cron:
                message = ImplicitMessages.cron(stage.epoch)
                what = "cron of epoch \(stage.epoch)"
            }
            let index = outcome.applied.count
            execution.observer?.begin(message: index)
            let entry: VectorMessage
            do throws(MessageError) {
                entry = try VectorMessage(message, kind: kind, chainLength: chainLength)
            } catch { throw .message(what, reason: error.description) }
            var report: MessageReport
            let result: ApplyResult
            do throws(ApplyError) {
                (report, result) = try executor.measured(entry) { execution.observer?.stop() }
            } catch {
                if let failure = externs.failure { throw .chain(failure) }
                if case .local(let reason) = error { throw .local("\(what): \(reason)") }
                throw .message(what, reason: error.description)
            }
            report.place = step.place(stage.epoch)
            report.cid = if case .message(let own, _) = step { own.cid } else { entry.cid }
            execution.observer?.end(message: index, report)
            let applied = TipsetOutcome.Applied(
                step: step, epoch: stage.epoch, message: message, result: result, report: report)
            outcome.applied.append(applied)
            execution.applied?(applied)
            try account(step, stage, result, what)
        }

        private mutating func account(
            _ step: TipsetPlan.Step, _ stage: TipsetPlan.Stage, _ result: ApplyResult, _ what: String
        ) throws(TipsetError) {
            switch step {
            case .message(_, let block):
                outcome.rewards[block].penalty += result.gas.minerPenalty
                outcome.rewards[block].tip += result.gas.minerTip
            case .cron where stage.epoch == plan.tipset.height && !execution.rules.demandsFinalCron: break
            case .reward, .cron:
                guard result.receipt.exitCode == .ok else {
                    throw .implicit(what, result.receipt.exitCode, cause: result.failure?.description ?? "")
                }
            }
        }

        func finish() throws(TipsetError) -> TipsetOutcome {
            var outcome = outcome
            outcome.stateRoot = root
            let list = ReceiptList.list(outcome.receipts)
            outcome.receiptsRoot = list.root
            do throws(BlockstoreError) {
                for block in list.blocks { try store.put(block.cid, block.data) }
            } catch { throw .local(error.description) }
            outcome.nextBaseFee = execution.nextBaseFee(plan)
            return outcome
        }
    }

    /// The base fee of the child; nil where it does not follow from the messages.
    func nextBaseFee(_ plan: TipsetPlan) -> TokenAmount? {
        guard !BaseFee.isSuspended(network, childHeight: plan.tipset.height + 1) else { return nil }
        let entries = plan.blockMessages.flatMap { $0 }.map { message in
            BaseFee.Entry(message, cid: rules.countsSignatures ? nil : message.unsignedCid)
        }
        return BaseFee.next(
            plan.tipset.baseFee, .of(network, height: plan.tipset.height), entries: entries,
            blocks: plan.tipset.blocks.count)
    }
}
