import Engine
import IPLD
import Machine
import Primitives

extension VectorRunner {
    /// Each message of a variant that came to its end as a vector of its own: on the state before it, with the blocks
    /// and the randomness it asks for and nothing else, demanding what came of it.
    ///
    /// - Parameter report: of the run; each message has to give the same again.
    func extract(_ vector: Vector, _ variant: Vector.Variant, _ report: VectorReport) throws -> [Vector] {
        let store = ReplayBlockstore(try Self.loadBlocks(of: vector, file: report.file), shared: blocks)
        var root = vector.preStateRoot
        var extracted: [Vector] = []
        for (index, entry) in vector.messages.enumerated() {
            store.asked = []
            let externs = ReplayExterns(vector)
            // A machine of its own: what others keep in memory it reads.
            let machine = try machine(vector, variant, stateRoot: root, store, externs)
            let result = try Executor(machine).apply(entry.message, kind: entry.kind, chainLength: entry.chainLength)
            guard report.messages.indices.contains(index), result == report.messages[index].result else {
                throw NoResults(
                    reason: "message \(index) gives other results alone: it depends on more than the state before it")
            }
            let after = try machine.flush()
            let asked = store.asked ?? []
            let read = store.own.filter { asked.contains($0.key) }
            extracted.append(
                Vector(
                    name: "\(report.name)__\(index)",
                    description: "Message \(index) of \(report.name)",
                    car: Vector.archive(roots: [root], blocks: read), preStateRoot: root,
                    environment: vector.environment, variants: [variant], messages: [entry],
                    randomness: externs.given, tipsetCids: externs.givenCids, verifications: vector.verifications,
                    postconditions: .init(stateRoot: after, results: [result])))
            root = after
        }
        guard root == report.stateRoot else {
            throw NoResults(reason: "the messages one by one lead to another state, \(root)")
        }
        return extracted
    }
}
