import Engine
import Foundation
import GasSchedule
import Primitives
import Synchronization
import TestSupport
import Testing
import WasmReference

@testable import Replay

/// Walks the table of syscalls: in the vectors of each generation, recorded ones and the project's own, every one
/// succeeds, and gives every error number it is documented to give (FVM syscalls specification, "Error numbers per
/// syscall"), except those listed here with the reason why nothing brings them about.
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

    /// An error number that is documented and that no message can bring about.
    struct Impossible: Sendable, CustomTestStringConvertible {
        var generation: String
        var syscall: String
        var number: UInt32
        /// Why, and the file and function of ref-fvm it is read from.
        var reason: String
        var source: String
        /// The test that shows what the number stands for on a part alone: file below Tests, function.
        var shownBy: (file: String, function: String)
        /// Whether the reason is true of the rules of these network versions.
        var holds: @Sendable (NetworkProfile) -> Bool
        var testDescription: String { "\(generation) \(syscall) \(number)" }
    }

    /// Gas of all messages of one block (Lotus, build/buildconstants/params_shared_vals.go, BlockGasLimit).
    private static let blockGasLimit: UInt64 = 10_000_000_000

    /// Blocks cost at least their syscall each, and the registry is looked at when one comes in.
    private static func fillingARegistryCostsMoreThanABlock(_ profile: NetworkProfile) -> Bool {
        let prices = PriceList.named(profile.priceList)
        let cheapest = prices.onSyscall().total.addingSaturating(prices.onBlockCreate(size: 0, links: 0).total)
        return cheapest.multipliedSaturating(by: UInt64(profile.limits.registryBlocks))
            > Milligas.fromGas(blockGasLimit)
    }

    static let impossible =
        ["v3", "v4"].map { generation in
            Impossible(
                generation: generation, syscall: "ipld::block_open", number: 3,
                reason: "2^31 − 1 blocks are more than the gas of a block pays for, even empty ones",
                source: "fvm/src/kernel/blocks.rs, is_full and MAX_BLOCKS; fvm/src/gas/price_list.rs, on_syscall",
                shownBy: ("KernelTests/IpldTests.swift", "aFullRegistryTakesNothing"),
                holds: fillingARegistryCostsMoreThanABlock)
        } + [
            Impossible(
                generation: "v3", syscall: "self::self_destruct", number: 5,
                reason:
                    "the amount to transfer is the actor's whole balance, read with nothing between that changes it",
                source: "fvm/src/kernel/default.rs (3.14), self_destruct; fvm/src/call_manager/default.rs, transfer",
                shownBy: ("KernelTests/ActorSyscallTests.swift", "selfDestructMovesTheBalanceThenDeletes"),
                holds: { _ in true })
        ]

    @Test(arguments: impossible) func whatNoMessageBringsAboutHasAReason(_ row: Impossible) throws {
        let generation = try #require(Self.generations.first { $0.name == row.generation })
        #expect(generation.errors[row.syscall]?.contains(row.number) == true, "not documented")
        #expect(!row.reason.isEmpty && row.source.hasPrefix("fvm/src/"))
        let profiles = NetworkProfile.table.filter { "\($0.syscalls)" == row.generation }
        #expect(!profiles.isEmpty && profiles.allSatisfy(row.holds))
        let tests = try String(contentsOfFile: "\(packageRoot)/Tests/\(row.shownBy.file)", encoding: .utf8)
        #expect(tests.contains("@Test func \(row.shownBy.function)()"))
    }

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
                engine: WatchingEngine(ReferenceEngine.fvm(), outcomes), bundles: [bundle])
            #expect(try runner.run { _ in }.passed == vectors.count)
        }
        let own = generation.own.map { "\(packageRoot)/Tests/Samples/syscalls/vectors/\($0).json" }
        let runner = try ReplayRunner(
            ReplayOptions(paths: own), engine: WatchingEngine(ReferenceEngine.fvm(), outcomes), bundles: [])
        #expect(try runner.run { _ in }.passed == own.count)
        let seen = outcomes.all
        for (syscall, errors) in generation.errors.sorted(by: { $0.key < $1.key }) {
            let got = seen[syscall] ?? []
            #expect(got.contains(0), "\(syscall) never succeeds")
            let impossible = Set(
                Self.impossible.filter { $0.generation == generation.name && $0.syscall == syscall }.map(\.number))
            #expect(
                got.subtracting([0]) == errors.subtracting(impossible),
                "\(syscall) gives \(got.sorted()), documented are \(errors.sorted()), impossible \(impossible.sorted())"
            )
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
