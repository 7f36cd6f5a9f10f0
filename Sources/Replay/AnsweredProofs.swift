import JSON
import Kernel
import Synchronization

/// How many verifications were answered by a rule instead of computed.
public struct AnsweredVerifications: Sendable, Equatable {
    /// What a rule answers.
    public enum Kind: String, Sendable, CaseIterable {
        case windowPoSts = "verify_post"
        case aggregateSeals = "verify_aggregate_seals"
        case replicaUpdates = "verify_replica_update"
        /// Each seal of a batch.
        case seals = "batch_verify_seals"
        case consensusFaults = "verify_consensus_fault"

        /// The answer, always.
        var answer: String { self == .consensusFaults ? "no fault" : "valid" }
    }

    /// Where a rule comes from.
    public enum Rule: String, Sendable {
        case conformance = "as the reference's conformance driver answers"
        /// For messages that stand on chain.
        case chain = "as of messages that a chain has taken"
    }

    private var rule: Rule
    private var counts: [Kind: Int] = [:]

    public init(rule: Rule = .conformance) { self.rule = rule }

    public var isEmpty: Bool { counts.isEmpty }
    public var total: Int { counts.values.reduce(0, +) }

    /// 0 where none was.
    public subscript(kind: Kind) -> Int { counts[kind] ?? 0 }

    public mutating func add(_ kind: Kind, _ count: Int = 1) {
        if count > 0 { counts[kind, default: 0] += count }
    }

    /// - Precondition: of one rule; the first that counted anything says which.
    public mutating func add(_ other: AnsweredVerifications) {
        if isEmpty { rule = other.rule }
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// One element for each kind there was.
    var json: JSONValue {
        .array(
            Kind.allCases.filter { self[$0] > 0 }.map { kind in
                .object([
                    "syscall": .string("crypto::\(kind.rawValue)"), "count": .integer(self[kind]),
                    "answer": .string(kind.answer), "rule": .string(rule.rawValue),
                ])
            })
    }

    /// A line for people; nil where there was none.
    var text: String? {
        guard !isEmpty else { return nil }
        let parts = Kind.allCases.filter { self[$0] > 0 }.map { "\(self[$0]) \($0.rawValue): \($0.answer)" }
        return "answered, not computed, \(rule.rawValue): \(parts.joined(separator: "; "))"
    }
}

/// Answers as other proof syscalls do, and counts the answers.
public final class CountedProofs: ProofSyscalls {
    private let base: any ProofSyscalls
    private let countsFaults: Bool
    private let answered: Mutex<AnsweredVerifications>

    /// - Parameter countsFaults: whether `base` answers faults by a rule too.
    public init(_ base: any ProofSyscalls, rule: AnsweredVerifications.Rule = .conformance, countsFaults: Bool = true) {
        self.base = base
        self.countsFaults = countsFaults
        answered = Mutex(AnsweredVerifications(rule: rule))
    }

    public var counts: AnsweredVerifications { answered.withLock { $0 } }

    private func count(_ kind: AnsweredVerifications.Kind, _ number: Int = 1) {
        answered.withLock { $0.add(kind, number) }
    }

    public func verifyPost(_ info: WindowPoStInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        let answer = try base.verifyPost(info, host)
        count(.windowPoSts)
        return answer
    }

    public func verifyAggregateSeals(_ info: AggregateSealInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        let answer = try base.verifyAggregateSeals(info, host)
        count(.aggregateSeals)
        return answer
    }

    public func verifyReplicaUpdate(_ info: ReplicaUpdateInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        let answer = try base.verifyReplicaUpdate(info, host)
        count(.replicaUpdates)
        return answer
    }

    public func batchVerifySeals(_ seals: [SealInfo], _ host: ProofHost) throws(ExecutionError) -> [Bool] {
        let answers = try base.batchVerifySeals(seals, host)
        count(.seals, seals.count)
        return answers
    }

    public func verifyConsensusFault(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ extra: Span<UInt8>, _ host: ProofHost
    ) throws(ExecutionError) -> ConsensusFault? {
        let fault = try base.verifyConsensusFault(first, second, extra, host)
        if countsFaults { count(.consensusFaults) }
        return fault
    }
}
