import Kernel
import Machine
import Primitives
import Replay

/// Looks for the smallest gas limit with which a message ends as it did.
///
/// How a message ends depends on the limit in more ways than by running out: the bytes of the limit are paid for, and
/// actors can ask what is left. So what was found is shown by running it and one gas less, and limits below are tried
/// by sample.
public struct GasLimitSearch {
    /// What a message came to, apart from the gas it cost.
    struct Ending: Equatable {
        var exitCode: ExitCode
        var returnData: [UInt8]
        var eventsRoot: Cid?
    }

    /// What was found.
    public struct Result: Sendable {
        /// Whole gas.
        public var limit: UInt64
        /// Gas used under that limit.
        public var gasUsed: UInt64
        /// The message's own limit and what it used under that.
        public var originalLimit: UInt64
        public var originalGasUsed: UInt64
        public var exitCode: ExitCode
        /// How the message ends with one gas less; nil where less is no limit at all.
        public var below: (exitCode: ExitCode, gasUsed: UInt64)?
        /// A smaller limit that was tried and does it too; with one, endings are not monotonic in the limit.
        public var smaller: UInt64?
        /// How often the message was run.
        public var runs: Int
    }

    /// Why there is no answer.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
        /// Whether it is a failure of this machine.
        public var isLocal = false
    }

    /// Runs everything up to the message with another limit.
    public typealias Run = (_ gasLimit: UInt64) throws(MessageError) -> VectorReport

    private let message: VectorMessage
    private let index: Int
    private let execute: Run
    private var runs = 0

    /// - Parameter index: of the message in its vector.
    public init(_ session: VectorSession, message index: Int) {
        self.init(session.messages[index], at: index) { (limit) throws(MessageError) in
            try session.run(message: index, gasLimit: limit)
        }
    }

    /// - Parameters:
    ///   - index: of the message among those that `run` applies.
    ///   - run: applies the messages up to this one, this one with a limit.
    public init(_ message: VectorMessage, at index: Int, run: @escaping Run) {
        self.message = message
        self.index = index
        execute = run
    }

    /// Searches.
    public mutating func run() throws(Failure) -> Result {
        let original = message.message.gasLimit
        guard message.kind == .explicit else {
            throw Failure(description: "message \(index) is implicit and pays no gas")
        }
        let first = try attempt(original)
        let wanted = first.ending
        guard original > 0, first.report.gasUsed > 0 else {
            throw Failure(
                description: "message \(index) is refused before it runs (exit code \(first.report.exitCode)); "
                    + "no limit makes it end like that later")
        }
        // What it used is no upper bound: a call may be given a part of what is there. Its own limit is one.
        var low: UInt64 = 0
        var high = original
        let guess = first.report.gasUsed
        if guess < high {
            if try attempt(guess).ending == wanted {
                high = guess
                if guess > 1, try attempt(guess - 1).ending != wanted { low = guess - 1 }
            } else {
                // The answer is mostly just above what was used.
                low = guess
                var step: UInt64 = 1
                while low < guess + step, guess + step < high {
                    if try attempt(guess + step).ending == wanted {
                        high = guess + step
                    } else {
                        low = guess + step
                        step <<= 1
                    }
                }
            }
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try attempt(middle).ending == wanted { high = middle } else { low = middle }
        }
        let found = try attempt(high)
        guard found.ending == wanted else {
            throw Failure(description: "message \(index) does not end the same way twice under limit \(high)")
        }
        let below = high > 1 ? try attempt(high - 1) : nil
        var smaller: UInt64?
        for part in 1...16 where smaller == nil {
            let limit = high / 17 * UInt64(part)
            if limit > 0, limit < high - 1, try attempt(limit).ending == wanted { smaller = limit }
        }
        return Result(
            limit: high, gasUsed: found.report.gasUsed, originalLimit: original,
            originalGasUsed: first.report.gasUsed, exitCode: wanted.exitCode,
            below: below.map { ($0.report.exitCode, $0.report.gasUsed) }, smaller: smaller, runs: runs)
    }

    private mutating func attempt(_ limit: UInt64) throws(Failure) -> (ending: Ending, report: MessageReport) {
        runs += 1
        let report: VectorReport
        do throws(MessageError) {
            report = try execute(limit)
        } catch { throw Failure(description: "message \(index): \(error)") }
        guard report.problem == nil, let message = report.messages.last, report.messages.count == index + 1,
            let result = message.result
        else {
            throw Failure(
                description: "message \(index) with limit \(limit): \(report.problem ?? "no receipt")",
                isLocal: report.isLocalFailure)
        }
        let receipt = result.receipt
        return (
            Ending(exitCode: receipt.exitCode, returnData: receipt.returnData, eventsRoot: receipt.eventsRoot), message
        )
    }
}
