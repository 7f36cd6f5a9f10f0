import Measuring
import Replay
import SeededRandom

/// Measures the messages of many vectors in rounds over all of them, in changing order, over the whole of the time
/// there is: what the machine does meanwhile meets all alike, and rounds are what intervals are drawn from.
public struct InterleavedRounds {
    /// How much is measured.
    public struct Effort: Sendable {
        /// Seconds for all rounds, those of an earlier run among them; compiling code comes before.
        public var seconds: Double
        /// Rounds that have to be, whatever time they take.
        public var least: Int
        /// At most this many; where time is left for more, each round runs every vector more often.
        public var most: Int
        /// Bytes of blocks of vectors that stay in memory; others are read again in every round.
        public var memory: Int

        public init(seconds: Double, least: Int = 5, most: Int = 40, memory: Int = 1 << 30) {
            self.seconds = seconds
            self.least = max(1, least)
            self.most = max(self.least, most)
            self.memory = memory
        }
    }

    /// How far it is.
    public struct Progress: Sendable {
        /// The round that is being measured, from 1, and how far it is.
        public var round: Int
        public var done: Int
        public var vectors: Int
        /// Seconds until the last round ends, as far as can be told.
        public var secondsLeft: Double
        /// The vector measured last.
        public var last: String
    }

    /// One variant of a vector.
    private struct Subject {
        let key: String
        let source: Int
        let variant: Int
        /// nil where there is no room to keep it.
        var session: VectorSession?
    }

    private var yardstick = Yardstick(.host)
    private let vectors: VectorSessions
    private let effort: Effort
    private var subjects: [Subject] = []
    /// With how often a vector runs in one round.
    private var measurement = Measurement(rounds: 2)

    /// Runs of a vector in one round at most: more do not make it surer, other rounds do.
    private static let mostRuns = 20

    public init(_ vectors: VectorSessions, effort: Effort) {
        self.vectors = vectors
        self.effort = effort
    }

    /// What a vector is known by in `Measured`: names alone are the same in folders of two network versions.
    static func key(_ session: VectorSession) -> String { key(file: session.file, name: session.name) }

    private static func key(file: String, name: String) -> String { "\(file) \(name)" }

    /// Measures until the time is over.
    /// - Parameters:
    ///   - measured: what there is already; an incomplete round of it is dropped.
    ///   - leftOut: told of every vector that does not count, except those `measured` has as left out.
    ///   - save: told when there is more to keep: at the end of every round, and every ten seconds.
    public mutating func run<Failure>(
        _ measured: inout Measured, leftOut: (VectorReport) -> Void = { _ in }, progress: (Progress) -> Void = { _ in },
        save: (Measured) throws(Failure) -> Void
    ) throws(Failure) {
        measured.dropIncompleteRound()
        open(&measured, leftOut)
        let before = measured.seconds
        let start = ThreadClock.wall
        var saved = start
        func passed() -> Double { before + Double(ThreadClock.wall &- start) / 1e9 }
        func complete() -> Int { subjects.map { measured.rounds(of: $0.key) ?? 0 }.min() ?? effort.most }
        while complete() < effort.most {
            let round = complete()
            let roundStart = passed()
            var random = SplitMix64(seed: UInt64(round))
            let order = subjects.indices.shuffled(using: &random).filter { index in
                (measured.rounds(of: subjects[index].key) ?? 0) <= round
            }
            var failed = Set<Int>()
            for (done, index) in order.enumerated() {
                if round >= effort.least, passed() >= effort.seconds { break }
                let subject = subjects[index]
                if let report = visit(subject, &measured) {
                    leftOut(report)
                    failed.insert(index)
                }
                let now = passed()
                progress(
                    Progress(
                        round: round + 1, done: done + 1, vectors: order.count,
                        secondsLeft: left(
                            now, round: round, share: Double(done + 1) / Double(order.count),
                            roundSeconds: now - roundStart), last: subject.key))
                if ThreadClock.wall &- saved > 10_000_000_000 {
                    measured.seconds = now
                    try save(measured)
                    saved = ThreadClock.wall
                }
            }
            subjects = subjects.indices.filter { !failed.contains($0) }.map { subjects[$0] }
            measured.seconds = passed()
            if complete() >= effort.least, measured.seconds >= effort.seconds { break }
            try save(measured)
            saved = ThreadClock.wall
            pace(roundSeconds: passed() - roundStart, secondsLeft: effort.seconds - passed(), round: round + 1)
        }
        measured.dropIncompleteRound()
        measured.isComplete = true
        try save(measured)
    }

    /// Finds what there is to measure, and keeps as much of it as there is room for. What was never measured runs once:
    /// the time for rounds is not to go into compiling code.
    private mutating func open(_ measured: inout Measured, _ leftOut: (VectorReport) -> Void) {
        var room = effort.memory
        for source in 0..<vectors.count {
            for (variant, opened) in vectors.open(source).enumerated() {
                switch opened {
                case .report(let report):
                    let key = Self.key(file: report.file, name: report.name)
                    if measured.isLeftOut(key) { continue }
                    leftOut(report)
                    if !report.isOtherVersion { measured.leaveOut(key, report.reason) }
                case .session(let session):
                    let key = Self.key(session)
                    if measured.isLeftOut(key) || session.messages.isEmpty { continue }
                    if measured.rounds(of: key) == nil { _ = session.run() }
                    room -= session.bytes
                    subjects.append(
                        Subject(key: key, source: source, variant: variant, session: room >= 0 ? session : nil))
                }
            }
        }
    }

    /// Measures a vector once more.
    /// - Returns: why it is left out; nil where it counts.
    private mutating func visit(_ subject: Subject, _ measured: inout Measured) -> VectorReport? {
        let key = subject.key
        let session: VectorSession
        switch subject.session.map(VectorSessions.Opened.session) ?? vectors.open(subject.source)[subject.variant] {
        case .session(let opened): session = opened
        case .report(let report):
            measured.leaveOut(key, report.reason)
            return report
        }
        let before = yardstick.measure()
        let outcome = measurement.measure(session)
        let after = yardstick.measure()
        var report = outcome.report
        if !outcome.messages.isEmpty {
            if measured.add(key, outcome.messages, yardstick: (before + after) / 2) { return nil }
            report.status = .failed
            report.problem = "a later round did other things than the first"
        }
        measured.leaveOut(key, report.reason)
        return report
    }

    /// Makes rounds long enough for the time that is left.
    private mutating func pace(roundSeconds: Double, secondsLeft: Double, round: Int) {
        let rounds = Double(max(1, effort.most - round))
        // One more run warms up.
        let run = roundSeconds / Double(measurement.rounds + 1)
        let fitting = run > 0 && secondsLeft > 0 ? secondsLeft / rounds / run - 1 : 0
        measurement.rounds = Int(max(2, min(Double(Self.mostRuns), fitting)))
    }

    /// Until the time is over, and until there are as many rounds as have to be.
    private func left(_ now: Double, round: Int, share: Double, roundSeconds: Double) -> Double {
        max(effort.seconds - now, roundSeconds / share * Double(effort.least - round) - roundSeconds)
    }
}

extension VectorReport {
    /// Why a vector does not count, in one line.
    public var reason: String {
        let mismatch = mismatches.first.map { mismatch in
            "\(mismatch.message.map { "message \($0), " } ?? "")\(mismatch.field): expected \(mismatch.expected), "
                + "got \(mismatch.got)"
        }
        var reason = problem ?? mismatch ?? "not passed"
        if case .skipped(let why) = status { reason = "skipped: \(why)" }
        return "\(name): \(reason)"
    }
}
