import Bundle
import Crypto
import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree
import Testing
import WasmReference

@testable import Genesis

@Suite struct GenesisTests {
    private func blocks(of genesis: Genesis) throws -> MemoryBlockstore {
        MemoryBlockstore(
            Dictionary(try genesis.car(includingCode: false).blocks.map { ($0.cid, $0.data) }, uniquingKeysWith: { $1 })
        )
    }

    @Test(arguments: Era.all) func eachBundleMakesAStateOnItsNetworkVersion(_ era: Era) throws {
        guard let bundle = try bundle(era.bundle) else { return }
        let genesis = try Genesis(era.request, bundle: bundle, engine: ReferenceEngine.fvm())
        let names = genesis.actors.map { "f0\($0.id) \($0.code)" }
        #expect(
            names == [
                "f00 system", "f01 init", "f02 reward", "f03 cron", "f04 storagepower", "f05 storagemarket",
                "f06 verifiedregistry", "f07 datacap", "f010 eam", "f099 account", "f0100 account", "f0101 account",
                "f0102 placeholder", "f0103 multisig", "f0104 storageminer",
            ])
        let balances = Dictionary(uniqueKeysWithValues: genesis.actors.map { ($0.id, $0.balance.fil) })
        #expect(balances[0] == "0" && balances[2] == "1100000000" && balances[99] == "0")
        #expect(balances[100] == "1000" && balances[101] == "5" && balances[102] == "7" && balances[104] == "100")

