import Bundle
import Crypto
import Engine
import GasSchedule
import Genesis
import IPLD
import Metering
import Primitives
import TestSupport
import WasmFormat
import WasmReference

/// A bundle of the shared data, or nil.
func bundle(_ version: String) throws -> ActorBundle? {
    guard let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst") else { return nil }
    return try ActorBundle.open(path: path)
}

/// The bundle's archive with another manifest, which names what `change` leaves.
func bundle(_ bundle: ActorBundle, changed change: (inout [ActorManifest.Entry]) -> Void) throws -> ActorBundle {
    var entries = bundle.manifest.entries
    change(&entries)
    var data = CborWriter()
    data.array(entries.count)
    for entry in entries {
        data.array(2)
        data.text(entry.name)
        data.link(entry.code)
    }
    let dataCid = Cid.blake2b256(codec: Cid.dagCbor, data: data.bytes)
    var root = CborWriter()
    root.array(2)
    root.unsigned(ActorManifest.version)
    root.link(dataCid)
    let rootCid = Cid.blake2b256(codec: Cid.dagCbor, data: root.bytes)
    var blocks = bundle.blocks.map { Car.Block(cid: $0.key, data: $0.value) }
    blocks += [Car.Block(cid: dataCid, data: data.bytes), Car.Block(cid: rootCid, data: root.bytes)]
    return try ActorBundle(bytes: Car(roots: [rootCid], blocks: blocks).write())
}

enum Wallet {
    static let alice = try! Address.secp256k1([UInt8](repeating: 0xA1, count: 20))
    static let bob = try! Address.bls([UInt8](repeating: 0xB0, count: 48))
    static let ether = try! Address.delegated(namespace: 10, subaddress: [UInt8](repeating: 0xE7, count: 20))

    static let fil = TokenAmount.attoPerFil
}

/// A network version with the bundle that mainnet had then.
struct Era: Sendable, CustomStringConvertible {
    var version: UInt32
    var bundle: String
    var description: String { "nv\(version)" }

    static let all = [
        Era(version: 18, bundle: "v10"), Era(version: 19, bundle: "v11"), Era(version: 21, bundle: "v12"),
        Era(version: 23, bundle: "v14"), Era(version: 25, bundle: "v16"), Era(version: 28, bundle: "v18"),
    ]

    /// Two accounts, an Ethereum address, a multisig as the verified registry's root and a miner.
    var request: GenesisRequest {
        var request = GenesisRequest(networkVersion: NetworkVersion(rawValue: version))
        request.accounts = [
            .init(address: Wallet.alice, balance: TokenAmount(1_000) * Wallet.fil),
            .init(address: Wallet.bob, balance: TokenAmount(5) * Wallet.fil),
            .init(address: Wallet.ether, balance: TokenAmount(7) * Wallet.fil),
        ]
        request.verifiedRoot = .multisig([Wallet.alice, Wallet.bob], threshold: 2)
        request.miners = [.init(owner: Wallet.alice, worker: Wallet.bob, deposit: TokenAmount(100) * Wallet.fil)]
        return request
    }
}
