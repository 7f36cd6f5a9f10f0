import Kernel
import Primitives

/// What the chain keeps of an executed message (network versions 18 and up).
public struct Receipt: Sendable, Equatable {
    public var exitCode: ExitCode
    public var returnData: [UInt8]
    /// Whole gas.
    public var gasUsed: UInt64
    /// Root of the AMT of events; nil without events.
    public var eventsRoot: Cid?

    public init(exitCode: ExitCode, returnData: [UInt8] = [], gasUsed: UInt64, eventsRoot: Cid? = nil) {
        self.exitCode = exitCode
        self.returnData = returnData
        self.gasUsed = gasUsed
        self.eventsRoot = eventsRoot
    }
}

/// A message's receipt with everything else a node learns from executing it.
public struct ApplyResult: Sendable, Equatable {
    public var receipt: Receipt
    public var gas: GasOutputs
    /// In order of emission.
    public var events: [ActorEvent]
    /// Why it failed, for people; nil for exit code 0.
    public var failure: Backtrace?
    /// The codec of the return data's block; nil without one.
    public var returnCodec: UInt64?

    public init(
        receipt: Receipt, gas: GasOutputs, events: [ActorEvent] = [], failure: Backtrace? = nil,
        returnCodec: UInt64? = nil
    ) {
        self.receipt = receipt
        self.gas = gas
        self.events = events
        self.failure = failure
        self.returnCodec = returnCodec
    }
}

/// Why a message got no receipt at all.
public enum ApplyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The message cannot stand on chain, or the state cannot take it.
    case invalid(String)
    /// The state is none: a block is missing or malformed that every message with this sender or receiver needs.
    case state(String)
    /// A failure of this machine; nothing is known about the message.
    case local(String)

    public var description: String {
        switch self {
        case .invalid(let reason), .state(let reason): "message cannot be applied: \(reason)"
        case .local(let reason): "local failure, no receipt: \(reason)"
        }
    }
}
