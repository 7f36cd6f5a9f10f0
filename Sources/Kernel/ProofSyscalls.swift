import GasSchedule
import Primitives

/// What the proof syscalls do with their decoded arguments: charge, then answer. A chain node has `NodeProofs`; a
/// driver that answers or books otherwise wraps it.
///
/// False is "not valid"; arguments a verifier cannot work with are `IllegalArgument` for the actor.
public protocol ProofSyscalls: Sendable {
    func verifyPost(_ info: WindowPoStInfo, _ host: ProofHost) throws(ExecutionError) -> Bool
    func verifyAggregateSeals(_ info: AggregateSealInfo, _ host: ProofHost) throws(ExecutionError) -> Bool
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo, _ host: ProofHost) throws(ExecutionError) -> Bool
    /// One answer per element.
    func batchVerifySeals(_ seals: [SealInfo], _ host: ProofHost) throws(ExecutionError) -> [Bool]
    /// nil is "no fault". The headers and what goes with them are encoded as the chain has them.
    func verifyConsensusFault(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ extra: Span<UInt8>, _ host: ProofHost
    ) throws(ExecutionError) -> ConsensusFault?
}

/// What the proof syscalls need of the message they run in.
public struct ProofHost {
    /// Takes the charges.
    public let gas: GasTracker
    public let prices: PriceList
    /// Knows the chain.
    public let externs: any Externs

    public init(gas: GasTracker, prices: PriceList, externs: any Externs) {
        self.gas = gas
        self.prices = prices
        self.externs = externs
    }
}

/// The proof syscalls of a chain node.
public struct NodeProofs: ProofSyscalls {
    private let verifier: any ProofVerifier

    public init(verifier: any ProofVerifier) { self.verifier = verifier }

    public func verifyPost(_ info: WindowPoStInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        try host.gas.charge(host.prices.onVerifyPost(sectors: UInt64(info.challengedSectors.count)))
        return try ask { () throws(ExternFailure) in try verifier.verifyPost(info) }
    }

    public func verifyAggregateSeals(_ info: AggregateSealInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        try host.gas.charge(
            host.prices.onVerifyAggregateSeals(proofType: info.sealProofType, count: UInt64(info.sectors.count)))
        return try ask { () throws(ExternFailure) in try verifier.verifyAggregateSeals(info) }
    }

    public func verifyReplicaUpdate(_ info: ReplicaUpdateInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        try host.gas.charge(host.prices.onVerifyReplicaUpdate())
        return try ask { () throws(ExternFailure) in try verifier.verifyReplicaUpdate(info) }
    }

    public func batchVerifySeals(_ seals: [SealInfo], _ host: ProofHost) throws(ExecutionError) -> [Bool] {
        for _ in seals { try host.gas.charge(host.prices.onVerifySeal()) }
        return try seals.map { (seal) throws(ExecutionError) in
            do throws(ExternFailure) {
                return try verifier.verifySeal(seal)
            } catch {
                // Whatever a verifier cannot work with counts as not valid here.
                if case .local(let reason) = error { throw .local(reason) }
                return false
            }
        }
    }

    public func verifyConsensusFault(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ extra: Span<UInt8>, _ host: ProofHost
    ) throws(ExecutionError) -> ConsensusFault? {
        try host.gas.charge(host.prices.onVerifyConsensusFault())
        do throws(ExternFailure) {
            return try host.externs.consensusFault(first: first, second: second, extra: extra)
        } catch {
            throw ExecutionError(error) { reason in .syscall(.illegalArgument, reason) }
        }
    }

    private func ask(_ verify: () throws(ExternFailure) -> Bool) throws(ExecutionError) -> Bool {
        do throws(ExternFailure) {
            return try verify()
        } catch {
            throw ExecutionError(error) { reason in .syscall(.illegalArgument, reason) }
        }
    }
}

/// The proof syscalls of the reference's conformance driver: every proof is valid, no fault is found, batches of seals
/// are not charged, and faults are booked as compute gas though the price list says other.
///
/// For replaying vectors only: recorded messages were executed with these answers.
public struct ConformanceProofs: ProofSyscalls {
    /// Accepts everything.
    private struct Credulous: ProofVerifier {
        func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool { true }
        func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool { true }
        func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool { true }
        func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool { true }
    }

    private let base = NodeProofs(verifier: Credulous())

    public init() {}

    public func verifyPost(_ info: WindowPoStInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        try base.verifyPost(info, host)
    }

    public func verifyAggregateSeals(_ info: AggregateSealInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        try base.verifyAggregateSeals(info, host)
    }

    public func verifyReplicaUpdate(_ info: ReplicaUpdateInfo, _ host: ProofHost) throws(ExecutionError) -> Bool {
        try base.verifyReplicaUpdate(info, host)
    }

    public func batchVerifySeals(_ seals: [SealInfo], _ host: ProofHost) throws(ExecutionError) -> [Bool] {
        seals.map { _ in true }
    }

    public func verifyConsensusFault(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ extra: Span<UInt8>, _ host: ProofHost
    ) throws(ExecutionError) -> ConsensusFault? {
        let charge = host.prices.onVerifyConsensusFault()
        try host.gas.charge(GasCharge(charge.name, compute: charge.total))
        return nil
    }
}
