import Engine
import Foundation
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Replay

/// Walks the table of syscalls: in the vectors of each generation, recorded ones and the project's own, every one
/// succeeds, and gives every error number it is documented to give (FVM syscalls specification, "Error numbers per
/// syscall"). What no vector can show is shown elsewhere, and listed here with the reason.
@Suite struct SyscallCoverageTests {
    struct Generation: Sendable, CustomTestStringConvertible {
        var name: String
        /// Folders of golden vectors with their bundles.
        var recordings: [(directory: String, bundle: String)]
        /// Vectors of `Tests/Samples/syscalls`, whose scenarios say why each expected value is right.
        var own: [String]
        /// Error numbers by `module::name`.
        var errors: [String: Set<UInt32>]
        var testDescription: String { name }
    }

    /// The same in both generations.
    private static let common: [String: Set<UInt32>] = [
        "vm::exit": [], "vm::message_context": [1], "network::context": [1], "network::total_fil_circ_supply": [1],
        "self::current_balance": [1], "gas::available": [1], "debug::enabled": [1], "network::tipset_cid": [1, 12],
        "ipld::block_read": [1, 7], "ipld::block_stat": [1, 7], "ipld::block_link": [1, 7, 8, 12],
        "self::root": [1, 2, 12], "actor::resolve_address": [1, 6], "actor::balance_of": [1, 6],
        "actor::lookup_delegated_address": [1, 6, 12], "actor::get_actor_code_cid": [1, 6, 12],
        "actor::next_actor_address": [1, 12], "actor::get_code_cid_for_type": [1, 12],
        "actor::get_builtin_actor_type": [1], "actor::create_actor": [1, 11, 13],
        "crypto::compute_unsealed_sector_cid": [1, 12], "crypto::verify_signature": [1],
        "crypto::recover_secp_public_key": [1], "crypto::hash": [1], "crypto::verify_post": [1],
        "crypto::verify_consensus_fault": [1], "crypto::verify_aggregate_seals": [1],
        "crypto::verify_replica_update": [1], "crypto::batch_verify_seals": [1],
        "rand::get_chain_randomness": [1], "rand::get_beacon_randomness": [1], "gas::charge": [1],
        "send::send": [1, 3, 5, 6, 7, 13], "debug::log": [1], "debug::store_artifact": [1],
    ]

    static let generations = [
        Generation(
            name: "v3", recordings: [("nv18", "v10"), ("nv20", "v11")], own: ["refusals-v3", "debugging-v3"],
            errors: common.merging([
                "ipld::block_open": [1, 3, 9], "ipld::block_create": [1, 3, 9], "self::set_root": [1, 2, 13],
                "self::self_destruct": [1, 5, 6, 11, 13], "event::emit_event": [1, 9, 13],
            ]) { $1 }),
        Generation(
            name: "v4", recordings: [("nv21", "v12"), ("nv25", "v16"), ("nv28", "v18")],
            own: ["refusals-v4", "debugging-v4"],
            errors: common.merging([
                "ipld::block_open": [1, 3, 6, 9, 10], "ipld::block_create": [1, 3, 6, 9, 10],
                "self::set_root": [1, 2, 6, 13], "self::self_destruct": [2, 13], "event::emit_event": [1, 3, 9, 13],
                "crypto::verify_bls_aggregate": [1],
            ]) { $1 }),
    ]

    /// What no vector shows, by generation, and why: nothing can record a registry of 2^31 blocks (KernelTests fill a small
    /// one), a self-destruct that lacks the balance it has just read, or in v4 a CID of a foreign codec, which nothing
    /// makes reachable.
    static let unrecorded: [String: [String: Set<UInt32>]] = [
        "v3": ["ipld::block_open": [3], "self::self_destruct": [5]], "v4": ["ipld::block_open": [3, 9]],
    ]

