import GasSchedule
import Primitives

/// A network: its genesis, and from which height on which rules hold (FVM chain layer 2.6).
public struct ChainNetwork: Sendable {
    public let name: String
    /// Text of the genesis block's CID.
    public let genesis: String
    /// Unix seconds.
    public let genesisTimestamp: UInt64
    /// Network versions, ascending, each valid for heights above its own.
    public let upgrades: [(version: UInt32, height: Int64)]
    /// Up to this height the base fee followed another formula ("packing efficiency").
    public let smoke: Int64
    /// Within 120 heights behind this one the base fee was the smallest.
    public let breeze: Int64

    /// Seconds from one height to the next.
    public static let blockDelay: UInt64 = 30

    /// The network version of messages executed at a height; nil below the first one known here.
    public func version(at height: Int64) -> NetworkVersion? {
        upgrades.last { height > $0.height }.map { NetworkVersion(rawValue: $0.version) }
    }

    /// The height above which a version holds.
    public func height(of version: UInt32) -> Int64? { upgrades.first { $0.version == version }?.height }

    /// The network with this genesis block.
    public static func of(genesis: Cid) -> ChainNetwork? {
        let text = genesis.text
        return table.first { $0.genesis == text }
    }
}
