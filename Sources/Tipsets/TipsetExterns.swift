import Chain
import IPLD
import Kernel
import Primitives

/// How many proofs were answered by a rule instead of being computed.
public struct AnsweredProofs: Sendable, Equatable {
    public var windowPoSts = 0
    public var aggregateSeals = 0
    public var replicaUpdates = 0
    /// Each seal of a batch.
    public var seals = 0

    public init() {}

    public var total: Int { windowPoSts + aggregateSeals + replicaUpdates + seals }

    /// By the name of the syscall, without those that were not called.
    public var bySyscall: [(syscall: String, count: Int)] {
        [
            ("verify_post", windowPoSts), ("verify_aggregate_seals", aggregateSeals),
            ("verify_replica_update", replicaUpdates), ("batch_verify_seals", seals),
        ].filter { $0.1 > 0 }
    }

    public static func += (left: inout AnsweredProofs, right: AnsweredProofs) {
        left.windowPoSts += right.windowPoSts
        left.aggregateSeals += right.aggregateSeals
        left.replicaUpdates += right.replicaUpdates
        left.seals += right.seals
    }
}

/// Answers what a tipset's machine asks: lookups and faults from the chain, proofs by a rule.
final class TipsetExterns: Externs {
    private let lookups: ChainLookups
    private let faults: ConsensusFaultCheck
    private let answering = AnsweringProofs()
    var proofs: any ProofSyscalls { answering }
    var answered: AnsweredProofs { answering.counts }
    /// What the file lacked or has otherwise than a chain does; no receipt may follow from it.
    private(set) var failure: ChainError?
    /// Consensus faults that were found.
    private(set) var faultsFound = 0

    init(_ lookups: ChainLookups, faults: ConsensusFaultCheck) {
        self.lookups = lookups
        self.faults = faults
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
        let headers = [Self.bytes(first), Self.bytes(second), Self.bytes(extra)]
        let fault = try answer { () throws(ChainLookups.Failure) in
            try faults.fault(headers[0], headers[1], extra: headers[2])
        }
        if fault != nil { faultsFound += 1 }
        return fault
    }

    private static func bytes(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}
