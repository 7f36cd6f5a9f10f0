import Chain
import GasSchedule
import JSON
import Primitives

/// Networks described in a file, for those whose genesis is not known here.
///
/// A JSON object: `name`, `genesis_timestamp` (Unix seconds), `chain_id`, `upgrades` as an array of
/// `{"version", "height", "migration"}`; and where they are not a new network's, `smoke`, `breeze`, `hyperdrive`,
/// `liftoff` (heights), `reserve` as an array of `{"from", "fil"}`, `drand` of `{"from", "period", "genesis"}`.
public enum NetworkFile {
    /// What is wrong with a file.
    public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
    }

    /// Reads a network.
    ///
    /// - Parameter file: for complaints.
    public static func read(_ bytes: [UInt8], file: String) throws(Failure) -> ChainNetwork {
        let json: JSONValue
        do throws(JSONError) { json = try JSON.parse(bytes) } catch {
            throw Failure(description: "\(file): not JSON: \(error)")
        }
        func fail(_ text: String) -> Failure { Failure(description: "\(file): \(text)") }
        func number<N: FixedWidthInteger>(_ value: JSONValue, _ name: String, _ standard: N?) throws(Failure) -> N {
            guard let member = value[name] else {
                guard let standard else { throw fail("has no \(name)") }
                return standard
            }
            guard let number = member.integer(N.self) else { throw fail("\(name) is no number of its size") }
            return number
        }
        func rows(_ name: String) throws(Failure) -> [JSONValue]? {
            guard let member = json[name] else { return nil }
            guard let rows = member.array else { throw fail("\(name) is no array") }
            return rows
        }
        guard json.members != nil else { throw fail("a network is a JSON object") }
        let known = [
            "name", "genesis_timestamp", "chain_id", "upgrades", "smoke", "breeze", "hyperdrive", "liftoff", "reserve",
            "drand",
        ]
        if let other = json.members?.first(where: { !known.contains($0.name) }) {
            throw fail("\(other.name.printable()) is no member of a network")
        }
        guard let upgrades = try rows("upgrades"), !upgrades.isEmpty else { throw fail("has no upgrades") }
        var network = ChainNetwork(
            name: json["name"]?.string ?? "local", genesisTimestamp: try number(json, "genesis_timestamp", nil),
            chainID: try number(json, "chain_id", nil), upgrades: [])
        for row in upgrades {
            let upgrade = ChainNetwork.Upgrade(
                version: try number(row, "version", nil), height: try number(row, "height", nil))
            do throws(NetworkProfileError) {
                _ = try NetworkProfile.forVersion(NetworkVersion(rawValue: upgrade.version))
            } catch { throw fail(error.description) }
            if let last = network.upgrades.last, last.version >= upgrade.version || last.height >= upgrade.height {
                throw fail("upgrades are not in ascending order at version \(upgrade.version)")
            }
            network.upgrades.append(upgrade)
            if row["migration"]?.bool == true { network.migrations.insert(upgrade.height) }
        }
        network.smoke = try number(json, "smoke", network.smoke)
        network.breeze = try number(json, "breeze", network.breeze)
        network.hyperdrive = try number(json, "hyperdrive", network.hyperdrive)
        network.liftoff = try number(json, "liftoff", network.liftoff)
        if let reserve = try rows("reserve") {
            network.reserve = []
            for row in reserve {
                network.reserve.append(.init(from: try number(row, "from", nil), fil: try number(row, "fil", nil)))
            }
        }
        if let drand = try rows("drand") {
            network.drand = []
            for row in drand {
                let beacon = ChainNetwork.Drand(
                    from: try number(row, "from", nil), period: try number(row, "period", nil),
                    genesis: try number(row, "genesis", nil))
                guard beacon.period > 0, beacon.from > network.drand.last?.from ?? -1 else {
                    throw fail("drand: periods are above 0, epochs ascend from 0")
                }
                network.drand.append(beacon)
            }
            guard !network.drand.isEmpty else { throw fail("drand has no beacon") }
        }
        guard network.genesisTimestamp < 1 << 40 else { throw fail("genesis_timestamp is beyond all clocks") }
        return network
    }
}
