import Bundle
import CommandTable
import FVM
import Genesis
import IPLD
import JSON
import NativeEngine
import Primitives

/// `smelt genesis`: an initial state, made by the actors of a bundle.
enum GenesisCommand {
    /// The EIP-155 chain id of states made here, unless another is given.
    static let chainID: UInt64 = 31_415_926

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard let path = arguments.value("bundle"), let number = arguments.integer("network-version"),
            let output = arguments.value("output")
        else {
            throw CommandFailure(.usage, "genesis needs --bundle, --network-version and --output")
        }
        let request = try request(arguments, NetworkVersion(rawValue: UInt32(number)))
        if output != "-", let obstacle = Files.obstacle(at: output) { throw CommandFailure(.failure, obstacle) }
        let bundle = try BundleInput.open(path)
        let engine = NativeEngine(source: ActorObjects(pool: try WorkerSetup.pool(arguments)))
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        progress.update("constructors run; actors without an object are compiled first")
        let genesis: Genesis
        let car: Car
        do throws(GenesisError) {
            genesis = try Genesis(request, bundle: bundle, engine: engine)
            car = try genesis.car(includingCode: !arguments.has("no-code"))
        } catch {
            progress.finish()
            throw CommandFailure(error.isLocal ? .localFailure : .badInput, "\(path): \(error)")
        }
        progress.finish()
        guard output != "-" else {
            try Output.raw(car.write())
            return .success
        }
        try Files.write(car.write(), to: output)
        try Output.report(report(genesis, bundle, request), json: arguments.has("json"))
        return .success
    }

    private static func report(_ genesis: Genesis, _ bundle: ActorBundle, _ request: GenesisRequest) -> JSONValue {
        .object([
            "schema": .string("smelt.genesis/1"), "state_root": .string(genesis.root.text),
            "network_version": .integer(request.networkVersion.rawValue), "bundle": .string(bundle.root.text),
            "actors": .array(
                genesis.actors.map { actor in
                    .object([
                        "id": .string("f0\(actor.id)"), "code": .string(actor.code),
                        "address": actor.address.map { .string($0.text()) } ?? .null,
                        "ethereum": AddressText.ethereum(actor.address).map { .string($0) } ?? .null,
                        "fil": .string(actor.balance.fil),
                    ])
                }),
        ])
    }

    // MARK: Arguments

    private static func request(
        _ arguments: Parsed, _ version: NetworkVersion
    ) throws(CommandFailure) -> GenesisRequest {
        var request = GenesisRequest(networkVersion: version)
        if let name = arguments.value("network-name") { request.networkName = name }
        request.chainID = arguments.integer("chain-id") ?? chainID
        for text in arguments.all("account") {
            guard let (address, amount) = split(text) else {
                throw CommandFailure(.badInput, "--account '\(text)': ADDRESS=FIL is expected")
            }
            request.accounts.append(
                GenesisRequest.Account(address: try AddressText.parse(address), balance: try fil(amount)))
        }
        request.verifiedRoot = try verifiedRoot(arguments)
        for text in arguments.all("miner") { request.miners.append(try miner(text)) }
        return request
    }

    private static func verifiedRoot(_ arguments: Parsed) throws(CommandFailure) -> GenesisRequest.VerifiedRoot {
        var signers: [Address] = []
        for text in arguments.all("verified-signer") { signers.append(try AddressText.parse(text)) }
        if let root = arguments.value("verified-root") {
            guard signers.isEmpty else {
                throw CommandFailure(.usage, "--verified-root and --verified-signer exclude each other")
            }
            return .account(try AddressText.parse(root))
        }
        guard !signers.isEmpty else { return .system }
        return .multisig(signers, threshold: arguments.integer("verified-threshold") ?? 1)
    }

    /// `OWNER[,WORKER][=FIL]`
    private static func miner(_ text: String) throws(CommandFailure) -> GenesisRequest.Miner {
        let (keys, deposit) = split(text) ?? (text, "0")
        let parts = keys.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count) else {
            throw CommandFailure(.badInput, "--miner '\(text)': OWNER[,WORKER][=FIL] is expected")
        }
        return GenesisRequest.Miner(
            owner: try AddressText.parse(parts[0]), worker: try AddressText.parse(parts[parts.count - 1]),
            deposit: try fil(deposit))
    }

    private static func split(_ text: String) -> (String, String)? {
        guard let sign = text.lastIndex(of: "=") else { return nil }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }

    private static func fil(_ text: String) throws(CommandFailure) -> TokenAmount {
        do throws(TokenAmountError) { return try TokenAmount(fil: text) } catch {
            throw CommandFailure(.badInput, "'\(text)': \(error)")
        }
    }
}
