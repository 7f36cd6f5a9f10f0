import CSmelt
import Engine
import Kernel
import Primitives

/// The outside world as the embedder's callbacks answer.
final class CallbackOutside: Externs {
    private let callbacks: smelt_outside
    let proofs: any ProofSyscalls

    init(_ callbacks: smelt_outside) throws(Failure) {
        self.callbacks = callbacks
        switch callbacks.proofs {
        case Int32(SMELT_PROOFS_ASKED.rawValue): proofs = NodeProofs(verifier: CallbackVerifier(callbacks))
        case Int32(SMELT_PROOFS_CONFORMANCE.rawValue): proofs = ConformanceProofs()
        default: throw .misuse("outside.proofs is \(callbacks.proofs), which is unknown")
        }
    }

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        try randomness("chain_randomness", callbacks.chain_randomness, epoch)
    }

    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        try randomness("beacon_randomness", callbacks.beacon_randomness, epoch)
    }

    private func randomness(
        _ name: String,
        _ callback: (@convention(c) (UnsafeMutableRawPointer?, Int64, UnsafeMutablePointer<UInt8>?) -> Int32)?,
        _ epoch: Int64
    ) throws(ExternFailure) -> [UInt8] {
        let callback = try callable(callback, name)
        var digest = [UInt8](repeating: 0, count: 32)
        let status = GuestStack.onOwnStack {
            digest.withUnsafeMutableBufferPointer { callback(callbacks.context, epoch, $0.baseAddress) }
        }
        try check(status, "\(name) of epoch \(epoch)")
        return digest
    }

    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid {
        let callback = try callable(callbacks.tipset_cid, "tipset_cid")
        let (status, bytes) = GuestStack.onOwnStack { Buffer.filled { callback(callbacks.context, epoch, $0) } }
        try check(status, "tipset_cid of epoch \(epoch)")
        do { return try Cid(bytes: bytes) } catch { throw .local("tipset_cid of epoch \(epoch) gave no CID: \(error)") }
    }

    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? {
        let callback = try callable(callbacks.consensus_fault, "consensus_fault")
        var fault = smelt_fault()
        let (one, two, three) = (PinnedBytes(first), PinnedBytes(second), PinnedBytes(extra))
        let status = GuestStack.onOwnStack {
            callback(callbacks.context, one.borrowed, two.borrowed, three.borrowed, &fault)
        }
        try check(status, "consensus_fault")
        if fault.kind == Int32(SMELT_FAULT_NONE.rawValue) { return nil }
        guard let kind = ConsensusFault.Kind(rawValue: UInt32(bitPattern: fault.kind)) else {
            throw .local("consensus_fault gave kind \(fault.kind), which is unknown")
        }
        return ConsensusFault(target: .id(fault.miner), epoch: fault.epoch, kind: kind)
    }

    func debugLog(_ text: String, actor: UInt64) {
        guard let callback = callbacks.debug_log else { return }
        GuestStack.onOwnStack { withBorrowed(Array(text.utf8)) { callback(callbacks.context, actor, $0) } }
    }
}

/// Proofs as the embedder's callback judges them.
///
/// Sound to share: the callbacks never change, and sessions are used by one thread at a time.
struct CallbackVerifier: ProofVerifier, @unchecked Sendable {
    private let callbacks: smelt_outside

    init(_ callbacks: smelt_outside) { self.callbacks = callbacks }

    func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool {
        try ask(SMELT_PROOF_WINDOW_POST, info.cbor)
    }

    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool {
        try ask(SMELT_PROOF_AGGREGATE_SEALS, info.cbor)
    }

    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool {
        try ask(SMELT_PROOF_REPLICA_UPDATE, info.cbor)
    }

    func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool { try ask(SMELT_PROOF_SEAL, info.cbor) }

    private func ask(_ kind: smelt_proof_kind, _ structure: [UInt8]) throws(ExternFailure) -> Bool {
        let callback = try callable(callbacks.verify_proof, "verify_proof")
        var valid: UInt8 = 0
        let status = GuestStack.onOwnStack {
            withBorrowed(structure) { callback(callbacks.context, Int32(kind.rawValue), $0, &valid) }
        }
        try check(status, "verify_proof of kind \(kind.rawValue)")
        return valid != 0
    }
}

private func callable<Callback>(_ callback: Callback?, _ name: String) throws(ExternFailure) -> Callback {
    guard let callback else { throw .local("there is no callback \(name)") }
    return callback
}

private func check(_ status: Int32, _ what: String) throws(ExternFailure) {
    switch status {
    case SMELT_OK.rawValue: return
    case SMELT_REFUSED.rawValue: throw .refused("the node refuses \(what)")
    default: throw .local("callback \(what) failed with \(status)")
    }
}
