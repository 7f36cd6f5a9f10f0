import GasSchedule
import Kernel
import Primitives
import Replay

/// A message with the time of each of its spans: means over the faster half of the rounds. Rounds that were interrupted
/// fall away whole, and means, unlike medians, add up to the message's own time.
public struct MeasuredMessage: Sendable {
    /// The vector it is of, and its place there.
    public let vector: String
    public let index: Int
    /// Where the vector came from, as the user named it.
    public let file: String
    public let networkVersion: NetworkVersion
    public let timeline: Timeline
    /// By span: nanoseconds without the cost of the clock.
    public let times: [Double]
    /// The whole message by a clock of its own, less what measuring took, nanoseconds.
    public let elapsed: Double
    /// The processor time of the same rounds, less what measuring takes at its least, nanoseconds: what other
    /// programs took of the processor is not in it.
    public let processor: Double
    /// The same as `elapsed` by round, nanoseconds, of all rounds.
    public let elapsedByRound: [Double]
    /// What measuring took, nanoseconds.
    public let measuring: Double
    /// How many rounds were measured, those that fell away among them.
    public let rounds: Int
    /// What came of it.
    public let report: MessageReport

    /// All that its spans took but for code loading, nanoseconds.
    public var sum: Double {
        zip(timeline.spans, times).reduce(0) { $1.0.source == .stage(.codeLoading) ? $0 : $0 + $1.1 }
    }

    /// What no charge pays for, nanoseconds, without code loading.
    public var uncharged: Double {
        zip(timeline.spans, times).reduce(0) { total, pair in
            pair.0.source.isCharged || pair.0.source == .stage(.codeLoading) ? total : total + pair.1
        }
    }

    /// Whether gas adds up: all that was taken, rounded up, is what the receipt says. nil where the receipt does not
    /// come from charges: a fatal error takes the whole limit, a message refused before it ran takes nothing.
    public var gasAddsUp: Bool? {
        let sum = Milligas.roundedUp(timeline.taken)
        if sum == report.gasUsed { return true }
        let limit = report.message?.gasLimit
        if report.exitCode == .sysAssertionFailed, report.gasUsed == limit { return nil }
        return report.gasUsed == 0 ? nil : false
    }
}

/// Runs vectors to measure them.
public struct Measurement: Sendable {
    /// How often each vector runs, at least 1. Where it is more than one, another round comes first, warms up and is not
    /// counted.
    public var rounds: Int
    private let clock: SpanClock

    public init(rounds: Int) {
        self.rounds = rounds
        clock = SpanClock()
    }

    /// Times of spans kept at once, over all rounds of a vector: a message of very many charges runs fewer rounds.
    private static let mostTimes = 40_000_000

    /// What came of measuring a vector.
    public struct Outcome: Sendable {
        /// Of the first round.
        public var report: VectorReport
        /// Empty where the vector did not pass.
        public var messages: [MeasuredMessage] = []
    }

    /// Measures all messages of a vector that passes (or demands nothing).
    public func measure(_ session: some MessageRun) -> Outcome {
        let recorder = TimelineRecorder(clock: clock)
        let report = session.run(observer: recorder)
        guard report.status == .passed || report.status == .ran else { return Outcome(report: report) }
        let spans = max(1, recorder.messages.reduce(0) { $0 + $1.timeline.spans.count })
        let counted = max(1, min(rounds, Self.mostTimes / spans))
        if rounds > 1 { recorder.dropRounds() }
        var count = rounds > 1 ? 0 : 1
        while count < counted {
            let again = session.run(observer: recorder)
            if again.status != report.status { return Outcome(report: again) }
            count += 1
        }
        if let deviation = recorder.deviation {
            var failed = report
            failed.status = .failed
            failed.problem = "a second run did other things than the first: \(deviation)"
            return Outcome(report: failed)
        }
        let messages = recorder.messages.enumerated().compactMap { index, message -> MeasuredMessage? in
            guard let report = message.report, !message.rounds.isEmpty else { return nil }
            let net = zip(message.elapsed, message.measuring).map { $0 - $1 }
            let faster = net.indices.sorted { (net[$0], $0) < (net[$1], $1) }.prefix((net.count + 1) / 2)
            func mean(_ values: [Double]) -> Double {
                faster.reduce(0) { $0 + values[$1] } / Double(faster.count)
            }
            var times = [Double](repeating: 0, count: message.timeline.spans.count)
            for round in faster {
                for (span, time) in message.rounds[round].enumerated() { times[span] += Double(time) }
            }
            return MeasuredMessage(
                vector: session.name, index: index, file: session.file, networkVersion: session.networkVersion,
                timeline: message.timeline, times: times.map { $0 / Double(faster.count) }, elapsed: mean(net),
                processor: max(1, mean(message.processor) - (message.measuring.min() ?? 0)),
                elapsedByRound: net,
                measuring: mean(message.measuring), rounds: message.rounds.count, report: report)
        }
        return Outcome(report: report, messages: messages)
    }
}
