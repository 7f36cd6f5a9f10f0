import Kernel
import Primitives

/// Before the first tipset there is no randomness and no tipset: an actor that asks for either fails.
final class GenesisExterns: Externs {
    let proofs: any ProofSyscalls = NodeProofs(verifier: NoProofs())

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        throw .refused("no randomness before the chain")
    }

    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        throw .refused("no randomness before the chain")
    }

    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid { throw .refused("no tipset before the chain") }

    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { throw .refused("no faults before the chain") }
}

/// Nothing is proved in an initial state.
private struct NoProofs: ProofVerifier {
    func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool { throw ExternFailure.refused("no proofs") }
    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool {
        throw ExternFailure.refused("no proofs")
    }
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool {
        throw ExternFailure.refused("no proofs")
    }
    func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool { throw ExternFailure.refused("no proofs") }
}
