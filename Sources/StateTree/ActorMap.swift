import IPLD
import Primitives

/// The HAMT from actor ids to their states.
struct ActorMap {
    private static let name = "state tree"
    private let hamt: Hamt

    init(store: any Blockstore, root: Cid) throws(StateError) {
        do throws(IPLDError) {
            hamt = try Hamt(root: root, store: store, values: .actors)
        } catch {
            throw StateError(error, Self.name)
        }
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

extension HamtValues {
    /// Entries of the state tree.
    static let actors = HamtValues(
        plainEnd: ActorEntryScan.plainEnd,
        rewritten: { (value) throws(CborError) in
            let state = try ActorState(cbor: value)
            do throws(TokenAmountError) {
                return try state.encoded()
            } catch {
                throw CborError(.value(error.description), at: 0)
            }
        })
}

/// Looks whether an entry of the state tree is one as nearly all are, without making anything of it.
private enum ActorEntryScan {
    /// The end of `[code, state, sequence, balance, null or an address of a small namespace]` in canonical CBOR, where
    /// the balance is written as amounts are.
    static func plainEnd(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        guard start < bytes.count, bytes[start] == 0x85, let code = CanonicalScan.link(bytes, start + 1),
            let state = CanonicalScan.link(bytes, code), let sequence = CanonicalScan.unsigned(bytes, state),
            let balance = CanonicalScan.byteString(bytes, sequence), balance.count <= TokenAmount.maxEncodedLength
        else { return nil }
        // Nothing for 0; else a sign, and a magnitude that does not begin with 0.
        let first = balance.lowerBound
        guard balance.isEmpty || (balance.count > 1 && bytes[first] <= 1 && bytes[first + 1] != 0),
            balance.upperBound < bytes.count
        else { return nil }
        if bytes[balance.upperBound] == 0xF6 { return balance.upperBound + 1 }
        // A delegated address whose namespace takes one byte.
        guard let address = CanonicalScan.byteString(bytes, balance.upperBound),
            (2...56).contains(address.count), bytes[address.lowerBound] == 4, bytes[address.lowerBound + 1] < 0x80
        else { return nil }
        return address.upperBound
    }
}