        // Only the archive's blocks are needed to go on; every constructor has left its state there.
        let car = try genesis.car(includingCode: false)
        let tree = try StateTree(store: try blocks(of: genesis), root: genesis.root)
        for actor in genesis.actors where !["eam", "placeholder"].contains(actor.code) {
            let state = try #require(try tree.actor(actor.id))
            #expect(state.state != EmptyArray.cid, "\(actor)")
            #expect(car.blocks.contains { $0.cid == state.state }, "\(actor)")
        }
        #expect(try tree.resolve(Wallet.alice) == 100 && tree.resolve(Wallet.ether) == 102)
        #expect(try tree.actor(102)?.delegatedAddress == Wallet.ether)
        #expect(car.blocks.allSatisfy { $0.cid.codec != Cid.raw })
        let code = try genesis.car(includingCode: true).blocks.filter { $0.cid.codec == Cid.raw }
        #expect(Set(code.map(\.cid)) == Set(bundle.codes.map(\.cid)))
    }

    @Test func equalRequestsGiveEqualBytes() throws {
        guard let bundle = try bundle("v10") else { return }
        let era = Era.all[0]
        let first = try Genesis(era.request, bundle: bundle, engine: ReferenceEngine.fvm())
        let second = try Genesis(era.request, bundle: bundle, engine: ReferenceEngine.fvm())
        #expect(try first.car(includingCode: true).write() == second.car(includingCode: true).write())
        var other = era.request
        other.accounts[0].balance += TokenAmount(1)
        #expect(try Genesis(other, bundle: bundle, engine: ReferenceEngine.fvm()).root != first.root)
    }

    /// As they were on mainnet: cron calls power and market, the burnt funds account knows its address, and the system
    /// actor names the bundle's actors.
    @Test func statesWrittenByHandAndByConstructorsAreTheKnownOnes() throws {
        guard let bundle = try bundle("v10") else { return }
        var request = GenesisRequest(networkVersion: NetworkVersion(rawValue: 18))
        request.networkName = "mainnet"
        request.accounts = [.init(address: Wallet.alice, balance: .zero)]
        request.verifiedRoot = .account(Wallet.bob)
        let genesis = try Genesis(request, bundle: bundle, engine: ReferenceEngine.fvm())
        let store = try blocks(of: genesis)
        let tree = try StateTree(store: store, root: genesis.root)
        func state(_ id: UInt64) throws -> CborValue {
            let head = try #require(try tree.actor(id)).state
            return try CborValue(try #require(try store.get(head)))
        }
        #expect(try state(0) == .array([.link(bundle.manifestData)]))
        #expect(
            try state(3)
                == .array([
                    .array([
                        .array([.bytes(Address.id(4).bytes), .unsigned(5)]),
                        .array([.bytes(Address.id(5).bytes), .unsigned(9)]),
                    ])
                ]))
        #expect(try state(99) == .array([.bytes(Address.id(99).bytes)]))
        #expect(try state(100) == .array([.bytes(Wallet.alice.bytes)]))
        guard case .array(let initial) = try state(1) else { return #expect(Bool(false)) }
        // The root of the verified registry was made after the accounts.
        #expect(initial[1] == .unsigned(102) && initial[2] == .text("mainnet"))
        guard case .array(let registry) = try state(6) else { return #expect(Bool(false)) }
        #expect(registry[0] == .bytes(Address.id(101).bytes))
    }

    /// The state is one that chain messages run on.
    @Test(arguments: [Era.all[0], Era.all[5]]) func aPlaceholderSendsAndBecomesAnEthereumAccount(_ era: Era) throws {
        guard let bundle = try bundle(era.bundle) else { return }
        let genesis = try Genesis(era.request, bundle: bundle, engine: ReferenceEngine.fvm())
        let store = try blocks(of: genesis)
        for block in try genesis.car(includingCode: true).blocks { try store.put(block.cid, block.data) }
        let machine = try Machine(
            network: NetworkFacts(
                profile: try .forVersion(era.request.networkVersion), epoch: 1, timestamp: 30,
                baseFee: TokenAmount(100), circulatingSupply: .zero, chainID: 0),
            stateRoot: genesis.root, store: store, engine: ReferenceEngine.fvm(), externs: GenesisExterns())
        let result = try Executor(machine).apply(
            Message(
                to: Wallet.alice, from: Wallet.ether, nonce: 0, value: TokenAmount(3) * Wallet.fil,
                gasLimit: 10_000_000, feeCap: TokenAmount(200), premium: .zero, method: 0, params: []),
            kind: .explicit, chainLength: 150)
        #expect(result.receipt.exitCode == .ok)
        #expect(try machine.state.actor(102)?.code == machine.manifest.ethereumAccount)
        #expect(try machine.state.actor(100)?.balance == TokenAmount(1_003) * Wallet.fil)
    }
}

@Suite struct BadGenesisTests {
    private func error(
        _ version: UInt32, _ bundle: ActorBundle, _ change: (inout GenesisRequest) -> Void = { _ in },
        engine: any ActorEngine = ReferenceEngine.fvm()
    ) -> GenesisError? {
        var request = GenesisRequest(networkVersion: NetworkVersion(rawValue: version))
        change(&request)
        do {
            _ = try Genesis(request, bundle: bundle, engine: engine)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatCannotBeAskedForIsSaidBeforeAnythingRuns() throws {
        guard let bundle = try bundle("v10") else { return }
        let one = TokenAmount(1)
        func account(_ address: Address) -> GenesisRequest.Account { .init(address: address, balance: one) }
        // An engine without code: whatever ran would fail in another way.
        func error(_ version: UInt32, _ change: (inout GenesisRequest) -> Void = { _ in }) -> GenesisError? {
            self.error(version, bundle, change, engine: NoEngine())
        }
        #expect(error(17) == .unknownVersion("network version 17 is not known; known are 18 to 29"))
        #expect(error(18) { $0.accounts = [account(.id(100))] } == .notAnAccount(.id(100)))
        let contract = try Address.actor([UInt8](repeating: 1, count: 20))
        #expect(error(18) { $0.accounts = [account(contract)] } == .notAnAccount(contract))
        let short = try Address.delegated(namespace: 10, subaddress: [1])
        #expect(error(18) { $0.accounts = [account(short)] } == .notAnAccount(short))
        let foreign = try Address.delegated(namespace: 11, subaddress: [UInt8](repeating: 1, count: 20))
        #expect(error(18) { $0.accounts = [account(foreign)] } == .notAnAccount(foreign))
        #expect(
            error(18) { $0.accounts = [account(Wallet.alice), account(Wallet.bob), account(Wallet.alice)] }
                == .duplicate(Wallet.alice))
        #expect(
            error(18) { $0.miners = [.init(owner: Wallet.bob, worker: Wallet.alice)] } == .worker(Wallet.alice))
        #expect(error(18) { $0.verifiedRoot = .account(Wallet.ether) } == .notAnAccount(Wallet.ether))
    }

    @Test func noMoreIsGivenOutThanThereIs() throws {
        guard let bundle = try bundle("v10") else { return }
        let left = TokenAmount(900_000_000) * Wallet.fil
        let tooMuch = error(18, bundle) { request in
            request.accounts = [
                .init(address: Wallet.alice, balance: left), .init(address: Wallet.bob, balance: TokenAmount(1)),
            ]
        }
        #expect(tooMuch == .beyondSupply(asked: left + TokenAmount(1), left: left))
        #expect(error(18, bundle) { $0.accounts = [.init(address: Wallet.alice, balance: left)] } == nil)
    }

    @Test func aManifestWithoutAnActorIsNamed() throws {
        guard let whole = try bundle("v10") else { return }
        let partial = try bundle(whole) { $0.removeAll { $0.name == "cron" || $0.name == "datacap" } }
        #expect(error(18, partial) == .missingActors(["cron", "datacap"]))
        let multisigless = try bundle(whole) { $0.removeAll { $0.name == "multisig" } }
        #expect(error(18, multisigless) == nil)
        #expect(
            error(18, multisigless) { $0.verifiedRoot = .multisig([Wallet.alice], threshold: 1) }
                == .missingActors(["multisig"]))
    }

    @Test func aReleaseOfAnotherVersionDoesNotFit() throws {
        guard let bundle = try bundle("v11") else { return }
        #expect(
            error(18, bundle)
                == .otherVersion(
                    release: "v11.0.0 of mainnet", runs: [19, 20], NetworkVersion(rawValue: 18)))
        #expect(error(20, bundle) == nil)
    }

    /// Of a bundle that nobody released only the syscalls can be told.
    @Test func aBundleOfTheOtherGenerationDoesNotFit() throws {
        guard let v10 = try bundle("v10"), let v12 = try bundle("v12") else { return }
        let old = try bundle(v10) { $0.swapAt(0, 1) }
        let new = try bundle(v12) { $0.swapAt(0, 1) }
        #expect(error(19, old) == nil)
        for (version, bundle) in [(21 as UInt32, old), (18, new)] {
            guard case .unfit(_, NetworkVersion(rawValue: version), _)? = error(version, bundle) else {
                Issue.record("nv\(version): \(String(describing: error(version, bundle)))")
                continue
            }
        }
    }

    @Test func anActorThatFailsIsNamedWithItsExitCode() throws {
        guard let whole = try bundle("v10") else { return }
        // The account actor's code in the place of the reward actor's: it takes no such parameters.
        let account = try #require(whole.manifest.code(named: "account"))
        let wrong = try bundle(whole) { entries in
            for index in entries.indices where entries[index].name == "reward" { entries[index].code = account }
        }
        guard case .message("constructor of the reward actor f02", let code, _)? = error(18, wrong) else {
            Issue.record("\(String(describing: error(18, wrong)))")
            return
        }
        #expect(code == .usrIllegalArgument || code == .usrSerialization)
    }

    @Test func aFailureOfThisMachineIsNoFaultOfTheInput() throws {
        guard let bundle = try bundle("v10") else { return }
        #expect(error(18, bundle, engine: NoEngine())?.isLocal == true)
        #expect(error(18, bundle) { $0.accounts = [.init(address: .id(1), balance: .zero)] }?.isLocal == false)
    }
}

/// Has no code at all.
private final class NoEngine: ActorEngine {
    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        throw .compilation("worker was killed")
    }
}
