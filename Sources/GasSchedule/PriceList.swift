import Primitives

/// A price that grows with a size: `flat + scale × n`, milligas.
public struct LinearCost: Sendable, Hashable {
    public var flat: UInt64
    public var scale: UInt64

    public init(flat: UInt64 = 0, scale: UInt64 = 0) {
        self.flat = flat
        self.scale = scale
    }

    /// The price of `n` units, saturating.
    public func apply(_ n: UInt64) -> UInt64 { flat.addingSaturating(scale.multipliedSaturating(by: n)) }
}

/// A price that grows in steps.
public struct StepCost: Sendable, Hashable {
    public struct Step: Sendable, Hashable {
        public var start: UInt64
        public var cost: UInt64

        public init(start: UInt64, cost: UInt64) {
            self.start = start
            self.cost = cost
        }
    }
    /// Ascending by `start`.
    public var steps: [Step]

    public init(_ steps: [(start: UInt64, cost: UInt64)]) {
        self.steps = steps.map { Step(start: $0.start, cost: $0.cost) }
    }

    /// The cost of the last step that starts at or below `n`, or 0.
    public func lookup(_ n: UInt64) -> UInt64 { steps.last { $0.start <= n }?.cost ?? 0 }
}

/// Signature types of `crypto::verify_signature`.
public enum SignatureType: UInt32, Sendable, Hashable, CaseIterable {
    case secp256k1 = 1
    case bls = 2
}

/// Registered seal proofs with a price of their own, by their number.
public enum PricedSealProof: Int64, Sendable, Hashable {
    case stackedDRG32GiBV1P1 = 8
    case stackedDRG64GiBV1P1 = 9
    case stackedDRG32GiBV1P2NonInteractive = 18
    case stackedDRG64GiBV1P2NonInteractive = 19
}

/// Every constant a network version's charges are made from, in milligas unless a name says otherwise.
///
/// Literals of it are in `PriceLists.data.swift`; a later list is an earlier one with the fields that its
/// network upgrade changed.
public struct PriceList: Sendable, Hashable {
    /// A price of aggregate seals: per sector, and steps by the number of sectors.
    public struct AggregateSealCost: Sendable, Hashable {
        public var proof: PricedSealProof
        public var perSector: UInt64
        public var steps: StepCost

        public init(_ proof: PricedSealProof, perSector: UInt64, steps: StepCost) {
            self.proof = proof
            self.perSector = perSector
            self.steps = steps
        }
    }

    /// How a tipset CID is priced.
    public enum TipsetCidCost: Sendable, Hashable {
        /// The parent tipset, and any older one.
        case byAge(latest: UInt64, historical: UInt64)
        case byLookback(LinearCost)
    }

    /// How randomness is priced.
    public enum RandomnessCost: Sendable, Hashable {
        /// A seed and the hashing of entropy.
        case byEntropy(seed: UInt64)
        case byLookback(LinearCost)
    }

    /// How events are priced.
    public enum EventCost: Sendable, Hashable {
        /// A CBOR event: validation per byte, then acceptance per indexed element.
        case encoded(validation: LinearCost, acceptPerIndexElement: LinearCost)
        /// Entries, and validation of keys as UTF-8.
        case entries(perEntry: LinearCost, utf8Validation: LinearCost)
    }

    /// How the size of an opened block is booked.
    public enum BlockOpenForm: Sendable, Hashable {
        /// `OnBlockOpenPerByte`: copy and allocation as compute.
        case perByte
        /// `OnBlockOpen`: links as compute.
        case withLinks
    }

    public var id: PriceListID
    public var wasm: WasmPrices

    public var onChainMessageCompute: LinearCost
    public var onChainMessageStorage: LinearCost
    public var onChainReturnCompute: LinearCost
    public var onChainReturnStorage: LinearCost

    public var sendTransferFunds: UInt64
    public var sendInvokeMethod: UInt64

    public var actorLookup: UInt64
    public var actorUpdate: UInt64
    public var actorCreateStorage: UInt64
    public var addressLookup: UInt64
    public var addressAssignment: UInt64

    public var secp256k1Signature: LinearCost
    public var blsSignature: LinearCost
    public var secp256k1Recover: UInt64
    /// nil where the list has no BLS aggregates.
    public var blsPairing: UInt64?
    public var blsHashing: LinearCost?

    public var sha2256: LinearCost
    public var blake2b256: LinearCost
    public var blake2b512: LinearCost
    public var keccak256: LinearCost
    public var ripemd160: LinearCost

    public var computeUnsealedSectorCid: UInt64
    public var verifySeal: UInt64
    /// The first row is also the price of proof types without a row.
    public var verifyAggregateSeal: [AggregateSealCost]
    /// The same for every window PoSt type, listed or not.
    public var verifyPost: LinearCost
    public var verifyConsensusFault: UInt64
    public var verifyReplicaUpdate: UInt64

    public var blockAllocate: LinearCost
    public var blockMemcpy: LinearCost
    public var blockMemoryRetentionMinimum: LinearCost
    public var blockOpen: LinearCost
    public var blockOpenForm: BlockOpenForm
    public var blockPersistStorage: LinearCost
    public var blockPersistCompute: UInt64

    /// Link tracking; all 0 where reachability is not tracked.
    public var ipldScanPerCid: UInt64
    public var ipldScanPerField: UInt64
    public var ipldLinkTracked: UInt64
    public var ipldLinkChecked: UInt64

    public var builtinActorManifestLookup: UInt64
    public var networkContext: UInt64
    public var messageContext: UInt64
    public var installWasmPerByte: UInt64

    public var tipsetCid: TipsetCidCost
    public var randomness: RandomnessCost
    public var events: EventCost

    public var hostCall: UInt64

    /// A copy with some fields changed: the way a later list is written.
    public func with(_ change: (inout PriceList) -> Void) -> PriceList {
        var copy = self
        change(&copy)
        return copy
    }

    /// The list of a name.
    public static func named(_ id: PriceListID) -> PriceList {
        switch id {
        case .hygge: .hygge
        case .watermelon: .watermelon
        case .teep: .teep
        }
    }
}
