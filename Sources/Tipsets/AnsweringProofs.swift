import Kernel
import Primitives
import Synchronization

/// The proof syscalls of a node whose proofs are all valid, charged as a node charges; each answer is counted.
final class AnsweringProofs: ProofSyscalls {
    private struct Accepting: ProofVerifier {
        func verifyPost(_ info: WindowPoStInfo) throws(ProofFailure) -> Bool { true }
        func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ProofFailure) -> Bool { true }
        func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ProofFailure) -> Bool { true }
        func verifySeal(_ info: SealInfo) throws(ProofFailure) -> Bool { true }
    }

    private let base = NodeProofs(verifier: Accepting())
    private let answered = Mutex(AnsweredProofs())

    var counts: AnsweredProofs { answered.withLock { $0 } }

    func verifyPost(_ info: WindowPoStInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        let answer = try base.verifyPost(info, host)
        answered.withLock { $0.windowPoSts += 1 }
        return answer
    }

    func verifyAggregateSeals(_ info: AggregateSealInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        let answer = try base.verifyAggregateSeals(info, host)
        answered.withLock { $0.aggregateSeals += 1 }
        return answer
    }

    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        let answer = try base.verifyReplicaUpdate(info, host)
        answered.withLock { $0.replicaUpdates += 1 }
        return answer
    }

    func batchVerifySeals(_ seals: [SealInfo], _ host: ProofHost) throws(ExecutionError) -> [Bool] {
        let answers = try base.batchVerifySeals(seals, host)
        answered.withLock { $0.seals += seals.count }
        return answers
    }

    func verifyConsensusFault(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ extra: Span<UInt8>, _ host: ProofHost
    ) throws(ExecutionError) -> ConsensusFault? {
        try base.verifyConsensusFault(first, second, extra, host)
    }
}
