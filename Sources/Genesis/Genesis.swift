import Bundle
import Engine
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import StateTree

/// An initial state: what Lotus writes down in its genesis (`chain/gen/genesis`), made by the actors themselves.
public struct Genesis {
    /// An actor of the state.
    public struct Actor: Sendable, Equatable {
        public var id: UInt64
        /// The name of its code in the manifest.
        public var code: String
        /// Its address besides the id; nil for built-in ones.
        public var address: Address?
        public var balance: TokenAmount
    }

    public let root: Cid
    /// Ascending by id.
    public let actors: [Actor]
    /// The bundle's blocks, the state's, and what was written on the way.
    private let store: MemoryBlockstore

    /// Makes the state.
    ///
    /// Each built-in actor is placed with an empty state, and its constructor is called by an implicit message of the
    /// system actor. Written down by hand is what no constructor can give: the list of actors in the system actor's
    /// state, which its constructor leaves empty, the burnt funds account f099, whose constructor takes no id address,
    /// and the reward actor's balance. Accounts are made as on chain, by sending FIL to their addresses.
    public init(
        _ request: GenesisRequest, bundle: ActorBundle, engine: any ActorEngine
    ) throws(GenesisError) {
        let profile: NetworkProfile
        do throws(NetworkProfileError) { profile = try .forVersion(request.networkVersion) } catch {
            throw .unknownVersion(error.description)
        }
        try Self.check(request)
        try BundleFit.check(bundle, profile, needed: Self.needed(for: request))
        let construction = try Construction(request, profile, bundle, engine)
        do throws(StateError) {
            root = try construction.machine.flush()
            var actors: [Actor] = []
            for (id, address) in construction.made.sorted(by: { $0.key < $1.key }) {
                guard let actor = try construction.machine.state.actor(id) else { continue }
                actors.append(
                    Actor(
                        id: id, code: construction.machine.manifest.name(of: actor.code) ?? actor.code.text,
                        address: address, balance: actor.balance))
            }
            self.actors = actors
        } catch {
            throw GenesisError(error)
        }
        store = construction.store
    }

    /// The state as an archive: its blocks and nothing else, with or without the code of the bundle's actors.
    public func car(includingCode: Bool) throws(GenesisError) -> Car {
        do throws(BlockstoreError) {
            return try Car.reachable(from: root, in: store, includesRaw: { _ in includingCode })
        } catch {
            throw .state(error.description)
        }
    }

    private static func needed(for request: GenesisRequest) -> [String] {
        var needed = BuiltinConstructors.needed
        if case .multisig = request.verifiedRoot { needed.append("multisig") }
        if !request.miners.isEmpty { needed.append("storageminer") }
        return needed
    }

    /// What can be said without running anything.
    private static func check(_ request: GenesisRequest) throws(GenesisError) {
        var seen: Set<Address> = []
        var sum = TokenAmount.zero
        for account in request.accounts {
            guard seen.insert(account.address).inserted else { throw .duplicate(account.address) }
            guard isAccount(account.address) else { throw .notAnAccount(account.address) }
            sum += account.balance
        }
        for miner in request.miners {
            guard miner.worker.addressProtocol == .bls else { throw .worker(miner.worker) }
            guard isAccount(miner.owner) else { throw .notAnAccount(miner.owner) }
            sum += miner.deposit
        }
        let root: [Address] =
            switch request.verifiedRoot {
            case .system: []
            case .account(let address): [address]
            case .multisig(let signers, _): signers
            }
        for address in root where !isKey(address) { throw .notAnAccount(address) }
        let left = GenesisRequest.totalSupply - GenesisRequest.rewardSupply
        guard sum <= left else { throw .beyondSupply(asked: sum, left: left) }
    }

    private static func isKey(_ address: Address) -> Bool {
        address.addressProtocol == .secp256k1 || address.addressProtocol == .bls
    }

    private static func isAccount(_ address: Address) -> Bool {
        guard case .delegated(Singleton.ethereumAddressManager, let subaddress) = address.payload else {
            return isKey(address)
        }
        return subaddress.count == Address.hashLength
    }
}

