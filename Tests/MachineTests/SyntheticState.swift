import Crypto
import Engine
import GasSchedule
import IPLD
import Kernel
import Primitives
import StateTree

@testable import Machine

/// A small state without any real actor code: what the machine needs, a few accounts and a placeholder.
final class SyntheticState {
    let store = MemoryBlockstore()
    private(set) var root = EmptyArray.cid

    static let senderAddress = try! Address.secp256k1([UInt8](repeating: 1, count: 20))
    static let sender: UInt64 = 100
    static let receiver: UInt64 = 101
    static let placeholder: UInt64 = 102
    static let placeholderAddress = try! Address.delegated(
        namespace: 10, subaddress: [UInt8](repeating: 2, count: 20))
    static let fortune = TokenAmount(1_000_000_000_000_000_000)

    static func code(_ name: String) -> Cid { .blake2b256(codec: Cid.raw, data: Array(name.utf8)) }

    init(manifestNames: [String] = ["system", "init", "account", "placeholder", "eam", "ethaccount"]) throws {
        store.keep(EmptyArray.block)
        let infoRoot = EmptyArray.cid
        let actors = Hamt(store: store, bitWidth: 5)
        var manifest = CborWriter()
        manifest.array(manifestNames.count)
        for name in manifestNames {
            manifest.array(2)
            manifest.text(name)
            manifest.link(Self.code(name))
        }
        var system = CborWriter()
        system.array(1)
        system.link(store.keep(manifest.bytes))

        let addresses = Hamt(store: store, bitWidth: 5)
        for (address, id) in [(Self.senderAddress, Self.sender), (Self.placeholderAddress, Self.placeholder)] {
            var value = CborWriter()
            value.unsigned(id)
            try addresses.set(address.bytes, value.bytes)
        }
        var initState = CborWriter()
        initState.array(3)
        initState.link(try addresses.flush())
        initState.unsigned(UInt64(1000))
        initState.text("test")

        func add(
            _ id: UInt64, _ name: String, state: Cid = EmptyArray.cid, balance: TokenAmount = .zero,
            delegated: Address? = nil
        ) throws {
            let actor = ActorState(
                code: Self.code(name), state: state, sequence: 0, balance: balance, delegatedAddress: delegated)
            try actors.set(Address.id(id).bytes, try actor.encoded())
        }
        try add(0, "system", state: store.keep(system.bytes))
        try add(1, "init", state: store.keep(initState.bytes))
        try add(2, "reward")
        try add(99, "account")
        try add(Self.sender, "account", balance: Self.fortune)
        try add(Self.receiver, "account")
        try add(Self.placeholder, "placeholder", balance: Self.fortune, delegated: Self.placeholderAddress)
        var state = CborWriter()
        state.array(3)
        state.unsigned(UInt64(5))
        state.link(try actors.flush())
        state.link(infoRoot)
        root = store.keep(state.bytes)
    }

    func machine(
        engine: any ActorEngine = NoEngine(), baseFee: UInt64 = 100, network version: UInt32 = 18,
        trace: (any TraceSink)? = nil
    ) throws -> Machine {
        try Machine(
            network: NetworkFacts(
                profile: try NetworkProfile.forVersion(NetworkVersion(rawValue: version)), epoch: 1, timestamp: 30,
                baseFee: TokenAmount(baseFee), circulatingSupply: .zero, chainID: 0),
            stateRoot: root, store: store, engine: engine, externs: SilentExterns(), trace: trace)
    }
}

extension MemoryBlockstore {
    @discardableResult
    func keep(_ block: [UInt8]) -> Cid {
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: block)
        try! put(cid, block)
        return cid
    }
}

/// Keeps all events, which only a test may.
final class TraceRecording: TraceSink {
    private(set) var events: [TraceEvent] = []

    func record(_ event: TraceEvent) { events.append(event) }
}

/// Has no code at all.
final class NoEngine: ActorEngine {
    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? { nil }
}

/// Fails as a machine fails: disk full, worker killed.
final class BrokenEngine: ActorEngine {
    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        throw .compilation("worker was killed")
    }
}

/// Has all code there is, so that a machine that asks for some that it should not have is found out.
final class EagerEngine: ActorEngine, @unchecked Sendable {
    // One test's, on one thread.
    private(set) var asked: [[UInt8]] = []

    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        asked.append(key)
        throw .artifact("this engine runs nothing")
    }
}

/// Refuses all code.
final class RefusingEngine: ActorEngine {
    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        .refused("validate: function 12 at 0x4f1: stack underflow")
    }
}

final class SilentExterns: Externs {
    let proofs: any ProofSyscalls = ConformanceProofs()

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { throw .refused("none") }
    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { throw .refused("none") }
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid { throw .refused("none") }
    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { nil }
}
