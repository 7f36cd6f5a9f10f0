import Bundle
import Engine
import IPLD
import JSON
import Primitives

extension Vector {
    /// Executes the vector's messages and gives it with what came of them as postconditions and with the blocks of both
    /// states, ready to be written. What it demanded before is compared, and then replaced.
    ///
    /// - Parameters:
    ///   - bundles: of built-in actors, in the order in which later ones win; their blocks do not go into the vector.
    ///   - codeProvider: gives the WASM of a code CID that neither vector nor bundles have.
    /// - Returns: the report of each variant; the vector is nil where one did not come to its end, or where two differ.
    public func withResults(
        engine: any ActorEngine, bundles: [ActorBundle],
        codeProvider: @escaping @Sendable (Cid) -> [UInt8]? = { _ in nil }
    ) -> (vector: Vector?, reports: [VectorReport]) {
        var shared = SharedBlocks(codeProvider: codeProvider)
        for bundle in bundles { shared.add(bundle.blocks) }
        let runner = VectorRunner(engine: engine, blocks: shared, networkVersion: nil)
        let outcomes = runner.run(self, file: name)
        return (try? withResults(of: outcomes), outcomes.map(\.report))
    }

    /// The vector with what came of its variants.
    func withResults(of outcomes: [VectorRunner.Outcome]) throws(NoResults) -> Vector {
        var blessed = self
        var blocks: [Cid: [UInt8]] = [:]
        blessed.postconditions = nil
        for outcome in outcomes {
            guard let results = outcome.report.postconditions else {
                throw NoResults(reason: "\(outcome.report.name) did not come to its end")
            }
            // The file has one place for the results of all variants.
            if let first = blessed.postconditions, first != results {
                throw NoResults(reason: "its variants have different results")
            }
            blessed.postconditions = results
            blocks.merge(outcome.blocks) { first, _ in first }
        }
        guard let results = blessed.postconditions else { throw NoResults(reason: "it has no variant") }
        let roots = results.stateRoot == preStateRoot ? [preStateRoot] : [preStateRoot, results.stateRoot]
        blessed.car = Self.archive(roots: roots, blocks: blocks)
        return blessed
    }

    /// The text of the file `original` with this vector's blocks and postconditions, and everything else as it was.
    func encoded(into original: [UInt8], file: String) throws(VectorError) -> [UInt8] {
        let made = try json()
        var members: [JSONValue.Member]
        do throws(JSONError) { members = try JSON.parse(original).members ?? [] } catch {
            throw VectorError(file: file, field: "", reason: "not JSON: \(error)")
        }
        for name in ["car", "postconditions"] {
            guard let value = made[name] else { continue }
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].value = value
            } else {
                members.append(.init(name, value))
            }
        }
        let bytes = Array((JSONValue.object(members).text(.indented) + "\n").utf8)
        guard try Vector(json: bytes, file: file, name: name) == self else {
            throw VectorError(file: file, field: "", reason: "it does not survive being written and read")
        }
        return bytes
    }
}

/// Why a vector cannot have results.
public struct NoResults: Error, CustomStringConvertible {
    var reason: String
    public var description: String { reason }
}
