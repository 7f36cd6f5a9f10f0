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
        isPlain: ActorEntryScan.isPlain,
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
    /// `[code, state, sequence, balance, null or an address of a small namespace]`, where the balance is written as
    /// amounts are. `entry` is one item of canonical CBOR.
    static func isPlain(_ entry: Span<UInt8>) -> Bool {
        guard entry.count > 2 * linkLength + 2, entry[0] == 0x85, isLink(entry, 1), isLink(entry, 1 + linkLength)
        else { return false }
        var position = 1 + 2 * linkLength
        // The sequence: a number of any width, in shortest form as all of the entry.
        guard let sequence = argument(entry, &position), sequence.major == 0 else { return false }
        guard let balance = argument(entry, &position), balance.major == 2, balance.value <= longestAmount,
            balance.value < UInt64(entry.count - position)
        else { return false }
        let length = Int(balance.value)
        // Nothing for 0; else a sign, and a magnitude that does not begin with 0.
        guard length == 0 || (length > 1 && entry[position] <= 1 && entry[position + 1] != 0) else { return false }
        position += length
        return entry[position] == 0xF6 ? position + 1 == entry.count : isAddress(entry, position)
    }

    /// Bytes of an amount with its sign.
    private static let longestAmount: UInt64 = 128
    /// Bytes of a link with a CID of 38 bytes: tag, head of the string, 0, CID.
    private static let linkLength = 2 + 2 + 1 + 38

    private static func isLink(_ entry: Span<UInt8>, _ start: Int) -> Bool {
        entry[start] == 0xD8 && entry[start + 1] == 42 && entry[start + 2] == 0x58 && entry[start + 3] == 39
    }

    /// A delegated address whose namespace takes one byte.
    private static func isAddress(_ entry: Span<UInt8>, _ start: Int) -> Bool {
        var position = start
        guard let head = argument(entry, &position), head.major == 2, (2...56).contains(head.value),
            Int(head.value) == entry.count - position
        else { return false }
        return entry[position] == 4 && entry[position + 1] < 0x80
    }

    private static func argument(
        _ entry: Span<UInt8>, _ position: inout Int
    ) -> (major: UInt8, value: UInt64)? {
        guard position < entry.count else { return nil }
        let byte = entry[position]
        let low = byte & 0x1F
        guard low >= 24 else {
            position += 1
            return (byte >> 5, UInt64(low))
        }
        guard low < 28 else { return nil }
        let width = 1 << Int(low - 24)
        guard entry.count - position > width else { return nil }
        var value: UInt64 = 0
        for index in 1...width { value = value << 8 | UInt64(entry[position + index]) }
        position += 1 + width
        return (byte >> 5, value)
    }
}
