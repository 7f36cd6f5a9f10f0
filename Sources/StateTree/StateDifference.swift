import IPLD
import Primitives

/// An actor that two states do not have alike.
public struct StateDifference: Sendable, Equatable {
    /// Actor id.
    public var id: UInt64
    /// nil where the state does not have the actor.
    public var first: ActorState?
    public var second: ActorState?

    /// One thing that differs, as texts.
    public struct Field: Sendable, Equatable {
        /// For example "balance".
        public var name: String
        public var first: String
        public var second: String
    }

    /// What differs; the whole actor where one state lacks it.
    public var fields: [Field] {
        guard let first, let second else {
            func text(_ state: ActorState?) -> String {
                state.map { "code \($0.code), head \($0.state), nonce \($0.sequence), balance \($0.balance.decimal)" }
                    ?? "no such actor"
            }
            return [Field(name: "actor", first: text(first), second: text(second))]
        }
        let all = [
            Field(name: "code", first: first.code.text, second: second.code.text),
            Field(name: "head", first: first.state.text, second: second.state.text),
            Field(name: "nonce", first: "\(first.sequence)", second: "\(second.sequence)"),
            Field(name: "balance", first: first.balance.decimal, second: second.balance.decimal),
            Field(
                name: "delegated address", first: first.delegatedAddress?.text() ?? "none",
                second: second.delegatedAddress?.text() ?? "none"),
        ]
        return all.filter { $0.first != $0.second }
    }

    /// The actors in which the states at two roots differ, ascending by id. Only what differs is read.
    public static func between(
        _ first: Cid, _ second: Cid, in store: any Blockstore
    ) throws(StateError) -> [StateDifference] {
        let name = "state tree"
        let listings = [try StateListing(root: first, store: store), try StateListing(root: second, store: store)]
        guard listings.allSatisfy(\.runsWasm) else { return try between(listings[0], listings[1]) }
        let roots = [try StateRoot.load(first, from: store), try StateRoot.load(second, from: store)]
        let differences: [HamtDifference]
        do throws(IPLDError) {
            differences = try Hamt.differences(
                Hamt(root: roots[0].actors, store: store, values: .actors),
                Hamt(root: roots[1].actors, store: store, values: .actors))
        } catch {
            throw StateError(error, name)
        }
        var found: [StateDifference] = []
        for difference in differences {
            guard let address = try? Address(bytes: difference.key), let id = address.id else {
                throw .malformed("\(name): a key is no id address")
            }
            do throws(CborError) {
                found.append(
                    StateDifference(
                        id: id, first: try decoded(difference.first), second: try decoded(difference.second)))
            } catch {
                throw .malformed("actor f0\(id): \(error)")
            }
        }
        return found.sorted { $0.id < $1.id }
    }

    /// States of older versions, whose maps have another form: all of both is read.
    private static func between(_ first: StateListing, _ second: StateListing) throws(StateError) -> [StateDifference] {
        var actors: [UInt64: StateDifference] = [:]
        try first.visitActors { (entry) throws(StateError) in
            actors[entry.id] = StateDifference(id: entry.id, first: entry.actor, second: nil)
        }
        try second.visitActors { (entry) throws(StateError) in
            actors[entry.id] = StateDifference(id: entry.id, first: actors[entry.id]?.first, second: entry.actor)
        }
        return actors.values.filter { $0.first != $0.second }.sorted { $0.id < $1.id }
    }

    private static func decoded(_ entry: [UInt8]?) throws(CborError) -> ActorState? {
        guard let entry else { return nil }
        return try ActorState(cbor: entry)
    }
}
