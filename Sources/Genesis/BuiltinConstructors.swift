import IPLD
import Primitives
import StateTree

/// The built-in actors with ids of their own, and what their constructors are called with (builtin-actors v10 to v18:
/// `ConstructorParams` of each actor).
enum BuiltinConstructors {
    /// One actor.
    struct Row {
        var id: UInt64
        /// As manifests name it.
        var name: String
        /// In CBOR; empty for none.
        var params: [UInt8] = []
        /// Whether its state is more than an empty array.
        var hasState = true
    }

    static let cron: UInt64 = 3
    static let power: UInt64 = 4
    static let market: UInt64 = 5
    static let verifiedRegistry: UInt64 = 6
    static let datacap: UInt64 = 7

    /// Power's OnEpochTickEnd and the market's CronTick: what runs after the messages of each epoch.
    private static let cronEntries: [(receiver: UInt64, method: UInt64)] = [(power, 5), (market, 9)]

    /// Those that need nothing of the others, in the order in which they are made.
    static func first(networkName: String) -> [Row] {
        [
            Row(id: Singleton.system, name: "system"),
            Row(id: Singleton.initActor, name: "init", params: tuple { $0.text(networkName) }),
            // No power has been proved.
            Row(id: Singleton.reward, name: "reward", params: CborWriter.byteString([])),
            Row(id: cron, name: "cron", params: cronParams),
            Row(id: power, name: "storagepower"),
            Row(id: market, name: "storagemarket"),
        ]
    }

    /// Those that come after the accounts, one of which may be `root`.
    static func second(root: Address) -> [Row] {
        [
            Row(id: verifiedRegistry, name: "verifiedregistry", params: CborWriter.byteString(root.bytes)),
            Row(
                id: datacap, name: "datacap", params: CborWriter.byteString(Address.id(verifiedRegistry).bytes)),
            Row(id: Singleton.ethereumAddressManager, name: "eam", hasState: false),
        ]
    }

    /// What every manifest must name.
    static let needed =
        (first(networkName: "") + second(root: .id(0))).map(\.name) + ["account", "placeholder", "evm", "ethaccount"]

    private static var cronParams: [UInt8] {
        tuple { writer in
            writer.array(cronEntries.count)
            for entry in cronEntries {
                writer.array(2)
                writer.byteString(Address.id(entry.receiver).bytes)
                writer.unsigned(entry.method)
            }
        }
    }

    /// An array of the one item that `body` writes.
    static func tuple(_ body: (inout CborWriter) -> Void) -> [UInt8] {
        var writer = CborWriter()
        writer.array(1)
        body(&writer)
        return writer.bytes
    }

    /// Parameters of Init.Exec that make a multisig of `signers`; nothing vests.
    static func multisig(code: Cid, signers: [Address], threshold: UInt64) -> [UInt8] {
        var constructor = CborWriter()
        constructor.array(4)
        constructor.array(signers.count)
        for signer in signers { constructor.byteString(signer.bytes) }
        constructor.unsigned(threshold)
        constructor.unsigned(UInt64(0))
        constructor.unsigned(UInt64(0))
        var exec = CborWriter()
        exec.array(2)
        exec.link(code)
        exec.byteString(constructor.bytes)
        return exec.bytes
    }

    /// Parameters of the power actor's CreateMiner: no peer id, no addresses in the network yet.
    static func miner(_ miner: GenesisRequest.Miner, proofType: UInt64) -> [UInt8] {
        var writer = CborWriter()
        writer.array(5)
        writer.byteString(miner.owner.bytes)
        writer.byteString(miner.worker.bytes)
        writer.unsigned(proofType)
        writer.byteString([])
        writer.array(0)
        return writer.bytes
    }

    /// Window PoSt proofs for sectors of 32 GiB, the newest first: V1P1, and V1, which actors v10 alone know.
    static let windowPoStProofs: [UInt64] = [13, 8]
}

extension Method {
    /// Init.Exec.
    static let exec: UInt64 = 2
    /// Power's CreateMiner.
    static let createMiner: UInt64 = 2
}