extension GenesisError {
    init(_ error: StateError) { self = error.isLocal ? .local(error.description) : .state(error.description) }
}

/// A state in the making.
private final class Construction {
    let store: MemoryBlockstore
    let machine: Machine
    /// Ids of the actors, with the addresses of those that have one.
    private(set) var made: [UInt64: Address?]
    private let executor: Executor
    /// Messages so far: part of the addresses that actors get, so no two may be alike.
    private var nonce: UInt64 = 0

    /// Enough for every constructor, and far below what would overflow.
    private static let gasLimit: UInt64 = 1 << 50

    init(
        _ request: GenesisRequest, _ profile: NetworkProfile, _ bundle: ActorBundle, _ engine: any ActorEngine
    ) throws(GenesisError) {
        let first = BuiltinConstructors.first(networkName: request.networkName)
        let second = BuiltinConstructors.second(root: .id(Singleton.system))
        let gifts = request.accounts.map(\.balance) + request.miners.map(\.deposit)
        let funds = gifts.reduce(.zero, +)
        // The bundle's blocks are the base: the manifest's data is part of the state, code is read from there.
        let store = MemoryBlockstore(bundle.blocks)
        var placed: [UInt64: Address?] = [:]
        let systemState: Cid
        do throws(StateError) {
            systemState = try store.putState(BuiltinConstructors.tuple { $0.link(bundle.manifestData) })
            let tree = try StateTree(store: store, root: try StateTree.makeEmpty(in: store))
            func place(_ id: UInt64, _ name: String, state: Cid = EmptyArray.cid, balance: TokenAmount = .zero) {
                guard let code = bundle.manifest.code(named: name) else { return }
                tree.setActor(
                    id,
                    ActorState(code: code, state: state, sequence: 0, balance: balance, delegatedAddress: nil))
                placed[id] = .some(nil)
            }
            for row in first + second { place(row.id, row.name) }
            // All that will be given out is the system actor's until then.
            place(Singleton.system, "system", state: systemState, balance: funds)
            place(Singleton.reward, "reward", balance: GenesisRequest.rewardSupply)
            let burntFunds = BuiltinConstructors.tuple { $0.byteString(Address.id(Singleton.burntFunds).bytes) }
            place(Singleton.burntFunds, "account", state: try store.putState(burntFunds))
            machine = try Machine(
                network: NetworkFacts(
                    profile: profile, epoch: request.epoch, timestamp: 0, baseFee: .zero, circulatingSupply: funds,
                    chainID: request.chainID),
                stateRoot: try tree.flush(), store: store, engine: engine, externs: GenesisExterns())
        } catch {
            throw GenesisError(error)
        }
        self.store = store
        made = placed
        executor = Executor(machine)

        // The machine has read the list of actors; their constructors, the system actor's too, begin with nothing.
        try setSystemState(EmptyArray.cid)
        for row in first { try construct(row) }
        // The system actor's constructor has put an empty list there.
        try setSystemState(systemState)
        for account in request.accounts { try makeAccount(account) }
        for row in BuiltinConstructors.second(root: try makeRoot(request, bundle)) { try construct(row) }
        for miner in request.miners { try makeMiner(miner) }
    }

    // MARK: Parts of the state

    private func construct(_ row: BuiltinConstructors.Row) throws(GenesisError) {
        let what = "constructor of the \(row.name) actor f0\(row.id)"
        _ = try apply(what, to: .id(row.id), method: Method.constructor, params: row.params)
        if row.hasState { try requireState(row.id, what) }
    }

    private func makeAccount(_ account: GenesisRequest.Account) throws(GenesisError) {
        let what = "account \(account.address)"
        _ = try apply(what, to: account.address, value: account.balance)
        guard let id = try id(of: account.address) else { throw .unchanged(what) }
        made[id] = account.address
        // The machine goes on when the constructor of such an account fails.
        if account.address.addressProtocol != .delegated { try requireState(id, what) }
    }

