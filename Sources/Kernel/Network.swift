import GasSchedule
import Primitives

/// What the node says about the tipset a message runs in; constant while it runs.
public struct NetworkFacts: Sendable {
    /// The row of the network version with its limits and behaviour.
    public var profile: NetworkProfile
    /// The list the profile names.
    public var prices: PriceList
    /// The epoch messages run in.
    public var epoch: Int64
    /// Unix seconds.
    public var timestamp: UInt64
    /// attoFIL per gas.
    public var baseFee: TokenAmount
    /// attoFIL.
    public var circulatingSupply: TokenAmount
    /// EIP-155 chain id; 0 in the reference's test driver.
    public var chainID: UInt64
    /// Whether actors are told that debugging is on; consensus relevant, off on mainnet.
    public var actorDebugging: Bool

    public init(
        profile: NetworkProfile, epoch: Int64, timestamp: UInt64, baseFee: TokenAmount,
        circulatingSupply: TokenAmount, chainID: UInt64, actorDebugging: Bool = false
    ) {
        self.profile = profile
        prices = PriceList.named(profile.priceList)
        self.epoch = epoch
        self.timestamp = timestamp
        self.baseFee = baseFee
        self.circulatingSupply = circulatingSupply
        self.chainID = chainID
        self.actorDebugging = actorDebugging
    }

    /// The profile's version.
    public var version: NetworkVersion { profile.version }
}

/// An event an actor emitted.
public struct ActorEvent: Sendable, Equatable {
    /// Actor id.
    public var emitter: UInt64
    /// In the order the actor gave them.
    public var entries: [Entry]

    /// A key and a value.
    public struct Entry: Sendable, Equatable {
        /// Bit 0: key indexed, bit 1: value indexed; others are kept as they came (v3).
        public var flags: UInt64
        /// UTF-8.
        public var key: [UInt8]
        /// Multicodec number of the value.
        public var codec: UInt64
        /// The value's bytes.
        public var value: [UInt8]

        public init(flags: UInt64, key: [UInt8], codec: UInt64, value: [UInt8]) {
            self.flags = flags
            self.key = key
            self.codec = codec
            self.value = value
        }
    }

    public init(emitter: UInt64, entries: [Entry]) {
        self.emitter = emitter
        self.entries = entries
    }
}

/// What the node answers during execution.
public protocol Externs: AnyObject {
    /// The 32-byte digest of the drand or ticket chain at an epoch, before anything is mixed in.
    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8]
    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8]
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid
    /// nil is "no fault".
    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault?
    /// What the proof syscalls do.
    var proofs: any ProofSyscalls { get }
    /// `debug::log`, when debugging is on.
    func debugLog(_ text: String, actor: UInt64)
    /// `debug::store_artifact`, when debugging is on; `name` is a plain file name.
    func storeArtifact(name: String, data: [UInt8], actor: UInt64)
}

extension Externs {
    /// Drops the line.
    public func debugLog(_ text: String, actor: UInt64) {}
    /// Drops the artifact.
    public func storeArtifact(name: String, data: [UInt8], actor: UInt64) {}
}

/// Why the node gave no answer.
public enum ExternFailure: Error, Sendable, Equatable {
    /// The node's own answer; what the actor sees depends on the syscall.
    case refused(String)
    /// A failure of this machine; no receipt can come of it.
    case local(String)
}

/// A fault the node found in two block headers.
public struct ConsensusFault: Sendable, Equatable {
    /// What the miner did.
    public enum Kind: UInt32, Sendable {
        case doubleForkMining = 1
        case parentGrinding = 2
        case timeOffsetMining = 3
    }
    /// Who is to blame.
    public var target: Address
    /// The epoch messages run in.
    public var epoch: Int64
    /// What was done.
    public var kind: Kind

    public init(target: Address, epoch: Int64, kind: Kind) {
        self.target = target
        self.epoch = epoch
        self.kind = kind
    }
}
