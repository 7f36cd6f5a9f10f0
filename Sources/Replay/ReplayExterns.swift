import Crypto
import IPLD
import Kernel
import Primitives

/// Answers as the node gave them when the vector was recorded (FVM vectors, sections 2 to 4).
final class ReplayExterns: Externs {
    /// What every epoch without a recorded answer gets: 32 ASCII bytes.
    private static let standIn = Array("i_am_random_____i_am_random_____".utf8)

    private let answers: [RandomnessAnswer]
    /// Recorded answers that were asked for.
    private(set) var given: [RandomnessAnswer] = []
    /// Epochs of answers that nobody recorded.
    private(set) var unrecorded: Set<Int64> = []
    private let tipsetCids: [TipsetCidAnswer]
    /// Of `tipsetCids` those that were asked for.
    private(set) var givenCids: [TipsetCidAnswer] = []
    private let counted: CountedProofs
    var proofs: any ProofSyscalls { counted }
    /// What was answered by a rule.
    var answered: AnsweredVerifications { counted.counts }

    /// Takes everything for valid.
    private struct Credulous: ProofVerifier {
        func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool { true }
        func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool { true }
        func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool { true }
        func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool { true }
    }

    init(
        randomness: [RandomnessAnswer], tipsetCids: [TipsetCidAnswer] = [],
        verifications: Vector.Verifications = .conformance
    ) {
        answers = randomness
        self.tipsetCids = tipsetCids
        counted =
            switch verifications {
            case .conformance: CountedProofs(ConformanceProofs())
            case .node: CountedProofs(NodeProofs(verifier: Credulous()), rule: .chain)
            }
    }

    /// Answers as a vector says.
    convenience init(_ vector: Vector) {
        self.init(
            randomness: vector.randomness, tipsetCids: vector.tipsetCids, verifications: vector.verifications)
    }

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { answer(.chain, epoch) }

    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { answer(.beacon, epoch) }

    private func answer(_ source: RandomnessAnswer.Source, _ epoch: Int64) -> [UInt8] {
        // Vectors may repeat a question; the first answer counts.
        guard let answer = answers.first(where: { $0.source == source && $0.epoch == epoch }) else {
            unrecorded.insert(epoch)
            return Self.standIn
        }
        if !given.contains(answer) { given.append(answer) }
        return answer.digest
    }

    /// Vectors hold no tipsets: unless it is recorded, the CID of an epoch is that of the CBOR array `[epoch]`.
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid {
        if let answer = tipsetCids.first(where: { $0.epoch == epoch }) {
            if !givenCids.contains(answer) { givenCids.append(answer) }
            return answer.cid
        }
        var writer = CborWriter()
        writer.array(1)
        writer.int64(epoch)
        return .blake2b256(codec: Cid.dagCbor, data: writer.bytes)
    }

    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { nil }
}
