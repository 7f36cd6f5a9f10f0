import BlockFiles
import Bundle
import Chain
import Crypto
import Engine
import GasSchedule
import Genesis
import IPLD
import Machine
import Primitives
import TestSupport
import Testing
import WasmReference

@testable import Tipsets

/// One interpreter for all tests: what it has translated once is there for the next.
let engine = ReferenceEngine.fvm()

/// A network version with the bundle that mainnet had then.
struct Era: Sendable, CustomStringConvertible {
    var version: UInt32
    var bundle: String
    var description: String { "nv\(version)" }
    var networkVersion: NetworkVersion { NetworkVersion(rawValue: version) }

    static let all = [
        Era(version: 18, bundle: "v10"), Era(version: 21, bundle: "v12"), Era(version: 25, bundle: "v16"),
        Era(version: 28, bundle: "v18"),
    ]
    static let newest = all[3]
}

enum Wallet {
    static let alice = try! Address.secp256k1([UInt8](repeating: 0xA1, count: 20))
    static let bob = try! Address.bls([UInt8](repeating: 0xB0, count: 48))
    static let ether = try! Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 0xE7, count: 20))
    /// Is in no state.
    static let nobody = try! Address.secp256k1([UInt8](repeating: 0x0B, count: 20))
    /// The ids that the accounts get.
    static let aliceID = Address.id(100)
    static let bobID = Address.id(101)
}

/// Messages whose gas price is above the tests' base fees.
func message(
    from: Address, to: Address, nonce: UInt64, value: UInt64 = 1_000, gasLimit: UInt64 = 10_000_000,
    feeCap: UInt64 = 300_000_000, premium: UInt64 = 1_000, method: UInt64 = 0, params: [UInt8] = []
) -> Message {
    Message(
        to: to, from: from, nonce: nonce, value: TokenAmount(value), gasLimit: gasLimit, feeCap: TokenAmount(feeCap),
        premium: TokenAmount(premium), method: method, params: params)
}

/// A contract that writes what it is told about its tipset into its storage: PREVRANDAO, TIMESTAMP, CHAINID, NUMBER,
/// BASEFEE, the hash of the block that its first word says is so far back, and, where the bundle has that precompile,
/// the beacon's randomness so far back as its second word says.
enum Recorder {
    private static let runtime = Hex.decode(
        "44600055" + "42600155" + "46600255" + "43600355" + "48600455" + "60003543034060055500"
    )!

    static func deploy(nonce: UInt64, beacon: Bool) -> Message {
        let code = beacon ? beaconRuntime : runtime
        let size = UInt8(code.count)
        let initCode: [UInt8] = [0x60, size, 0x60, 0x0C, 0x60, 0, 0x39, 0x60, size, 0x60, 0, 0xF3] + code
        return message(
            from: Wallet.ether, to: .id(10), nonce: nonce, value: 0, gasLimit: 500_000_000, method: 4,
            params: CborWriter.byteString(initCode))
    }

    static func call(_ contract: Address, nonce: UInt64, back: UInt8, beaconBack: UInt8 = 0) -> Message {
        let data = [UInt8](repeating: 0, count: 31) + [back] + [UInt8](repeating: 0, count: 31) + [beaconBack]
        return message(
            from: Wallet.ether, to: contract, nonce: nonce, value: 0, gasLimit: 500_000_000, method: 3_844_450_837,
            params: CborWriter.byteString(data))
    }

    private static let precompile = [0xFE] + [UInt8](repeating: 0, count: 18) + [6]
    private static let beaconRuntime: [UInt8] =
        Array(runtime.dropLast())
        + [0x60, 0x20, 0x35, 0x43, 0x03, 0x60, 0, 0x52]
        + [0x60, 0x20, 0x60, 0x20, 0x60, 0x20, 0x60, 0, 0x73] + precompile + [0x5A, 0xFA, 0x50]
        + [0x60, 0x20, 0x51, 0x60, 6, 0x55, 0]
}

/// A chain with everything that execution has to look at; made once for each version.
struct BusyChain: Sendable {
    var era: Era
    var network: ChainNetwork
    var blocks: [Cid: [UInt8]]
    var head: TipSet
    var miners: [Address]
    var contract: Address

    var store: MemoryBlockstore { MemoryBlockstore(blocks) }

    /// A maker that goes on from the head with a store of its own.
    func maker(_ store: MemoryBlockstore? = nil) -> ChainMaker {
        ChainMaker(head: head, network: network, rules: .lotus, engine: engine, store: store ?? self.store)
    }

    /// The tipset at a height, with what executing it needs.
    func execution(_ height: Int64, rules: NodeRules = .lotus) throws -> (TipSet, TipsetExecution, MemoryBlockstore) {
        let store = store
        let line = ChainLine(top: head, store: store)
        let link = try line.atOrBelow(height)
        return (
            try TipSet(key: link.key, from: store),
            TipsetExecution(network: network, rules: rules, line: line, engine: engine), store
        )
    }

    /// nil where the shared data is not there.
    static func of(_ era: Era) throws -> BusyChain? {
        switch made[era.version] {
        case .success(let chain)?: chain
        case .failure(let error)?: throw error
        case nil: nil
        }
    }

