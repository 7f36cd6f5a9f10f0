import Engine
import GasSchedule
import Kernel
import Machine
import Primitives
import Replay
import Statistics

/// What messages would come to under other prices, or with the code of another release: each on the state it had, under
/// its own gas limit, whatever became of the messages before it.
public struct WhatIf: Sendable {
    /// What is changed.
    public struct Change: Sendable {
        /// nil leaves each network version its own.
        public var prices: PriceList?
        /// Runs actors' code in the place of the vectors' own engine: compiled under the prices given, or redirected.
        public var engine: (any ActorEngine)?

        public init(prices: PriceList? = nil, engine: (any ActorEngine)? = nil) {
            self.prices = prices
            self.engine = engine
        }
    }

    /// How a message fares.
    public enum Verdict: String, Sendable, CaseIterable {
        /// The same receipt but for gas, and the same state but for what gas costs.
        case same
        /// It runs out of gas under the limit it has.
        case outOfGas = "out of gas"
        /// Another exit code, return value or other events.
        case otherOutcome = "other outcome"
        /// The same receipt, and another state.
        case otherState = "other state"
        /// It asks for what was not recorded, so that nothing can be said.
        case noVerdict = "no verdict"
    }

    /// A message before and after.
    public struct Row: Sendable {
        public var vector: String
        public var message: Int
        public var file: String
        public var networkVersion: UInt32
        /// The receiving actor, and `actor.Method`.
        public var actor: String
        public var method: String
        public var verdict: Verdict
        /// Why it is not `same`, for people.
        public var reason: String?
        /// Blocks it asked for that the vector does not have.
        public var missing: [Cid]
        public var gasLimit: UInt64
        public var exitCode: UInt32
        public var newExitCode: UInt32?
        /// Gas it used, and now uses under the same limit; nil without a receipt.
        public var gasUsed: UInt64
        public var newGasUsed: UInt64?
        /// Gas it uses now where the limit is high enough, nil where that is not known: for messages that run out of gas
        /// it is found by raising the limit as far as the sender can pay.
        public var gasNeeded: UInt64?
        /// Nanoseconds of processor time by round, and now in the same rounds; none where it does other work now.
        public var rounds: [(before: Double, now: Double)] = []

        /// Gas now by gas before; nil where there is no such number.
        public var gasTimes: Double? {
            guard gasUsed > 0, let gasNeeded, gasNeeded > 0 else { return nil }
            return Double(gasNeeded) / Double(gasUsed)
        }

        /// Nanoseconds of processor time, the median of the rounds; nil where it was not measured.
        public var nanoseconds: Double? { try? Sample(rounds.map(\.before)).median }
        public var newNanoseconds: Double? { try? Sample(rounds.map(\.now)).median }

        /// Time now by time before, the median of the rounds.
        public var timeTimes: Estimate? { WhatIf.estimate(rounds.map { $0.now / $0.before }) }

        /// Whether it does the same work, so that its gas and time are comparable.
        public var isComparable: Bool { verdict == .same || verdict == .otherState || verdict == .outOfGas }
    }

    public let change: Change
    public private(set) var rows: [Row] = []
    private let measurement = Measurement(rounds: 1)
    private let rounds: Int

    /// - Parameter rounds: how often each message is measured, before and after by turns; once more warms up.
    public init(_ change: Change, rounds: Int) {
        self.change = change
        self.rounds = rounds
    }

    /// The median of what rounds gave, and where it lies; nil for none.
    static func estimate(_ rounds: [Double]) -> Estimate? {
        (try? Sample(rounds)).map { Bootstrap().median($0) }
    }

    /// Adds a vector's messages.
    /// - Returns: why it does not count; nil where it does.
    public mutating func add(_ session: VectorSession) -> VectorReport? {
        var report = session.run()
        guard report.status == .passed || report.status == .ran else { return report }
        if let prices = change.prices, let profile = try? NetworkProfile.forVersion(session.networkVersion),
            profile.syscalls != prices.generation
        {
            report.status = .skipped(
                "the prices are for syscalls of generation \(prices.generation.rawValue), network version "
                    + "\(session.networkVersion.rawValue) has those of generation \(profile.syscalls.rawValue)")
            return report
        }
        let steps: [MessageStep]
        do throws(NoResults) { steps = try session.steps(report) } catch {
            report.status = .failed
            report.problem = error.description
            return report
        }
        var added: [Row] = []
        for step in steps {
            var changed = step.session.demandingNothing
            if let prices = change.prices { changed = changed.with(prices: prices) }
            if let engine = change.engine { changed = changed.with(engine: engine) }
            let ending = step.ending(of: changed)
            // A failure of this machine says nothing of the message.
            if ending.report.isLocalFailure { return ending.report }
            let outcome = measurement.measure(step.session)
            guard let before = outcome.messages.first else { return outcome.report }
            added.append(row(step, before, ending, changed))
        }
        rows += added
        return nil
    }