    @Test(arguments: generations)
    func everySyscallSucceedsAndFailsInEachDocumentedWay(_ generation: Generation) throws {
        let outcomes = Outcomes()
        for (directory, name) in generation.recordings {
            guard let folder = sharedData("vectors/golden/\(directory)"), let bundle = try bundle(name) else { return }
            let vectors = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter {
                $0.hasPrefix("engine__") && $0.hasSuffix(".json")
            }
            let runner = try ReplayRunner(
                ReplayOptions(paths: vectors.map { "\(folder)/\($0)" }, jobs: 2),
                engine: WatchingEngine(interpreter(), outcomes), bundles: [bundle])
            #expect(try runner.run { _ in }.passed == vectors.count)
        }
        let own = generation.own.map { "\(packageRoot)/Tests/Samples/syscalls/vectors/\($0).json" }
        let runner = try ReplayRunner(
            ReplayOptions(paths: own), engine: WatchingEngine(interpreter(), outcomes), bundles: [])
        #expect(try runner.run { _ in }.passed == own.count)
        let seen = outcomes.all
        for (syscall, errors) in generation.errors.sorted(by: { $0.key < $1.key }) {
            let got = seen[syscall] ?? []
            #expect(got.contains(0), "\(syscall) never succeeds")
            let unrecorded = Self.unrecorded[generation.name]?[syscall] ?? []
            #expect(got.union(unrecorded).isSuperset(of: errors), "\(syscall) gives \(got.sorted())")
            #expect(got.isDisjoint(with: unrecorded), "\(syscall) gives \(got.sorted()): recorded after all")
            #expect(
                got.subtracting(errors) == [0], "\(syscall) gives \(got.sorted()), documented are \(errors.sorted())")
        }
        #expect(Set(seen.keys) == Set(generation.errors.keys))
    }
}

/// The results seen of each syscall; 0 is success.
private final class Outcomes: Sendable {
    private let state = Mutex<[String: Set<UInt32>]>([:])

    var all: [String: Set<UInt32>] { state.withLock { $0 } }

    func note(_ syscall: String, _ number: UInt32) {
        state.withLock { _ = $0[syscall, default: []].insert(number) }
    }
}

/// An engine whose guests' host calls are watched.
private final class WatchingEngine: ActorEngine {
    private let base: any ActorEngine
    private let outcomes: Outcomes

    init(_ base: any ActorEngine, _ outcomes: Outcomes) {
        self.base = base
        self.outcomes = outcomes
    }

    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        guard case .module(let module)? = try base.load(key: key, wasm: wasm) else {
            return try base.load(key: key, wasm: wasm)
        }
        return .module(WatchedModule(module, outcomes))
    }
}

private final class WatchedModule: ActorModule {
    private let base: any ActorModule
    private let outcomes: Outcomes
    private let titles: [String]
    var facts: ModuleFacts { base.facts }

    init(_ base: any ActorModule, _ outcomes: Outcomes) {
        self.base = base
        self.outcomes = outcomes
        titles = base.facts.importedFunctions.map {
            "\(String(decoding: $0.module, as: UTF8.self))::\(String(decoding: $0.name, as: UTF8.self))"
        }
    }

    func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        try base.makeInstance(handler: Watcher(handler, titles, outcomes), limiter: limiter)
    }
}

private final class Watcher: ImportHandler {
    private let base: any ImportHandler
    private let titles: [String]
    private let outcomes: Outcomes

    init(_ base: any ImportHandler, _ titles: [String], _ outcomes: Outcomes) {
        self.base = base
        self.titles = titles
        self.outcomes = outcomes
    }

    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
        let outcome = base.callImport(index, arguments: arguments, guest: &guest)
        switch outcome {
        case .result(let number): outcomes.note(titles[index], UInt32(truncatingIfNeeded: number))
        case .end:
            // The only success of vm::exit; any other syscall that ends an invocation gives no number.
            if titles[index] == "vm::exit" { outcomes.note(titles[index], 0) }
        }
        return outcome
    }
}
