import Primitives

/// What an initial state is to contain.
public struct GenesisRequest: Sendable {
    /// Somebody who owns FIL.
    public struct Account: Sendable, Equatable {
        /// `f1` or `f3`, which becomes an account, or `f410`, which becomes a placeholder (an Ethereum account with its
        /// first message).
        public var address: Address
        public var balance: TokenAmount

        public init(address: Address, balance: TokenAmount) {
            self.address = address
            self.balance = balance
        }
    }

    /// A storage provider without sectors.
    public struct Miner: Sendable, Equatable {
        /// Who is paid and controls it.
        public var owner: Address
        /// Whose BLS key signs; the actor demands one.
        public var worker: Address
        /// What CreateMiner is sent with; from actors v18 on the power actor demands a deposit.
        public var deposit: TokenAmount

        public init(owner: Address, worker: Address, deposit: TokenAmount = .zero) {
            self.owner = owner
            self.worker = worker
            self.deposit = deposit
        }
    }

    /// Who may add verifiers to the verified registry.
    public enum VerifiedRoot: Sendable, Equatable {
        /// The system actor: implicit messages alone.
        case system
        /// An account.
        case account(Address)
        /// A multisig of these, `threshold` of whom have to approve.
        case multisig([Address], threshold: UInt64)
    }

    public var networkVersion: NetworkVersion
    /// What the init actor calls the network.
    public var networkName = "devnet"
    /// EIP-155 chain id that contracts see while the state is made.
    public var chainID: UInt64 = 0
    /// The epoch in which constructors run.
    public var epoch: Int64 = 0
    /// In the order that numbers them, from f0100 on.
    public var accounts: [Account] = []
    public var verifiedRoot = VerifiedRoot.system
    public var miners: [Miner] = []

    public init(networkVersion: NetworkVersion) { self.networkVersion = networkVersion }

    /// All FIL there will ever be (Filecoin specification, "token allocation").
    public static let totalSupply = TokenAmount(2_000_000_000) * TokenAmount.attoPerFil
    /// What of it the reward actor holds, to pay miners from.
    public static let rewardSupply = TokenAmount(1_100_000_000) * TokenAmount.attoPerFil
}

/// Why no initial state could be made.
public enum GenesisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There are no rules for this version.
    case unknownVersion(String)
    /// The bundle's manifest lacks actors that a state needs.
    case missingActors([String])
    /// The bundle is a release that networks of other versions run.
    case otherVersion(release: String, runs: [UInt32], NetworkVersion)
    /// An actor of the bundle cannot run at this network version.
    case unfit(actor: String, NetworkVersion, reason: String)
    /// The address can be no account's.
    case notAnAccount(Address)
    case duplicate(Address)
    /// More than what is left beside the reward actor's share.
    case beyondSupply(asked: TokenAmount, left: TokenAmount)
    /// The worker of a miner has no BLS key.
    case worker(Address)
    /// A message that makes a part of the state failed.
    case message(String, ExitCode, cause: String)
    /// A message left the state as it was.
    case unchanged(String)
    case state(String)
    /// A failure of this machine.
    case local(String)

    public var description: String {
        switch self {
        case .unknownVersion(let text), .state(let text), .local(let text): text
        case .missingActors(let names): "the bundle has no \(names.joined(separator: ", ")) actor"
        case .otherVersion(let release, let runs, let version):
            "the bundle is \(release), which belongs to network version \(runs.map(String.init).joined(separator: " and ")), "
                + "not \(version.rawValue)"
        case .unfit(let actor, let version, let reason):
            "the bundle does not belong to network version \(version.rawValue): \(actor) actor: \(reason)"
        case .notAnAccount(let address): "\(address) is no account's address, which is f1…, f3… or f410f…"
        case .duplicate(let address): "\(address) is given twice"
        case .beyondSupply(let asked, let left):
            "\(asked.fil) FIL are to be given out, \(left.fil) are left beside the reward actor's share"
        case .worker(let address): "\(address) cannot be a miner's worker, which has a BLS key (f3…)"
        case .message(let what, let code, let cause):
            "\(what): exit code \(code.rawValue)\(cause.isEmpty ? "" : ": ")\(cause)"
        case .unchanged(let what): "\(what): has made no state"
        }
    }

    /// Whether nothing is wrong with what was asked for.
    public var isLocal: Bool {
        if case .local = self { true } else { false }
    }
}