    private func makeRoot(_ request: GenesisRequest, _ bundle: ActorBundle) throws(GenesisError) -> Address {
        switch request.verifiedRoot {
        case .system:
            return .id(Singleton.system)
        case .account(let address):
            if try id(of: address) == nil {
                try makeAccount(GenesisRequest.Account(address: address, balance: .zero))
            }
            return address
        case .multisig(let signers, let threshold):
            guard let code = bundle.manifest.code(named: "multisig") else { throw .missingActors(["multisig"]) }
            for signer in signers where try id(of: signer) == nil {
                try makeAccount(GenesisRequest.Account(address: signer, balance: .zero))
            }
            let params = BuiltinConstructors.multisig(code: code, signers: signers, threshold: threshold)
            let result = try apply(
                "multisig of the verified registry's root", to: .id(Singleton.initActor), method: Method.exec,
                params: params)
            return try created(result.receipt.returnData)
        }
    }

    private func makeMiner(_ miner: GenesisRequest.Miner) throws(GenesisError) {
        for address in [miner.owner, miner.worker] where try id(of: address) == nil {
            try makeAccount(GenesisRequest.Account(address: address, balance: .zero))
        }
        let proofs = BuiltinConstructors.windowPoStProofs
        for (index, proof) in proofs.enumerated() {
            do throws(GenesisError) {
                let result = try apply(
                    "CreateMiner for \(miner.owner)", to: .id(BuiltinConstructors.power), value: miner.deposit,
                    method: Method.createMiner, params: BuiltinConstructors.miner(miner, proofType: proof))
                _ = try created(result.receipt.returnData)
                return
            } catch .message(_, .usrIllegalArgument, _) where index + 1 < proofs.count {
                // These actors do not know the proof.
            }
        }
    }

    /// Notes an actor that Init.Exec or CreateMiner made; both return its id and its robust address.
    private func created(_ returned: [UInt8]) throws(GenesisError) -> Address {
        do throws(CborError) {
            var reader = CborReader(returned)
            try reader.tuple(2)
            let address = try reader.address()
            if let id = address.id { made[id] = try reader.address() }
            return address
        } catch {
            throw .state("what the new actor's creator returned: \(error)")
        }
    }

    // MARK: Messages and state

    private func setSystemState(_ head: Cid) throws(GenesisError) {
        try onState { (state) throws(StateError) in
            guard var system = try state.actor(Singleton.system) else { return }
            system.state = head
            state.setActor(Singleton.system, system)
        }
    }

    private func apply(
        _ what: String, to: Address, value: TokenAmount = .zero, method: UInt64 = Method.send, params: [UInt8] = []
    ) throws(GenesisError) -> ApplyResult {
        let message = Message(
            to: to, from: .id(Singleton.system), nonce: nonce, value: value, gasLimit: Self.gasLimit, feeCap: .zero,
            premium: .zero, method: method, params: params)
        nonce += 1
        let result: ApplyResult
        do throws(ApplyError) {
            result = try executor.apply(message, kind: .implicit, chainLength: 0)
        } catch {
            if case .local(let reason) = error { throw .local("\(what): \(reason)") }
            throw .state("\(what): \(error)")
        }
        guard result.receipt.exitCode == .ok else {
            throw .message(what, result.receipt.exitCode, cause: result.failure?.description ?? "")
        }
        return result
    }

    private func requireState(_ id: UInt64, _ what: String) throws(GenesisError) {
        let head = try onState { (state) throws(StateError) in try state.actor(id)?.state }
        guard let head, head != EmptyArray.cid else { throw .unchanged(what) }
    }

    private func id(of address: Address) throws(GenesisError) -> UInt64? {
        try onState { (state) throws(StateError) in try state.resolve(address) }
    }

    private func onState<R>(_ body: (StateTree) throws(StateError) -> R) throws(GenesisError) -> R {
        do throws(StateError) { return try body(machine.state) } catch { throw GenesisError(error) }
    }
}
