import Chain
import IPLD
import Kernel
import Machine
import Primitives
import Replay
import Synchronization

/// Takes every proof of a tipset for valid, or every but one.
final class AcceptingVerifier: ProofVerifier {
    /// The call that is answered otherwise, from 0.
    private let refused: Int?
    private let calls = Mutex(0)

    init(refusing refused: Int? = nil) { self.refused = refused }

    private func answer() -> Bool {
        calls.withLock { calls in
            defer { calls += 1 }
            return calls != refused
        }
    }

    /// Calls so far.
    var count: Int { calls.withLock { $0 } }
    /// Whether a call was answered otherwise.
    var wasRefused: Bool { refused.map { $0 < count } ?? false }

    func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool { answer() }
    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool { answer() }
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool { answer() }
    func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool { answer() }

    /// The proof syscalls of a node that does; answers are counted, but for consensus faults, which are computed.
    var proofs: CountedProofs {
        CountedProofs(NodeProofs(verifier: self), rule: .chain, countsFaults: false)
    }
}

/// Answers what a tipset's machine asks: lookups and faults from the chain, proofs by a rule.
final class TipsetExterns: Externs {
    private let lookups: ChainLookups
    private let faults: ConsensusFaultCheck
    private let counted: CountedProofs
    private let verifier: AcceptingVerifier
    var proofs: any ProofSyscalls { counted }
    /// Proofs that were answered by the rule.
    var answered: AnsweredVerifications { counted.counts }
    /// What the file lacked or has otherwise than a chain does; no receipt may follow from it.
    private(set) var failure: ChainError?
    /// How often somebody asked for a consensus fault, and how many were found.
    private(set) var faultsAsked = 0
    private(set) var faultsFound = 0
    /// Whether a proof was answered otherwise than the rule says.
    var wasRefused: Bool { verifier.wasRefused }

    init(_ lookups: ChainLookups, faults: ConsensusFaultCheck, verifier: AcceptingVerifier) {
        counted = verifier.proofs
        self.verifier = verifier
        self.lookups = lookups
        self.faults = faults
    }

    /// Why a message has no receipt: where the chain could not answer, that.
    func reason(_ error: ApplyError, _ what: String) -> TipsetError {
        if let failure { return .chain(failure) }
        if case .local(let reason) = error { return .local("\(what): \(reason)") }
        return .message(what, reason: error.description)
    }

    private func answer<R>(_ body: () throws(ChainLookups.Failure) -> R) throws(ExternFailure) -> R {
        do throws(ChainLookups.Failure) { return try body() } catch {
            switch error {
            case .refused(let reason): throw .refused(reason)
            case .chain(let error):
                failure = failure ?? error
                throw .local(error.description)
            }
        }
    }

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        try answer { () throws(ChainLookups.Failure) in try lookups.ticketDigest(epoch) }
    }

    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] {
        try answer { () throws(ChainLookups.Failure) in try lookups.beaconDigest(epoch) }
    }

    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid {
        try answer { () throws(ChainLookups.Failure) in try lookups.tipsetCid(epoch) }
    }

    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? {
        faultsAsked += 1
        let headers = [Self.bytes(first), Self.bytes(second), Self.bytes(extra)]
        let fault = try answer { () throws(ChainLookups.Failure) in
            try faults.fault(headers[0], headers[1], extra: headers[2])
        }
        if fault != nil { faultsFound += 1 }
        return fault
    }

    private static func bytes(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}
