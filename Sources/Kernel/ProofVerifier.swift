import Primitives

/// Sector and PoSt proofs, as the proof syscalls hand them over (decoded; CIDs and lengths unchecked).
///
/// A thrown `ProofFailure` is `IllegalArgument` for the actor, false is "not valid".
public protocol ProofVerifier: Sendable {
    /// Whether charges are those of production or of the reference's test driver.
    var accounting: ProofAccounting { get }
    func verifyPost(_ info: WindowPoStInfo) throws(ProofFailure) -> Bool
    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ProofFailure) -> Bool
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ProofFailure) -> Bool
    func verifySeal(_ info: SealInfo) throws(ProofFailure) -> Bool
    /// Whether the consensus-fault syscall asks the node at all; the test driver answers "no fault" itself.
    var asksNodeForConsensusFaults: Bool { get }
}

/// Arguments that a verifier cannot work with.
public struct ProofFailure: Error, Sendable, Equatable {
    public var reason: String

    public init(_ reason: String) { self.reason = reason }
}

/// How the proof syscalls book their gas.
public struct ProofAccounting: Sendable, Equatable {
    /// Whether `batch_verify_seals` charges each element.
    public var chargesBatchSeals: Bool
    /// Whether `verify_consensus_fault` is booked as compute gas, though the price list says other.
    public var booksConsensusFaultAsCompute: Bool

    public init(chargesBatchSeals: Bool, booksConsensusFaultAsCompute: Bool) {
        self.chargesBatchSeals = chargesBatchSeals
        self.booksConsensusFaultAsCompute = booksConsensusFaultAsCompute
    }

    public static let production = ProofAccounting(chargesBatchSeals: true, booksConsensusFaultAsCompute: false)
    /// The reference's conformance driver replaces these syscalls by stubs that book differently.
    public static let conformance = ProofAccounting(chargesBatchSeals: false, booksConsensusFaultAsCompute: true)
}

/// The answers of the reference's conformance driver: every proof is valid, no fault is found.
///
/// For replaying vectors only: recorded messages were executed with these answers.
public struct ConformanceProofs: ProofVerifier {
    public init() {}

    public var accounting: ProofAccounting { .conformance }
    public var asksNodeForConsensusFaults: Bool { false }
    public func verifyPost(_ info: WindowPoStInfo) throws(ProofFailure) -> Bool { true }
    public func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ProofFailure) -> Bool { true }
    public func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ProofFailure) -> Bool { true }
    public func verifySeal(_ info: SealInfo) throws(ProofFailure) -> Bool { true }
}

/// `verify_post`'s argument.
public struct WindowPoStInfo: Sendable, Equatable {
    public struct Proof: Sendable, Equatable {
        public var type: Int64
        public var bytes: [UInt8]

        public init(type: Int64, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }
    }
    public struct Sector: Sendable, Equatable {
        public var proofType: Int64
        public var number: UInt64
        public var sealedCid: Cid

        public init(proofType: Int64, number: UInt64, sealedCid: Cid) {
            self.proofType = proofType
            self.number = number
            self.sealedCid = sealedCid
        }
    }
    public var randomness: [UInt8]
    public var proofs: [Proof]
    public var challengedSectors: [Sector]
    /// Actor id.
    public var prover: UInt64

    public init(randomness: [UInt8], proofs: [Proof], challengedSectors: [Sector], prover: UInt64) {
        self.randomness = randomness
        self.proofs = proofs
        self.challengedSectors = challengedSectors
        self.prover = prover
    }
}

/// `verify_aggregate_seals`'s argument.
public struct AggregateSealInfo: Sendable, Equatable {
    public struct Sector: Sendable, Equatable {
        public var number: UInt64
        public var randomness: [UInt8]
        public var interactiveRandomness: [UInt8]
        public var sealedCid: Cid
        public var unsealedCid: Cid

        public init(
            number: UInt64, randomness: [UInt8], interactiveRandomness: [UInt8], sealedCid: Cid, unsealedCid: Cid
        ) {
            self.number = number
            self.randomness = randomness
            self.interactiveRandomness = interactiveRandomness
            self.sealedCid = sealedCid
            self.unsealedCid = unsealedCid
        }
    }
    /// Actor id.
    public var miner: UInt64
    public var sealProofType: Int64
    public var aggregateProofType: Int64
    public var proof: [UInt8]
    public var sectors: [Sector]

    public init(
        miner: UInt64, sealProofType: Int64, aggregateProofType: Int64, proof: [UInt8], sectors: [Sector]
    ) {
        self.miner = miner
        self.sealProofType = sealProofType
        self.aggregateProofType = aggregateProofType
        self.proof = proof
        self.sectors = sectors
    }
}

/// `verify_replica_update`'s argument.
public struct ReplicaUpdateInfo: Sendable, Equatable {
    public var proofType: Int64
    public var oldSealedCid: Cid
    public var newSealedCid: Cid
    public var newUnsealedCid: Cid
    public var proof: [UInt8]

    public init(proofType: Int64, oldSealedCid: Cid, newSealedCid: Cid, newUnsealedCid: Cid, proof: [UInt8]) {
        self.proofType = proofType
        self.oldSealedCid = oldSealedCid
        self.newSealedCid = newSealedCid
        self.newUnsealedCid = newUnsealedCid
        self.proof = proof
    }
}

/// One element of `batch_verify_seals`'s argument.
public struct SealInfo: Sendable, Equatable {
    public var proofType: Int64
    /// Actor id.
    public var miner: UInt64
    public var sectorNumber: UInt64
    public var deals: [UInt64]
    public var randomness: [UInt8]
    public var interactiveRandomness: [UInt8]
    public var proof: [UInt8]
    public var sealedCid: Cid
    public var unsealedCid: Cid

    public init(
        proofType: Int64, miner: UInt64, sectorNumber: UInt64, deals: [UInt64], randomness: [UInt8],
        interactiveRandomness: [UInt8], proof: [UInt8], sealedCid: Cid, unsealedCid: Cid
    ) {
        self.proofType = proofType
        self.miner = miner
        self.sectorNumber = sectorNumber
        self.deals = deals
        self.randomness = randomness
        self.interactiveRandomness = interactiveRandomness
        self.proof = proof
        self.sealedCid = sealedCid
        self.unsealedCid = unsealedCid
    }
}
