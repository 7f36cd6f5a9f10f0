import GasSchedule
import Primitives

/// A network: its genesis, and from which height on which rules hold (FVM chain layer 2.4 to 2.7).
public struct ChainNetwork: Sendable {
    /// A network version and what came with it.
    public struct Upgrade: Sendable, Equatable {
        public var version: UInt32
        /// The version is valid for heights above.
        public var height: Int64

        public init(version: UInt32, height: Int64) {
            self.version = version
            self.height = height
        }
    }

    /// The drand beacon of epochs from one on.
    public struct Drand: Sendable, Equatable {
        /// The first epoch.
        public var from: Int64
        /// Seconds between rounds.
        public var period: UInt64
        /// Unix seconds of the first round.
        public var genesis: UInt64

        public init(from: Int64, period: UInt64, genesis: UInt64) {
            self.from = from
            self.period = period
            self.genesis = genesis
        }

        /// The League of Entropy's networks: of three seconds, and before it one of thirty.
        public static let quicknet = (period: UInt64(3), genesis: UInt64(1_692_803_367))
        public static let mainnet = (period: UInt64(30), genesis: UInt64(1_595_431_050))
        public static let incentinet = (period: UInt64(30), genesis: UInt64(1_595_873_820))
    }

    /// What the reserve f090 began with.
    public struct Reserve: Sendable, Equatable {
        /// The first network version that counts so.
        public var from: UInt32
        /// FIL.
        public var fil: UInt64

        public init(from: UInt32, fil: UInt64) {
            self.from = from
            self.fil = fil
        }
    }

    public var name: String
    /// Text of the genesis block's CID; nil for networks that are described in a file.
    public var genesis: String?
    /// Unix seconds.
    public var genesisTimestamp: UInt64
    /// EIP-155.
    public var chainID: UInt64
    /// Ascending.
    public var upgrades: [Upgrade]
    /// Heights at which the state was migrated.
    public var migrations: Set<Int64>
    /// Up to this height the base fee followed another formula ("packing efficiency").
    public var smoke: Int64
    /// Within 120 heights behind this one the base fee was the smallest.
    public var breeze: Int64
    /// From this height on senders are compared by id.
    public var hyperdrive: Int64
    /// Vesting counts from here.
    public var liftoff: Int64
    /// Ascending by version.
    public var reserve: [Reserve]
    /// Ascending by epoch.
    public var drand: [Drand]
    /// Fault reports of blocks within 900 heights of this one count for nothing (Lotus); nil for none.
    public var faultPause: Int64?

    /// Seconds from one height to the next.
    public static let blockDelay: UInt64 = 30

    public init(
        name: String, genesis: String? = nil, genesisTimestamp: UInt64, chainID: UInt64, upgrades: [Upgrade],
        migrations: Set<Int64> = [], smoke: Int64 = -2, breeze: Int64 = -1_000, hyperdrive: Int64 = -1,
        liftoff: Int64 = -5, reserve: [Reserve] = ChainNetwork.usualReserve,
        drand: [Drand] = ChainNetwork.usualDrand, faultPause: Int64? = nil
    ) {
        self.name = name
        self.genesis = genesis
        self.genesisTimestamp = genesisTimestamp
        self.chainID = chainID
        self.upgrades = upgrades
        self.migrations = migrations
        self.smoke = smoke
        self.breeze = breeze
        self.hyperdrive = hyperdrive
        self.liftoff = liftoff
        self.reserve = reserve
        self.drand = drand
        self.faultPause = faultPause
    }

    /// A local network that runs one version at all heights.
    public static func local(
        _ version: NetworkVersion, name: String = "local", genesisTimestamp: UInt64, chainID: UInt64 = 31_415_926
    ) -> ChainNetwork {
        ChainNetwork(
            name: name, genesisTimestamp: genesisTimestamp, chainID: chainID,
            upgrades: [Upgrade(version: version.rawValue, height: -1)])
    }

    /// The network version of messages executed at a height; nil below the first one known here.
    public func version(at height: Int64) -> NetworkVersion? {
        upgrades.last { height > $0.height }.map { NetworkVersion(rawValue: $0.version) }
    }

    /// The height above which a version holds.
    public func height(of version: UInt32) -> Int64? { upgrades.first { $0.version == version }?.height }

    /// The lowest height in a range at which the state was migrated.
    public func migration(in heights: Range<Int64>) -> Int64? {
        migrations.filter { heights.contains($0) }.min()
    }

    /// The round of the beacon that an epoch's entry has (FVM chain layer 2.7).
    public func beaconRound(at epoch: Int64) -> UInt64 {
        guard let beacon = drand.last(where: { $0.from <= epoch }) ?? drand.first else { return 1 }
        let time = Int128(genesisTimestamp) + Int128(Self.blockDelay) * (Int128(epoch) - 1)
        guard time >= Int128(beacon.genesis) else { return 1 }
        let periods = (time - Int128(beacon.genesis)) / Int128(max(1, beacon.period))
        // Versions below those in the table counted rounds from 0.
        return UInt64(clamping: periods) + (version(at: epoch) == nil ? 0 : 1)
    }

    /// FIL of the reserve f090 in the beginning, as a version counts it.
    public func reserve(at version: NetworkVersion) -> UInt64 {
        reserve.last { $0.from <= version.rawValue }?.fil ?? 0
    }

    /// The network with this genesis block.
    public static func of(genesis: Cid) -> ChainNetwork? {
        let text = genesis.text
        return table.first { $0.genesis == text }
    }
}
