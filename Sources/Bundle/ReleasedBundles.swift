import Primitives

/// Bundles of built-in actors that a network has run.
public struct ReleasedBundles: Sendable {
    /// A released bundle.
    public struct Release: Sendable, Equatable {
        /// Text of the root's CID, which names the bundle.
        public let root: String
        /// As the release is tagged, like `v16.0.1`.
        public let tag: String
        /// `mainnet` or `calibrationnet`.
        public let network: String

        /// The version of the actors: the tag's first number.
        public var actorsVersion: Int {
            Int(tag.drop { $0 == "v" }.prefix { $0 != "." }) ?? 0
        }
        /// The network versions that run these actors.
        public var networkVersions: [UInt32] {
            ReleasedBundles.actors.first { $0.version == actorsVersion }?.networkVersions ?? []
        }
    }

    /// The release that is the bundle with this root; nil for one that is not known.
    public static func release(root: Cid) -> Release? {
        let text = root.text
        return releases.first { $0.root == text }
    }

    /// The version of the built-in actors a network version runs; beyond the table the nearest.
    public static func actorsVersion(_ version: NetworkVersion) -> Int {
        let known = actors.last { $0.networkVersions.contains { $0 <= version.rawValue } } ?? actors[0]
        return known.version
    }
}
