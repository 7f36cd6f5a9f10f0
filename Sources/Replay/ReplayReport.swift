import JSON
import Machine
import Primitives

/// What came of one vector, or of one of its variants.
public struct VectorReport: Sendable {
    public enum Status: Sendable, Equatable {
        case passed
        /// It came to its end and demands nothing.
        case ran
        case failed
        case skipped(String)
    }

    /// How the trace compares with the golden one.
    public enum TraceStatus: Sendable, Equatable {
        /// There is no golden trace.
        case notCompared
        /// There is one that cannot be this run's, for a reason.
        case ignored(String)
        case equal
        case different(TraceDifference)
    }

    public var name: String
    /// Where it came from, as the user named it.
    public var file: String
    public var status: Status
    public var networkVersion: NetworkVersion?
    public var epoch: Int64?
    /// Why it could not be run to its end; nil when it could.
    public var problem: String?
    /// Whether `problem` is a failure of this machine, not of the vector.
    public var isLocalFailure = false
    /// Whether `problem` is one of the vector itself: unreadable, incomplete, of an unknown version.
    public var isBadInput = false
    /// Whether it was skipped because another network version was asked for.
    public var isOtherVersion = false
    /// The vector's place among all that were named, where only a part of them runs.
    public var position: Int?
    /// In the order in which the reference's driver compares.
    public var mismatches: [Mismatch] = []
    public var messages: [MessageReport] = []
    public var trace = TraceStatus.notCompared
    /// The state after all messages; nil when it was not reached.
    public var stateRoot: Cid?
    /// The list of built-in actors the state names: which bundle it belongs to.
    public var manifest: Cid?
    /// The price list's name.
    public var priceList: String?
    /// Processor time for reading the vector: its file, JSON, compression and archive; with its first variant.
    public var readingNanoseconds: UInt64 = 0
    /// What it asked for and the vector does not have.
    public var missing = Missing()
    /// Verifications answered by a rule.
    public var answered = AnsweredVerifications()
    /// Lotus's view of each message, where it was asked for.
    public var lotus: [JSONValue] = []
    /// What else there is to say of what ran, as further members of its JSON.
    public var details: [JSONValue.Member] = []

    /// What a run asked for in vain. A run that ends as recorded may have some; one that is changed on purpose goes
    /// where no recording went, and what it comes to by these says nothing.
    public struct Missing: Sendable, Equatable {
        /// Blocks, code among them.
        public var blocks: Set<Cid> = []
        /// Epochs of randomness, which the rule of the reference's driver answered.
        public var randomness: Set<Int64> = []

        /// What is missing here and was not there.
        public func subtracting(_ other: Missing) -> Missing {
            Missing(
                blocks: blocks.subtracting(other.blocks), randomness: randomness.subtracting(other.randomness))
        }

        public var isEmpty: Bool { blocks.isEmpty && randomness.isEmpty }
    }

    public init(name: String, file: String, status: Status) {
        self.name = name
        self.file = file
        self.status = status
    }

    static func unreadable(name: String, file: String, problem: String) -> VectorReport {
        var report = VectorReport(name: name, file: file, status: .failed)
        report.problem = problem
        report.isBadInput = true
        return report
    }

    /// Everything that came of it as postconditions; nil when it did not come to its end.
    var postconditions: Vector.Postconditions? {
        guard problem == nil, let stateRoot else { return nil }
        let results = messages.compactMap(\.result)
        return results.count == messages.count ? .init(stateRoot: stateRoot, results: results) : nil
    }

    /// Gas used by all its messages.
    public var gasUsed: UInt64 { messages.reduce(0) { $0 &+ $1.gasUsed } }
    /// Time its messages took, in nanoseconds, without loading and comparing.
    public var nanoseconds: UInt64 { messages.reduce(0) { $0 &+ $1.nanoseconds } }
}

/// One value that is not what the vector demands.
public struct Mismatch: Sendable, Equatable {
    /// Index of the message; nil for the state afterwards.
    public var message: Int?
    /// For example "exit code".
    public var field: String
    public var expected: String
    public var got: String

    public init(message: Int?, field: String, expected: String, got: String) {
        self.message = message
        self.field = field
        self.expected = expected
        self.got = got
    }
}

/// What is worth knowing of an executed message.
public struct MessageReport: Sendable {
    public var exitCode: ExitCode
    /// Whole gas.
    public var gasUsed: UInt64
    /// Time of execution, the shortest of several rounds; finding, compiling and mapping code is not in it.
    public var nanoseconds: UInt64
    /// The same in processor time of the executing thread, which other processes do not lengthen.
    public var processorNanoseconds: UInt64
    /// Why it failed; nil for exit code 0.
    public var failure: Backtrace?
    /// Everything that came of it.
    public var result: ApplyResult?
    /// What was executed.
    public var message: Message?
    /// The manifest's name of the receiving actor, as it is after the message; nil for one that is not built in.
    public var receiver: String?
    /// What the receiver calls the method.
    public var methodName: String?
    /// Where it stands in a tipset, for example "block 0"; nil in a vector.
    public var place: String?
    /// As the chain calls it; nil in a vector, which may know it without its signature only.
    public var cid: Cid?

    /// Keeps the shorter times of this and another execution.
    mutating func shorten(_ other: MessageReport) {
        nanoseconds = min(nanoseconds, other.nanoseconds)
        processorNanoseconds = min(processorNanoseconds, other.processorNanoseconds)
    }
}

/// How a whole replay ended.
public struct ReplaySummary: Sendable, Equatable {
    /// In which tiers actors ran, by code.
    public struct CodeUse: Sendable, Equatable {
        /// Optimised from the beginning.
        public var optimised: Int
        /// In the baseline tier at first.
        public var baseline: Int
        /// Those of `baseline` whose optimised code took over during the run.
        public var replaced: Int

        public init(optimised: Int, baseline: Int, replaced: Int) {
            self.optimised = optimised
            self.baseline = baseline
            self.replaced = replaced
        }
    }

    public var passed = 0
    /// Those that came to their end and demand nothing.
    public var ran = 0
    public var failed = 0
    public var skipped = 0
    /// Those of the failed that are failures of this machine.
    public var localFailures = 0
    /// Those of the failed that could not be run because of what they are.
    public var badInputs = 0
    /// Those of the skipped that are of another network version than the one asked for.
    public var otherVersions = 0
    /// Vectors whose trace was compared and found equal.
    public var equalTraces = 0
    public var messages = 0
    public var gasUsed: UInt64 = 0
    /// Verifications answered by a rule.
    public var answered = AnsweredVerifications()
    /// Of execution, summed over all threads.
    public var nanoseconds: UInt64 = 0
    /// nil where every actor ran in the tier that was asked for.
    public var code: CodeUse?

    public init() {}

    public mutating func add(_ report: VectorReport) {
        switch report.status {
        case .passed: passed += 1
        case .ran: ran += 1
        case .failed: failed += 1
        case .skipped: skipped += 1
        }
        if report.isLocalFailure { localFailures += 1 }
        if report.isBadInput { badInputs += 1 }
        if report.isOtherVersion { otherVersions += 1 }
        if report.trace == .equal { equalTraces += 1 }
        answered.add(report.answered)
        messages += report.messages.count
        gasUsed &+= report.gasUsed
        nanoseconds &+= report.nanoseconds
    }
}
