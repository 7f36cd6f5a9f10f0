import Chain
import IPLD
import Primitives
import StateTree

/// The circulating supply that a machine is given (FVM chain layer 2.4; Lotus, chain/stmgr/supply.go): from the state
/// it begins with and its own epoch.
public enum CirculatingSupply {
    private static let power: UInt64 = 4
    private static let market: UInt64 = 5
    private static let reserve: UInt64 = 90

    /// What of the team's and investors' FIL vests over how many days (Lotus, chain/stmgr/supply.go, setupGenesis…).
    static let vesting: [(days: Int64, fil: UInt64)] = [
        (0, 10_632_000), (183, 51_803_587), (365, 31_821_712), (730, 7_223_364), (1095, 88_536_841),
        (2190, 409_805_053),
    ]
    static let epochsPerDay: Int64 = 2_880

    /// Which amounts in actors' states are locked: the last row whose version is not above.
    private struct Locked {
        var from: UInt32
        var fields: [(actor: UInt64, name: String, fields: [Int])]
    }
    private static let pledge = (actor: power, name: "power", fields: [4])
    private static let locked: [Locked] = [
        // The market's are collateral of clients, of providers, and storage fees.
        Locked(from: 0, fields: [pledge, (actor: market, name: "market", fields: [8, 9, 10])]),
        Locked(from: 23, fields: [pledge]),
    ]
    /// The field of the reward actor's state with all that was ever mined.
    private static let mined = 8

    /// attoFIL vested at a height.
    static func vested(at height: Int64, _ network: ChainNetwork) -> TokenAmount {
        let elapsed = height - network.liftoff
        return vesting.reduce(TokenAmount.zero) { sum, row in
            let duration = row.days * epochsPerDay
            let all = UInt128(row.fil) * UInt128(TokenAmount.attoPerFil)
            if elapsed >= duration { return sum + amount(all) }
            guard elapsed >= 0 else { return sum }
            return sum + amount(all - all / UInt128(duration) * UInt128(duration - elapsed))
        }
    }

    private static func amount(_ value: UInt128) -> TokenAmount {
        TokenAmount(hi: UInt64(value >> 64), lo: UInt64(truncatingIfNeeded: value))
    }

    /// attoFIL in circulation.
    ///
    /// - Parameters:
    ///   - root: the state's.
    ///   - height: the machine's epoch.
    public static func at(
        _ height: Int64, root: Cid, store: any Blockstore, network: ChainNetwork, version: NetworkVersion
    ) throws(TipsetError) -> TokenAmount {
        let tree = try TipsetError.onState { () throws(StateError) in try StateTree(store: store, root: root) }
        func actor(_ id: UInt64) throws(TipsetError) -> ActorState? {
            try TipsetError.onState { () throws(StateError) in try tree.actor(id) }
        }
        func field(_ id: UInt64, _ name: String, _ indexes: [Int]) throws(TipsetError) -> TokenAmount {
            guard let actor = try actor(id) else { throw .state("the \(name) actor f0\(id) does not exist") }
            let block = try TipsetError.onState { () throws(StateError) in
                try store.block(actor.state, "state of the \(name) actor")
            }
            guard case .array(let fields)? = try? CborValue(block) else {
                throw .state("state of the \(name) actor: is no tuple")
            }
            var sum = TokenAmount.zero
            for index in indexes {
                guard fields.indices.contains(index), case .bytes(let bytes) = fields[index],
                    let amount = try? TokenAmount(cborBytes: bytes)
                else { throw .state("state of the \(name) actor: field \(index) is no amount") }
                sum += amount
            }
            return sum
        }
        var supply = vested(at: height, network) + (try field(Singleton.reward, "reward", [mined]))
        // Local networks have no reserve, and none of it was spent.
        if let reserve = try actor(reserve) {
            supply += TokenAmount(network.reserve(at: version)) * TokenAmount.attoPerFil - reserve.balance
        }
        guard let burnt = try actor(Singleton.burntFunds) else {
            throw .state("the burnt funds actor f0\(Singleton.burntFunds) does not exist")
        }
        supply -= burnt.balance
        let rows = locked.last { $0.from <= version.rawValue }?.fields ?? []
        for row in rows { supply -= try field(row.actor, row.name, row.fields) }
        return max(.zero, supply)
    }
}
