import Chain
import Engine
import IPLD
import Kernel
import Machine
import Primitives
import Replay
import StateTree

/// A message of a tipset that was executed, alone on the state it saw: whatever is asked about it costs what the message
/// costs, and not what those before it do.
public final class RetracedMessage: MessageRun {
    let execution: TipsetExecution
    let outcome: TipsetOutcome
    /// Its place among all that were applied.
    public let index: Int
    /// The chain's, as the user named it.
    public let file: String
    let stateBefore: Cid
    let store: any Blockstore

    var applied: TipsetOutcome.Applied { outcome.applied[index] }
    var stage: TipsetOutcome.Stage { outcome.stages[applied.stage] }

    public var name: String { "height \(outcome.tipset.height), message \(index)" }
    public var networkVersion: NetworkVersion { stage.version }
    public var step: TipsetPlan.Step { applied.step }

    /// A run of the message.
    struct Alone {
        var report: MessageReport
        var result: ApplyResult
        /// The state behind it is not written yet.
        var machine: Machine
        var externs: TipsetExterns
    }

    /// - Parameters:
    ///   - outcome: of the tipset, with the states between its messages.
    ///   - store: has them.
    ///   - file: the chain's, for reports.
    /// - Throws: where there is no such message, or its state was not kept.
    public init(
        _ index: Int, of outcome: TipsetOutcome, _ execution: TipsetExecution, store: any Blockstore, file: String = ""
    ) throws(TipsetError) {
        guard outcome.applied.indices.contains(index) else {
            throw .state(
                "the tipset at height \(outcome.tipset.height) has \(outcome.applied.count) messages, counted from 0")
        }
        guard let root = outcome.applied[index].stateBefore else {
            throw .state("the state before message \(index) of height \(outcome.tipset.height) was not kept")
        }
        self.execution = execution
        self.outcome = outcome
        self.index = index
        self.file = file
        stateBefore = root
        self.store = store
    }

    /// Applies it to the state it saw, on a machine of its own.
    ///
    /// - Parameters:
    ///   - store: instead of the one with the tipset's states.
    ///   - number: what an observer hears of its place.
    ///   - externs: what the machine asks instead of the chain, given what answers for the chain.
    func apply(
        on store: (any Blockstore)? = nil, number: Int = 0, observer: (any MessageObserver)? = nil,
        externs: (TipsetExterns) -> any Externs = { $0 }
    ) throws(TipsetError) -> Alone {
        let store = store ?? self.store
        let refused = outcome.refusedProof.map { $0 - applied.proofsBefore }.flatMap { $0 < 0 ? nil : $0 }
        let own = execution.externs(
            stage, outcome.tipset, verifier: AcceptingVerifier(refusing: refused), store: store)
        let facts = try execution.facts(stage, outcome.tipset)
        let machine = try TipsetError.onState { () throws(StateError) in
            try Machine(
                network: facts, stateRoot: stateBefore, store: store, code: execution.code, externs: externs(own),
                trace: observer)
        }
        observer?.begin(names: ActorNames(machine))
        observer?.begin(message: number)
        var report: MessageReport
        let result: ApplyResult
        do throws(ApplyError) {
            (report, result) = try Executor(machine).measured(applied.entry) { observer?.stop() }
        } catch { throw own.reason(error, applied.step.place(stage.epoch)) }
        report.place = applied.report.place
        report.cid = applied.report.cid
        observer?.end(message: number, report)
        return Alone(report: report, result: result, machine: machine, externs: own)
    }

    /// Applies it and compares the result with the one it had in its tipset.
    public func run(observer: (any MessageObserver)?) -> VectorReport { run(observer: observer, number: 0) }

    /// Applies it and compares the result with the one it had in its tipset.
    ///
    /// - Parameter number: what an observer hears of its place; of a tipset's trace that is `index`.
    public func run(observer: (any MessageObserver)?, number: Int) -> VectorReport {
        var report = VectorReport(name: name, file: file, status: .passed)
        report.networkVersion = networkVersion
        report.epoch = stage.epoch
        do throws(TipsetError) {
            let alone = try apply(number: number, observer: observer)
            report.messages = [alone.report]
            report.manifest = outcome.manifest
            report.priceList = outcome.priceList
            report.answered = alone.externs.answered
            if alone.result != applied.result {
                report.status = .failed
                report.problem = "it gives other results alone: it depends on more than the state before it"
            }
        } catch {
            report.status = .failed
            report.problem = error.description
            report.isLocalFailure = error.isLocal
            report.isBadInput = !error.isLocal
        }
        return report
    }
}
