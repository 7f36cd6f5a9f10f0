import Bundle
import Engine
import IPLD
import Machine
import Primitives
import StateTree

/// Makes vectors: messages executed on a state, with what came of them as postconditions.
public struct VectorMaker: Sendable {
    /// What was made of messages.
    public struct Made: Sendable {
        /// Holds the blocks the messages read and wrote; of built-in actors' code it holds none, so replaying takes it
        /// from a bundle or the store.
        public var vector: Vector
        /// What came of each message.
        public var report: VectorReport
        /// Actors that the state did not have before, ascending by id.
        public var created: [CreatedActor]
        /// The state after the messages, as far as the state before them was given.
        public var state: Car
    }

    /// An actor that messages made.
    public struct CreatedActor: Sendable, Equatable {
        public var id: UInt64
        /// The name of its code in the state's manifest; the CID of other code.
        public var code: String
        /// Its delegated address, or the key of an account; nil where it has neither.
        public var address: Address?
    }

    private let runner: VectorRunner

    /// - Parameter bundles: give code that a state does not have, later ones first.
    public init(engine: any ActorEngine, bundles: [ActorBundle]) {
        var shared = SharedBlocks()
        for bundle in bundles { shared.add(bundle.blocks) }
        runner = VectorRunner(engine: engine, blocks: shared, networkVersion: nil, notesReads: true)
    }

    /// Executes messages, one after another on one machine.
    /// - Parameters:
    ///   - name: what the vector is called; a file of it should have this name.
    ///   - state: an archive whose first root is the state's.
    ///   - file: the state's, for complaints.
    /// - Throws: where a message has no receipt, or the state lacks what it needs.
    public func make(
        name: String, description: String, state: Car, file: String, environment: Vector.Environment,
        variant: Vector.Variant, messages: [VectorMessage]
    ) throws(VectorMakeError) -> Made {
        guard let root = state.roots.first else { throw .input("\(file): has no root") }
        var blocks: [Cid: [UInt8]] = [:]
        for block in state.blocks { blocks[block.cid] = block.data }
        var vector = Vector(
            name: name, description: description, car: [], preStateRoot: root, environment: environment,
            variants: [variant], messages: messages)
        let outcome = runner.run(vector, variant, blocks)
        guard let results = outcome.report.postconditions else {
            let problem = outcome.report.problem ?? "the messages have no results"
            throw outcome.report.isLocalFailure ? .local("\(file): \(problem)") : .input("\(file): \(problem)")
        }
        let store = MemoryBlockstore(outcome.blocks)
        let manifest = Self.manifest(outcome.report.manifest, store)
        vector.postconditions = results
        let code = Set(manifest?.entries.map(\.code) ?? [])
        let needed = outcome.blocks.filter { cid, _ in
            (blocks[cid] == nil || outcome.asked.contains(cid)) && !code.contains(cid)
        }
        let roots = results.stateRoot == root ? [root] : [root, results.stateRoot]
        vector.car = Vector.archive(roots: roots, blocks: needed)
        do throws(BlockstoreError) {
            return Made(
                vector: vector, report: outcome.report,
                created: Self.created(root, results.stateRoot, manifest, store),
                state: try Car.reachable(from: results.stateRoot, in: store))
        } catch {
            throw .input("\(file): \(error)")
        }
    }

    private static func manifest(_ cid: Cid?, _ store: MemoryBlockstore) -> ActorManifest? {
        guard let cid, let data = store.blocks[cid] else { return nil }
        return try? ActorManifest(data: data)
    }

    /// Nothing where the state before does not have enough to compare.
    private static func created(
        _ before: Cid, _ after: Cid, _ manifest: ActorManifest?, _ store: MemoryBlockstore
    ) -> [CreatedActor] {
        let differences = (try? StateDifference.between(before, after, in: store)) ?? []
        return differences.compactMap { difference in
            guard difference.first == nil, let actor = difference.second else { return nil }
            let name = manifest?.entries.last { $0.code == actor.code }?.name
            return CreatedActor(
                id: difference.id, code: name ?? actor.code.text,
                address: actor.delegatedAddress ?? (name == "account" ? key(store.blocks[actor.state]) : nil))
        }
    }

    /// The state of an account is its key's address.
    private static func key(_ state: [UInt8]?) -> Address? {
        guard let state else { return nil }
        return try? { () throws(CborError) in
            var reader = CborReader(state)
            try reader.tuple(1)
            return try reader.address()
        }()
    }
}

/// Why no vector was made.
public enum VectorMakeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The state or a message is not what it should be.
    case input(String)
    /// A failure of this machine.
    case local(String)

    public var description: String {
        switch self {
        case .input(let text), .local(let text): text
        }
    }
}
