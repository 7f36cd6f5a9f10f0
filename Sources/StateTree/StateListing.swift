import Crypto
import IPLD
import Primitives

/// Reads states of every version, actors of those that were no WASM too; it does not change them.
///
/// Up to version 1 maps wrote their pointers as CBOR maps of one entry, and version 0 had no root block around the
/// actors (specs-actors, states of actors version 1 to 8; go-hamt-ipld v2 and v3).
public struct StateListing {
    /// One actor.
    public struct Entry: Sendable, Equatable {
        public var id: UInt64
        public var actor: ActorState
    }

    public let root: Cid
    /// The state tree's, 0 to 5.
    public let version: UInt64
    /// Whether its actors are WASM, so that messages can be applied.
    public var runsWasm: Bool { version == StateRoot.version }
    private let actors: Cid
    private let store: any Blockstore

    /// Opens the state at a root.
    public init(root: Cid, store: any Blockstore) throws(StateError) {
        self.root = root
        self.store = store
        let block = try store.block(root, "state root")
        let item = Result { () throws(CborError) in try CborValue(block) }
        guard case .success(.array(let fields)) = item else { throw .malformed("state root \(root): is no array") }
        switch (fields.count, fields.first) {
        case (3, .unsigned(let version)?):
            guard version <= StateRoot.version, case .link(let actors) = fields[1] else {
                throw .malformed("state root \(root): version \(version) is not known")
            }
            self.version = version
            self.actors = actors
        case (2, .bytes?):
            version = 0
            actors = root
        default: throw .malformed("state root \(root): is neither a state's root nor a map of actors")
        }
    }

    /// Calls `body` with every actor, in the order of the map.
    public func visitActors(_ body: (Entry) throws(StateError) -> Void) throws(StateError) {
        let version = version
        try Self.walk(actors, store, "state tree") { (key, value) throws(StateError) in
            guard let address = try? Address(bytes: key), let id = address.id else {
                throw .malformed("state tree: a key is no id address")
            }
            let actor: ActorState
            do throws(CborError) { actor = try Self.actor(value, version) } catch {
                throw .malformed("actor f0\(id): \(error)")
            }
            try body(Entry(id: id, actor: actor))
        }
    }

    /// Calls `body` with all keys and values of a map.
    private static func walk(
        _ root: Cid, _ store: any Blockstore, _ what: String,
        _ body: (_ key: [UInt8], _ value: CborValue) throws(StateError) -> Void
    ) throws(StateError) {
        var pending: [(cid: Cid, depth: Int)] = [(root, 0)]
        // No two subtrees of a map are alike, as keys differ: a node that comes again is a walk without an end.
        var seen: Set<Cid> = []
        while let (cid, depth) = pending.popLast() {
            // A digest has 256 bits, of which each level takes some.
            guard depth <= 64, seen.insert(cid).inserted else {
                throw .malformed("\(what): node \(cid) is named twice, or deeper than a map can be")
            }
            let block = try store.block(cid, "node of \(what)")
            guard case .array(let fields)? = try? CborValue(block), fields.count == 2,
                case .array(let pointers) = fields[1]
            else { throw .malformed("\(what): node \(cid) is no map's") }
            var children: [Cid] = []
            for pointer in pointers {
                var content = pointer
                if case .map(let entries) = pointer, entries.count == 1 { content = entries[0].value }
                switch content {
                case .link(let child): children.append(child)
                case .array(let pairs):
                    for pair in pairs {
                        guard case .array(let both) = pair, both.count == 2, case .bytes(let key) = both[0] else {
                            throw .malformed("\(what): node \(cid) has a pair that is none")
                        }
                        try body(key, both[1])
                    }
                default: throw .malformed("\(what): node \(cid) has a pointer that is none")
                }
            }
            pending += children.reversed().map { ($0, depth + 1) }
        }
    }

    /// Four fields up to version 4, five since.
    private static func actor(_ value: CborValue, _ version: UInt64) throws(CborError) -> ActorState {
        guard version < StateRoot.version, case .array(let fields) = value, fields.count == 4 else {
            return try ActorState(cbor: value.encoded)
        }
        return try ActorState(cbor: CborValue.array(fields + [.null]).encoded)
    }

    /// The actor with this id.
    public func actor(_ id: UInt64) throws(StateError) -> ActorState? {
        if version == StateRoot.version { return try StateTree(store: store, root: root).actor(id) }
        var found: ActorState?
        try visitActors { (entry) throws(StateError) in if entry.id == id { found = entry.actor } }
        return found
    }

    /// The id behind an address; nil where the init actor does not know it.
    public func resolve(_ address: Address) throws(StateError) -> UInt64? {
        if let id = address.id { return id }
        if version == StateRoot.version { return try StateTree(store: store, root: root).resolve(address) }
        guard let initActor = try actor(Singleton.initActor) else { return nil }
        let block = try store.block(initActor.state, "state of the init actor")
        guard case .array(let fields)? = try? CborValue(block), case .link(let map)? = fields.first else {
            throw .malformed("state of the init actor: has no map of addresses")
        }
        var found: UInt64?
        try Self.walk(map, store, "map of addresses") { (key, value) throws(StateError) in
            if key == address.bytes, case .unsigned(let id) = value { found = id }
        }
        return found
    }

    /// Names of built-in actors' code: what the state's manifest says, or before there were manifests the code's own
    /// CID, whose digest is its name.
    public func codeNames() throws(StateError) -> [Cid: String] {
        guard let system = try actor(Singleton.system) else { return [:] }
        guard system.code.hashCode != Cid.identity else { return [:] }
        let head = try store.block(system.state, "state of the system actor")
        guard case .array(let fields)? = try? CborValue(head), case .link(let data)? = fields.first else { return [:] }
        let block = try store.block(data, "actor manifest")
        guard let manifest = try? ActorManifest(data: block) else {
            throw .malformed("actor manifest \(data) cannot be read")
        }
        return Dictionary(manifest.entries.map { ($0.code, $0.name) }) { _, last in last }
    }

    /// What code is called: by the manifest, by itself, or by its CID.
    public static func name(of code: Cid, _ names: [Cid: String]) -> String {
        if let name = names[code] { return name }
        if code.hashCode == Cid.identity { return String(decoding: code.digest, as: UTF8.self).printable() }
        return code.text
    }
}
