import Primitives

/// Sector and PoSt proofs, as the proof syscalls hand them over (decoded; CIDs and lengths unchecked).
///
/// False is "not valid". A refusal is for arguments that a verifier cannot work with, `IllegalArgument` for the actor (in
/// a batch it counts as not valid); a verifier that does not work is a local failure, of which no receipt comes.
public protocol ProofVerifier: Sendable {
    func verifyPost(_ info: WindowPoStInfo) throws(ExternFailure) -> Bool
    func verifyAggregateSeals(_ info: AggregateSealInfo) throws(ExternFailure) -> Bool
    func verifyReplicaUpdate(_ info: ReplicaUpdateInfo) throws(ExternFailure) -> Bool
    func verifySeal(_ info: SealInfo) throws(ExternFailure) -> Bool
}

/// `verify_post`'s argument.
public struct WindowPoStInfo: Sendable, Equatable {
    /// One proof of possibly several.
    public struct Proof: Sendable, Equatable {
        /// Registered proof number, unknown ones included.
        public var type: Int64
        /// The proof.
        public var bytes: [UInt8]

        public init(type: Int64, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }
    }
    /// One of the sectors proved.
    public struct Sector: Sendable, Equatable {
        /// Registered proof number, unknown ones included.
        public var proofType: Int64
        /// The sector's number.
        public var number: UInt64
        /// The replica's commitment.
        public var sealedCid: Cid

        public init(proofType: Int64, number: UInt64, sealedCid: Cid) {
            self.proofType = proofType
            self.number = number
            self.sealedCid = sealedCid
        }
    }
    /// Not checked for its length.
    public var randomness: [UInt8]
    /// In the actor's order.
    public var proofs: [Proof]
    /// In the actor's order.
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
    /// One of the sectors proved.
    public struct Sector: Sendable, Equatable {
        /// The sector's number.
        public var number: UInt64
        /// Not checked for its length.
        public var randomness: [UInt8]
        /// Not checked for its length.
        public var interactiveRandomness: [UInt8]
        /// The replica's commitment.
        public var sealedCid: Cid
        /// The data's commitment.
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
    /// Registered proof number, unknown ones included.
    public var sealProofType: Int64
    /// Registered proof number, unknown ones included.
    public var aggregateProofType: Int64
    /// The proof.
    public var proof: [UInt8]
    /// In the actor's order.
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
    /// Registered proof number, unknown ones included.
    public var proofType: Int64
    /// The replica before.
    public var oldSealedCid: Cid
    /// The replica after.
    public var newSealedCid: Cid
    /// The data after.
    public var newUnsealedCid: Cid
    /// The proof.
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
    /// Registered proof number, unknown ones included.
    public var proofType: Int64
    /// Actor id.
    public var miner: UInt64
    /// The sector's number.
    public var sectorNumber: UInt64
    /// Deal ids.
    public var deals: [UInt64]
    /// Not checked for its length.
    public var randomness: [UInt8]
    /// Not checked for its length.
    public var interactiveRandomness: [UInt8]
    /// The proof.
    public var proof: [UInt8]
    /// The replica's commitment.
    public var sealedCid: Cid
    /// The data's commitment.
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
