import Primitives

/// A price that grows with a size: `flat + scale × n`, milligas.
public struct LinearCost: Sendable, Hashable {
    /// Milligas for any size.
    public var flat: UInt64
    /// Milligas per unit.
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
    /// A cost that holds from a number of units on.
    public struct Step: Sendable, Hashable {
        /// Units from which the cost holds.
        public var start: UInt64
        /// Milligas, in place of the earlier steps' costs.
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
        /// The proof type the row is for.
        public var proof: PricedSealProof
        /// Milligas per aggregated sector.
        public var perSector: UInt64
        /// Milligas on top, by the number of sectors.
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

    /// The list's name.
    public var id: PriceListID
    /// What compiled code is charged.
    public var wasm: WasmPrices

    /// Handling of a message, by its bytes on chain.
    public var onChainMessageCompute: LinearCost
    /// Storage of a message, by its bytes on chain.
    public var onChainMessageStorage: LinearCost
    /// Handling of the message's return value, by its bytes.
    public var onChainReturnCompute: LinearCost
    /// Storage of the message's return value, by its bytes.
    public var onChainReturnStorage: LinearCost

    /// A call that moves value.
    public var sendTransferFunds: UInt64
    /// A call that runs code.
    public var sendInvokeMethod: UInt64

    /// First look at an actor in a message.
    public var actorLookup: UInt64
    /// First write of an actor in a message.
    public var actorUpdate: UInt64
    /// Storage of a new actor.
    public var actorCreateStorage: UInt64
    /// The lookup part of giving an actor an address.
    public var addressLookup: UInt64
    /// The assignment part of giving an actor an address.
    public var addressAssignment: UInt64

    /// Verification, by bytes of text.
    public var secp256k1Signature: LinearCost
    /// Verification, by bytes of text.
    public var blsSignature: LinearCost
    /// Recovery of a public key.
    public var secp256k1Recover: UInt64
    /// Per signature of an aggregate and one more; 0 where no syscall asks for it.
    public var blsPairing: UInt64
    /// By bytes of all texts of an aggregate; 0 where no syscall asks for it.
    public var blsHashing: LinearCost

    /// Hashing, by bytes.
    public var sha2256: LinearCost
    /// Hashing, by bytes.
    public var blake2b256: LinearCost
    /// Hashing, by bytes.
    public var blake2b512: LinearCost
    /// Hashing, by bytes.
    public var keccak256: LinearCost
    /// Hashing, by bytes.
    public var ripemd160: LinearCost

    /// One sector commitment, whatever its pieces.
    public var computeUnsealedSectorCid: UInt64
    /// One element of a batch of seals.
    public var verifySeal: UInt64
    /// The first row is also the price of proof types without a row.
    public var verifyAggregateSeal: [AggregateSealCost]
    /// The same for every window PoSt type, listed or not.
    public var verifyPost: LinearCost
    /// One report of a fault.
    public var verifyConsensusFault: UInt64
    /// One proof of an update.
    public var verifyReplicaUpdate: UInt64

    /// Memory for a block, by bytes.
    public var blockAllocate: LinearCost
    /// Copy of a block, by bytes.
    public var blockMemcpy: LinearCost
    /// What keeping a block costs at least, by bytes.
    public var blockMemoryRetentionMinimum: LinearCost
    /// Fetching: flat before, scale after the size is known.
    public var blockOpen: LinearCost
    /// How opening books its parts.
    public var blockOpenForm: BlockOpenForm
    /// Storage of a linked block, by bytes.
    public var blockPersistStorage: LinearCost
    /// Handling of a linked block.
    public var blockPersistCompute: UInt64

    /// Link tracking; all 0 where reachability is not tracked.
    public var ipldScanPerCid: UInt64
    /// Per CBOR item of a link scan.
    public var ipldScanPerField: UInt64
    /// Per link made reachable.
    public var ipldLinkTracked: UInt64
    /// Per link that must be reachable.
    public var ipldLinkChecked: UInt64

    /// A look into the manifest.
    public var builtinActorManifestLookup: UInt64
    /// `network::context`.
    public var networkContext: UInt64
    /// `vm::message_context`.
    public var messageContext: UInt64
    /// Installing code, which no network enables.
    public var installWasmPerByte: UInt64

    /// `network::tipset_cid`.
    public var tipsetCid: TipsetCidCost
    /// Both randomness syscalls.
    public var randomness: RandomnessCost
    /// `event::emit_event`.
    public var events: EventCost

    /// Every syscall, on top of its own charges.
    public var hostCall: UInt64

    /// A copy with some fields changed: the way a later list is written.
    public func with(_ change: (inout PriceList) -> Void) -> PriceList {
        var copy = self
        change(&copy)
        return copy
    }

    /// The syscalls the list has prices for: its form of events decides, since each generation hands events over in its
    /// own way. A profile takes its syscalls from here, so that set and prices cannot disagree.
    public var generation: SyscallGeneration {
        switch events {
        case .encoded: .v3
        case .entries: .v4
        }
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
