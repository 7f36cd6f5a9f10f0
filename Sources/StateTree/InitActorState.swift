import IPLD
import Primitives

/// The state of the init actor, f01: `[address map, next id, network name]`.
struct InitActorState {
    var addresses: AddressMap
    /// The id the next new address gets.
    var nextID: UInt64
    var networkName: String

    static func load(_ head: Cid, from store: any Blockstore) throws(StateError) -> InitActorState {
        let block = try store.block(head, "state of the init actor")
        let root: Cid
        let nextID: UInt64
        let networkName: String
        do throws(CborError) {
            var reader = CborReader(block)
            try reader.tuple(3)
            root = try reader.link()
            nextID = try reader.unsigned()
            networkName = try reader.text()
            try reader.finish()
        } catch {
            throw .malformed("state of the init actor: \(error)")
        }
        return InitActorState(
            addresses: try AddressMap(store: store, root: root), nextID: nextID, networkName: networkName)
    }

    /// Writes the map and the state, and returns the state's CID.
    func store(in store: any Blockstore) throws(StateError) -> Cid {
        var writer = CborWriter()
        writer.array(3)
        writer.link(try addresses.flush())
        writer.unsigned(nextID)
        writer.text(networkName)
        return try store.putState(writer.bytes)
    }
}

/// The HAMT from addresses, in binary, to ids.
struct AddressMap {
    private static let name = "address map of the init actor"
    private let hamt: Hamt

    init(store: any Blockstore, root: Cid) throws(StateError) {
        do throws(IPLDError) { hamt = try Hamt(root: root, store: store, values: .unsigned) } catch {
            throw StateError(error, Self.name)
        }
    }

    func get(_ address: Address) throws(StateError) -> UInt64? {
        let value: ArraySlice<UInt8>?
        do throws(IPLDError) {
            value = try hamt.get(address.bytes)
        } catch {
            throw StateError(error, "\(address) in the \(Self.name)")
        }
        guard let value else { return nil }
        do throws(CborError) {
            var reader = CborReader(Array(value))
            let id: UInt64 = try reader.unsigned()
            try reader.finish()
            return id
        } catch {
            throw .malformed("\(address) in the \(Self.name): \(error)")
        }
    }

    func set(_ address: Address, _ id: UInt64) throws(StateError) {
        var value = CborWriter()
        value.unsigned(id)
        do throws(IPLDError) {
            try hamt.set(address.bytes, value.bytes)
        } catch {
            throw StateError(error, "\(address) in the \(Self.name)")
        }
    }

    func flush() throws(StateError) -> Cid {
        do throws(IPLDError) { return try hamt.flush() } catch { throw StateError(error, Self.name) }
    }
}