    private static let made: [UInt32: Result<BusyChain?, any Error>] = Dictionary(
        Era.all.map { era in (era.version, Result { try make(era) }) }
    ) { first, _ in first }

    /// Without a chain on it.
    static func genesis(_ era: Era, worker: Address = Wallet.bob) throws -> (
        TipSet, ChainNetwork, MemoryBlockstore, [Address]
    )? {
        guard let path = sharedData("bundles/builtin-actors-mainnet-\(era.bundle).car.zst") else { return nil }
        var request = GenesisRequest(networkVersion: era.networkVersion)
        let wealth = TokenAmount(1_000) * TokenAmount.attoPerFil
        request.accounts = [Wallet.alice, Wallet.bob, Wallet.ether].map { .init(address: $0, balance: wealth) }
        request.miners = (0..<3).map { _ in
            .init(owner: Wallet.alice, worker: worker, deposit: TokenAmount(100) * TokenAmount.attoPerFil)
        }
        let genesis = try Genesis(request, bundle: ActorBundle.open(path: path), engine: engine)
        let store = MemoryBlockstore()
        for block in try genesis.car(includingCode: true).blocks { try store.put(block.cid, block.data) }
        let network = ChainNetwork.local(era.networkVersion, name: "test", genesisTimestamp: 1_700_000_000)
        return (
            try ChainMaker.genesis(stateRoot: genesis.root, network: network, store: store), network, store,
            genesis.actors.filter { $0.code == "storageminer" }.map { .id($0.id) }
        )
    }

    /// Heights: 1 three blocks with duplicates; 2 an empty block; 3 and 4 null; 5 calls, failures, rejects; 6 null;
    /// 7 calls; 8 and 9 empty.
    private static func make(_ era: Era) throws -> BusyChain? {
        guard let (genesis, network, store, miners) = try genesis(era) else { return nil }
        let maker = ChainMaker(head: genesis, network: network, rules: .lotus, engine: engine, store: store)
        let transfer = message(from: Wallet.alice, to: Wallet.bob, nonce: 0)
        let beacon = era.version >= 25
        try maker.append([
            .init(miner: miners[0], messages: [Recorder.deploy(nonce: 0, beacon: beacon), transfer]),
            .init(
                miner: miners[1],
                messages: [
                    transfer, message(from: Wallet.alice, to: Wallet.bob, nonce: 1, premium: 2_000),
                    message(from: Wallet.bob, to: Wallet.alice, nonce: 0),
                    message(from: Wallet.alice, to: Wallet.bob, nonce: 5),
                    message(from: Wallet.bob, to: Wallet.alice, nonce: 7),
                ]),
            .init(miner: miners[2], winCount: 2, messages: [transfer]),
        ])
        let first = try maker.headOutcome()
        // EAM.CreateExternal returns [id, robust address, Ethereum address].
        guard
            let deployed = first.applied.first(where: { $0.message.to == .id(10) }),
            case .array(let fields)? = try? CborValue(deployed.result.receipt.returnData),
            case .unsigned(let id)? = fields.first
        else { throw TipsetError.state("no contract: \(first.applied.map(\.result.receipt))") }
        let contract = Address.id(id)
        try maker.append([.init(miner: miners[0])])
        try maker.append(
            [
                .init(miner: miners[1], messages: [Recorder.call(contract, nonce: 1, back: 2, beaconBack: 2)]),
                .init(miner: miners[2]),
                .init(
                    miner: miners[0],
                    messages: [
                        // Without the parameters it demands.
                        message(from: Wallet.bob, to: .id(2), nonce: 1, value: 0, method: 2),
                        message(from: Wallet.nobody, to: Wallet.bob, nonce: 0),
                        // Pays less than the base fee: the miner owes the rest.
                        message(from: Wallet.alice, to: Wallet.bob, nonce: 2, feeCap: 1_000, premium: 0),
                    ]),
            ], nullRounds: 2)
        try maker.append(
            [.init(miner: miners[0], messages: [Recorder.call(contract, nonce: 2, back: 1, beaconBack: 1)])],
            nullRounds: 1)
        try maker.append([.init(miner: miners[1])])
        try maker.append([.init(miner: miners[2])])
        return BusyChain(
            era: era, network: network, blocks: store.blocks, head: maker.head, miners: miners, contract: contract)
    }
}

/// An engine that has translated nothing yet.
enum FreshEngine {
    static func make() -> ReferenceEngine { ReferenceEngine.fvm() }
}

/// Notes what is asked for of another store, which it does not write to.
final class NotingStore: Blockstore {
    private let base: MemoryBlockstore
    private var written: [Cid: [UInt8]] = [:]
    private(set) var asked: Set<Cid> = []

    init(_ base: MemoryBlockstore) { self.base = base }

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        if let data = written[cid] { return data }
        asked.insert(cid)
        return try base.get(cid)
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { written[cid] = data }
}

/// Real chains of the shared data.
enum Archives {
    static func export40() throws -> Snapshot? {
        guard let path = sharedData("chain/mainnet-export40.car") else { return nil }
        let archive = try CarArchive(path: path, cache: "/tmp")
        return try Snapshot(roots: archive.roots, store: ArchiveBlockstore([archive]))
    }
}
