import Engine
import IPLD
import Primitives
import StateTree

/// A block as it stands in a registry.
public struct Block: Sendable, Equatable {
    /// Multicodec number.
    public var codec: UInt64
    /// The block's bytes.
    public var data: [UInt8]
    /// Links found by the v4 scan; empty for v3.
    public var links: [Cid]

    public init(codec: UInt64, data: [UInt8], links: [Cid] = []) {
        self.codec = codec
        self.data = data
        self.links = links
    }
}

/// A completed call, whatever its exit code.
public struct CallOutcome: Sendable, Equatable {
    /// 0 is success.
    public var exitCode: ExitCode
    /// The return block, if any.
    public var block: Block?

    public init(exitCode: ExitCode, block: Block?) {
        self.exitCode = exitCode
        self.block = block
    }
}

/// A call that an actor or a message makes.
public struct CallRequest: Sendable {
    /// The caller's id.
    public var from: UInt64
    /// The receiver, not resolved yet.
    public var to: Address
    /// 0 moves value only.
    public var method: UInt64
    /// nil is handle 0.
    public var params: Block?
    /// attoFIL.
    public var value: TokenAmount
    /// Milligas; nil is no limit of its own.
    public var gasLimit: UInt64?
    /// Whether the callee may change state.
    public var readOnly: Bool

    public init(
        from: UInt64, to: Address, method: UInt64, params: Block?, value: TokenAmount, gasLimit: UInt64?,
        readOnly: Bool
    ) {
        self.from = from
        self.to = to
        self.method = method
        self.params = params
        self.value = value
        self.gasLimit = gasLimit
        self.readOnly = readOnly
    }
}

/// Facts of the message under execution.
public struct MessageFacts: Sendable {
    /// The sender's id.
    public var originID: UInt64
    /// The sender as written in the message.
    public var originAddress: Address
    /// The message's sequence number.
    public var nonce: UInt64
    /// max(0, min(premium, fee cap − base fee)).
    public var effectivePremium: TokenAmount

    public init(originID: UInt64, originAddress: Address, nonce: UInt64, effectivePremium: TokenAmount) {
        self.originID = originID
        self.originAddress = originAddress
        self.nonce = nonce
        self.effectivePremium = effectivePremium
    }
}

/// What a kernel asks of the machine around it. Every procedure makes the charges that
/// `RESOLVE`, `GET`, `SET`, `DELETE` and `TRANSFER` of the FVM state-access rules demand, before it acts.
public protocol CallManager: AnyObject {
    var gas: GasTracker { get }
    var message: MessageFacts { get }
    var network: NetworkFacts { get }
    var externs: any Externs { get }
    /// Where events go; nil when nobody listens.
    var trace: (any TraceSink)? { get }
    /// Code CIDs of the built-in actors in manifest order; type n is element n − 1.
    var builtinActors: [Cid] { get }

    func send(_ request: CallRequest) throws(ExecutionError) -> CallOutcome
    func resolve(_ address: Address) throws(ExecutionError) -> UInt64?
    func actor(_ id: UInt64) throws(ExecutionError) -> ActorState?
    func setActor(_ id: UInt64, _ state: ActorState) throws(ExecutionError)
    func deleteActor(_ id: UInt64) throws(ExecutionError)
    func transfer(from: UInt64, to: UInt64, value: TokenAmount) throws(ExecutionError)
    /// `actor::next_actor_address`: no charge, no side effect.
    func nextActorAddress() throws(ExecutionError) -> Address
    /// `actor::create_actor` behind its permission checks: GET, the placeholder rules, charge, SET, count + 1.
    func createActor(id: UInt64, code: Cid, delegatedAddress: Address?) throws(ExecutionError)
    /// nil when the store does not have it.
    func readBlock(_ cid: Cid) throws(ExecutionError) -> [UInt8]?
    func writeBlock(_ cid: Cid, _ data: [UInt8]) throws(ExecutionError)
    func emit(_ event: ActorEvent)
    /// The code CID of the placeholder actor.
    var placeholderCode: Cid { get }
    /// Who may end the message; nil is nobody.
    var interruption: Interruption? { get }
}

extension CallManager {
    /// Nobody ends the message.
    public var interruption: Interruption? { nil }
}
