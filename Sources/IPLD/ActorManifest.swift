import Primitives

/// The list of built-in actors that a bundle's manifest and the system actor name (FVM machine layer, "manifest").
public struct ActorManifest: Sendable, Equatable {
    /// One actor.
    public struct Entry: Sendable, Equatable {
        /// As the reference names it, such as `storageminer`.
        public var name: String
        /// The CID of the actor's WASM.
        public var code: Cid

        public init(name: String, code: Cid) {
            self.name = name
            self.code = code
        }
    }

    /// In the order that numbers actor types: element n is type n + 1.
    public var entries: [Entry]

    public init(entries: [Entry]) {
        self.entries = entries
    }

    /// The only manifest version there is.
    public static let version: UInt32 = 1

    /// The manifest in the data block `block`: an array of pairs of name and code CID.
    public init(data block: [UInt8]) throws(CborError) {
        var reader = CborReader(block)
        var entries: [Entry] = []
        for _ in 0..<(try reader.array()) {
            try reader.tuple(2)
            entries.append(Entry(name: try reader.text(), code: try reader.link()))
        }
        try reader.finish()
        self.entries = entries
    }

    /// The data block.
    public var encoded: [UInt8] {
        CborValue.array(entries.map { .array([.text($0.name), .link($0.code)]) }).encoded
    }

    /// The CID of the data block that the root block `block` of a manifest names: a pair of version and CID.
    public static func dataCid(root block: [UInt8]) throws(CborError) -> Cid {
        var reader = CborReader(block)
        try reader.tuple(2)
        let start = reader.position
        let version: UInt32 = try reader.unsigned()
        guard version == ActorManifest.version else {
            throw CborError(.value("manifest version \(version), only \(ActorManifest.version) is known"), at: start)
        }
        let cid = try reader.link()
        try reader.finish()
        return cid
    }

    /// The code of the actor `name`; of duplicates the last one, as in the reference.
    public func code(named name: String) -> Cid? { entries.last { $0.name == name }?.code }
}
