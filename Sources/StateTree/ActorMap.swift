import IPLD
import Primitives

/// The HAMT from actor ids to their states.
struct ActorMap {
    private static let name = "state tree"
    private let hamt: Hamt

    init(store: any Blockstore, root: Cid) throws(StateError) {
        do throws(IPLDError) { hamt = try Hamt(root: root, store: store) } catch { throw StateError(error, Self.name) }
    }

    /// The binary `f0` address.
    private static func key(_ id: UInt64) -> [UInt8] { Address.id(id).bytes }

    func get(_ id: UInt64) throws(StateError) -> ActorState? {
        let value: ArraySlice<UInt8>?
        do throws(IPLDError) {
            value = try hamt.get(Self.key(id))
        } catch {
            throw StateError(error, "actor f0\(id) in the \(Self.name)")
        }
        guard let value else { return nil }
        do throws(CborError) {
            return try ActorState(cbor: Array(value))
        } catch {
            throw .malformed("actor f0\(id): \(error)")
        }
    }

    func set(_ id: UInt64, _ state: ActorState) throws(StateError) {
        let value: [UInt8]
        do throws(TokenAmountError) {
            value = try state.encoded()
        } catch {
            throw .invalid("actor f0\(id): \(error)")
        }
        do throws(IPLDError) {
            try hamt.set(Self.key(id), value)
        } catch {
            throw StateError(error, "actor f0\(id) in the \(Self.name)")
        }
    }

    func delete(_ id: UInt64) throws(StateError) {
        do throws(IPLDError) {
            try hamt.delete(Self.key(id))
        } catch {
            throw StateError(error, "actor f0\(id) in the \(Self.name)")
        }
    }

    func flush() throws(StateError) -> Cid {
        do throws(IPLDError) { return try hamt.flush() } catch { throw StateError(error, Self.name) }
    }
}
