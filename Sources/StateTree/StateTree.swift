import Crypto
import IPLD
import Primitives

/// The actors of a state, version 5, with nested transactions (FVM machine specification, sections 8, 10, 11).
///
/// Reads go to the store only where they must: the states of test vectors are partial. Changes stay in memory
/// until `flush`. Not safe to use from several threads.
public final class StateTree {
    /// An actor as last read or written; `state` nil is "no such actor".
    private struct Entry {
        var state: ActorState?
        /// Whether the tree on disk does not know it yet.
        var isDirty: Bool
    }

    private let store: any Blockstore
    private var actors: ActorMap
    /// Carried through unchanged.
    private let info: Cid
    private var entries = HistoryMap<UInt64, Entry>()
    private var resolved = HistoryMap<Address, UInt64>()
    /// The init actor's state as last decoded, with the head it was decoded from.
    private var initCache: (head: Cid, state: InitActorState)?

    /// Opens the tree at `root`.
    public init(store: any Blockstore, root: Cid) throws(StateError) {
        self.store = store
        let state = try StateRoot.load(root, from: store)
        info = state.info
        actors = try ActorMap(store: store, root: state.actors)
    }

    /// Writes a tree without actors and returns its root.
    public static func makeEmpty(in store: any Blockstore) throws(StateError) -> Cid {
        let actors: Cid
        do throws(IPLDError) { actors = try Hamt(store: store).flush() } catch { throw StateError(error, "state tree") }
        return try StateRoot(actors: actors, info: try store.putState(EmptyArray.block)).store(in: store)
    }

    // MARK: Transactions

    public func begin() {
        entries.begin()
        resolved.begin()
    }

    public func end(revert: Bool) {
        entries.end(revert: revert)
        resolved.end(revert: revert)
    }

    // MARK: Actors

    /// The actor with this id, or nil.
    public func actor(_ id: UInt64) throws(StateError) -> ActorState? {
        if let entry = entries[id] { return entry.state }
        let state = try actors.get(id)
        entries[id] = Entry(state: state, isDirty: false)
        return state
    }

    public func setActor(_ id: UInt64, _ state: ActorState) {
        entries[id] = Entry(state: state, isDirty: true)
    }

    public func deleteActor(_ id: UInt64) {
        entries[id] = Entry(state: nil, isDirty: true)
    }

    // MARK: Addresses

    /// The id behind an address, or nil; an id is its own, whether or not such an actor exists.
    public func resolve(_ address: Address) throws(StateError) -> UInt64? {
        if let id = address.id { return id }
        if let id = resolved[address] { return id }
        let (_, state) = try initActor()
        guard let id = try state.addresses.get(address) else { return nil }
        resolved[address] = id
        return id
    }

    /// Gives an address the next id of the init actor.
    public func registerAddress(_ address: Address) throws(StateError) -> UInt64 {
        var (actor, state) = try initActor()
        // The map is changed in place: what was cached for the old head is gone.
        initCache = nil
        let id = state.nextID
        // Wraps at 2^64, as the reference does.
        state.nextID = id &+ 1
        try state.addresses.set(address, id)
        let head = try state.store(in: store)
        actor.state = head
        initCache = (head, state)
        setActor(Singleton.initActor, actor)
        resolved[address] = id
        return id
    }

    private func initActor() throws(StateError) -> (ActorState, InitActorState) {
        guard let actor = try actor(Singleton.initActor) else {
            throw .invalid("the init actor f0\(Singleton.initActor) does not exist")
        }
        if let initCache, initCache.head == actor.state { return (actor, initCache.state) }
        let state = try InitActorState.load(actor.state, from: store)
        initCache = (actor.state, state)
        return (actor, state)
    }

    // MARK: Flush

    /// Writes all changes to the store and returns the new state root.
    public func flush() throws(StateError) -> Cid {
        guard entries.depth == 0 else { throw .invalid("state tree flushed inside a transaction") }
        for id in entries.sortedKeys(where: { $0.isDirty }) {
            guard let entry = entries[id] else { continue }
            if let state = entry.state { try actors.set(id, state) } else { try actors.delete(id) }
            entries[id] = Entry(state: entry.state, isDirty: false)
        }
        return try StateRoot(actors: try actors.flush(), info: info).store(in: store)
    }
}