    private func row(
        _ step: MessageStep, _ before: MeasuredMessage, _ ending: MessageStep.Ending, _ changed: VectorSession
    ) -> Row {
        let frame = before.timeline.frames.first
        let missing = ending.report.missing.subtracting(step.ending.report.missing)
        let judged = Self.judge(step, ending, missing)
        let receipt = ending.result?.receipt
        var row = Row(
            vector: step.session.name, message: step.index, file: step.session.file,
            networkVersion: step.session.networkVersion.rawValue, actor: frame?.actor ?? "(no call)",
            method: frame?.title ?? "(no call)", verdict: judged.verdict, reason: judged.reason,
            missing: judged.verdict == .noVerdict ? missing.blocks.sorted { $0.text < $1.text } : [],
            gasLimit: step.session.messages[0].message.gasLimit, exitCode: before.report.exitCode.rawValue,
            newExitCode: receipt?.exitCode.rawValue, gasUsed: before.report.gasUsed, newGasUsed: receipt?.gasUsed,
            gasNeeded: receipt?.gasUsed)
        var subject: VectorSession? = changed
        if judged.verdict == .outOfGas {
            subject = relaxed(step, changed)
            row.gasNeeded = subject.flatMap { step.ending(of: $0).result?.receipt.gasUsed }
        }
        if row.isComparable, let subject { row.rounds = times(step.session, subject) }
        return row
    }

    /// What a message takes before and after, by turns.
    private func times(_ before: VectorSession, _ now: VectorSession) -> [(before: Double, now: Double)] {
        var times: [(before: Double, now: Double)] = []
        for _ in 0...rounds {
            guard let old = measurement.measure(before).messages.first?.processor,
                let new = measurement.measure(now).messages.first?.processor
            else { return [] }
            times.append((old, new))
        }
        return Array(times.dropFirst())
    }

    /// The message with a limit under which it ends as it did, as high as its sender can pay for.
    private func relaxed(_ step: MessageStep, _ changed: VectorSession) -> VectorSession? {
        let limit = step.session.messages[0].message.gasLimit
        for factor: UInt64 in [1_000, 100, 10, 3, 2] {
            let raised = min(UInt64(Int64.max), limit.multipliedSaturating(by: factor))
            guard let session = try? step.limited(to: raised, in: changed) else { continue }
            let ending = step.ending(of: session)
            if Self.difference(step.ending.result, ending.result) == nil { return session }
        }
        return nil
    }

    private static func judge(
        _ step: MessageStep, _ ending: MessageStep.Ending, _ missing: VectorReport.Missing
    ) -> (verdict: Verdict, reason: String?) {
        let difference = difference(step.ending.result, ending.result)
        var state: String?
        if difference == nil {
            do { state = try stateDifference(step, ending) } catch { state = "\(error)" }
            if state == nil { return (.same, nil) }
        }
        if let block = missing.blocks.min(by: { $0.text < $1.text }) {
            return (.noVerdict, "block \(block.text) is missing")
        }
        if let epoch = missing.randomness.min() {
            return (.noVerdict, "randomness of epoch \(epoch) is not recorded")
        }
        guard let result = ending.result else { return (.noVerdict, ending.report.problem ?? "no receipt") }
        if let state { return (.otherState, state) }
        if result.receipt.exitCode == .sysOutOfGas, step.ending.result?.receipt.exitCode != .sysOutOfGas {
            return (.outOfGas, "the limit is \(step.session.messages[0].message.gasLimit)")
        }
        let cause = result.failure?.cause ?? result.failure?.frames.first { !$0.message.isEmpty }?.message
        return (.otherOutcome, (difference ?? "") + (cause.map { ": \($0)" } ?? ""))
    }

    /// What two results do not have alike but for gas; nil for nothing.
    private static func difference(_ old: ApplyResult?, _ new: ApplyResult?) -> String? {
        guard let old, let new else { return "no receipt" }
        if old.receipt.exitCode != new.receipt.exitCode {
            return "exit code \(old.receipt.exitCode.rawValue) → \(new.receipt.exitCode.rawValue)"
        }
        if old.receipt.returnData != new.receipt.returnData { return "another return value" }
        return old.receipt.eventsRoot == new.receipt.eventsRoot ? nil : "other events"
    }

    private static func stateDifference(_ step: MessageStep, _ ending: MessageStep.Ending) throws -> String? {
        let differences = try step.differences(from: ending)
        guard let first = differences.first else { return nil }
        let fields = first.fields.map(\.name).joined(separator: ", ")
        let more = differences.count > 1 ? " and \(differences.count - 1) more actors" : ""
        return "actor f0\(first.id): \(fields)\(more)"
    }
}
