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
///
/// Code with its imports bound lives as long as this does. A machine that begins with the state, in the store, that the
/// one before it left takes over its nodes of the state tree: so do the machines of null rounds, and those of tipsets
/// that follow one another.
public final class TipsetExecution {
    public let network: ChainNetwork
    public let rules: NodeRules
    public let line: ChainLine
    let engine: any ActorEngine
    let code: ActorCode
    /// The last machine, where it came to its end.
    private var previous: Machine?
    /// Makes a block's reward.
    var makeReward = ImplicitMessages.reward
    /// Follows the messages; they are numbered within their tipset.
    public var observer: (any MessageObserver)?
    /// Of a tipset's proofs the one that is answered "not valid", in the order of the calls from 0; all others are valid.
    public var refusedProof: Int?
    /// Whether outcomes name the state before each message, which is written to the store for that: with it a message can
    /// be applied again alone.
    public var keepsStates = false
    /// Hears of each message that was applied.
    public var applied: ((TipsetOutcome.Applied) -> Void)?

    public init(network: ChainNetwork, rules: NodeRules, line: ChainLine, engine: any ActorEngine) {
        self.network = network
        self.rules = rules
        self.line = line
        self.engine = engine
        code = ActorCode(engine: engine)
    }

    /// Executes a tipset of the line on the state its headers name.
    ///
    /// - Parameters:
    ///   - messages: of each block, where they have been read already.
    ///   - store: has messages, states and headers, and gets what is new.
    public func execute(
        _ tipset: TipSet, messages: [BlockMessages]? = nil, store: any Blockstore
    ) throws(TipsetError) -> TipsetOutcome {
        guard !tipset.isGenesis else { return TipsetOutcome(genesis: tipset) }
        let parents = try TipsetError.onChain { () throws(ChainError) in try line.atOrBelow(tipset.height - 1) }
        let plan = try TipsetPlan(
            tipset, parentHeight: parents.height, messages: messages, store: store, network: network, rules: rules)
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

    // MARK: Machines

    /// What a machine is told of its tipset.
    func facts(_ stage: TipsetOutcome.Stage, _ tipset: TipSet) throws(TipsetError) -> NetworkFacts {
        let profile: NetworkProfile
        do throws(NetworkProfileError) { profile = try .forVersion(stage.version) } catch {
            throw .unknownVersion(height: stage.epoch, error.description)
        }
        return NetworkFacts(
            profile: profile, epoch: stage.epoch, timestamp: stage.timestamp, baseFee: tipset.baseFee,
            circulatingSupply: stage.circulatingSupply, chainID: network.chainID)
    }

    /// What answers a machine's questions.
    func externs(
        _ stage: TipsetOutcome.Stage, _ tipset: TipSet, verifier: AcceptingVerifier, store: any Blockstore
    ) -> TipsetExterns {
        let lookups = ChainLookups(network: network, line: line, height: tipset.height)
        return TipsetExterns(
            lookups,
            faults: ConsensusFaultCheck(
                lookups: lookups, rules: rules, startState: stage.stateRoot, epoch: stage.epoch, store: store),
            verifier: verifier)
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
            outcome.refusedProof = execution.refusedProof
        }

        mutating func execute(_ stage: TipsetPlan.Stage) throws(TipsetError) {
            let circulating =
                if let supply { try supply(stage, root) } else {
                    try CirculatingSupply.at(
                        stage.epoch, root: root, store: store, network: execution.network, version: stage.version)
                }
            let given = TipsetOutcome.Stage(
                epoch: stage.epoch, timestamp: stage.timestamp, version: stage.version, stateRoot: root,
                circulatingSupply: circulating)
            let own = execution.externs(given, plan.tipset, verifier: verifier, store: store)
            let facts = try execution.facts(given, plan.tipset)
            // What does not come to its end leaves nothing to be taken over.
            let previous = execution.previous
            execution.previous = nil
            let machine = try TipsetError.onState { () throws(StateError) in
                try Machine(
                    network: facts, stateRoot: given.stateRoot, store: store, code: execution.code,
                    externs: externs ?? own, after: previous)
            }
            outcome.stages.append(given)
            outcome.manifest = machine.manifest.cid
            outcome.priceList = machine.network.prices.id.rawValue
            machine.trace = execution.observer
            execution.observer?.begin(names: ActorNames(machine))
            let executor = Executor(machine)
            for step in stage.steps { try apply(step, stage, executor, own) }
            root = try TipsetError.onState { () throws(StateError) in try machine.flush() }
            execution.previous = machine
            outcome.answered.add(own.answered)
            outcome.faultsFound += own.faultsFound
            outcome.codeLoading = outcome.codeLoading + machine.codeLoading
        }

        private mutating func apply(
            _ step: TipsetPlan.Step, _ stage: TipsetPlan.Stage, _ executor: Executor, _ externs: TipsetExterns
        ) throws(TipsetError) {
            let before = try stateBefore(executor.machine)
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
            let proofsBefore = verifier.count
            var report: MessageReport
            let result: ApplyResult
            do throws(ApplyError) {
                (report, result) = try executor.measured(entry) { execution.observer?.stop() }
            } catch { throw externs.reason(error, what) }
            report.place = step.place(stage.epoch)
            report.cid = if case .message(let own, _) = step { own.cid } else { entry.cid }
            execution.observer?.end(message: index, report)
            let applied = TipsetOutcome.Applied(
                step: step, stage: outcome.stages.count - 1, entry: entry, stateBefore: before,
                proofsBefore: proofsBefore, result: result, report: report)
            outcome.applied.append(applied)
            execution.applied?(applied)
            try account(step, stage, result, what)
        }

        /// The state as it is now, where it is to be kept and can be.
        private func stateBefore(_ machine: Machine) throws(TipsetError) -> Cid? {
            guard execution.keepsStates else { return nil }
            if let applied = outcome.applied.last, applied.stage == outcome.stages.count - 1 {
                do throws(StateError) { return try machine.flush() } catch {
                    // What cannot be written now may be gone when the tipset ends.
                    guard error.isLocal else { return nil }
                    throw TipsetError(error)
                }
            }
            return root
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
