import GasSchedule
import Primitives
import StateTree

/// An event of an execution trace, in the order in which things happened.
public enum TraceEvent: Sendable, Equatable {
    /// A gas charge as requested, also when it ran out of gas.
    case charge(GasCharge)
    /// A call is about to start; `gasLimit` is whole gas, min(⌈requested⌉, ⌈available⌉).
    case call(TracedCall)
    /// The receiver's state as it was loaded, before the value moves.
    case invoke(id: UInt64, ActorState)
    /// A call completed; out of gas is exit 7 without a block.
    case callReturn(ExitCode, Block?)
    /// A call ended with a syscall error; a fatal error is `forbidden` with the text "fatal".
    case callError(ErrorNumber, String)
    /// v4: a block was opened (get) or stored (put).
    case ipld(IpldOperation, Cid, size: UInt64)
    /// v4: `debug::log` with debugging on.
    case log(String)

    /// Opened or stored.
    public enum IpldOperation: String, Sendable { case get, put }
}

/// A call as a trace shows it.
public struct TracedCall: Sendable, Equatable {
    /// The caller's id.
    public var from: UInt64
    /// The receiver as the caller named it.
    public var to: Address
    /// 0 moves value only.
    public var method: UInt64
    /// nil without a parameter block.
    public var params: Block?
    /// attoFIL, may be negative.
    public var value: TokenAmount
    /// Whole gas.
    public var gasLimit: UInt64
    /// As asked or inherited.
    public var readOnly: Bool

    public init(
        from: UInt64, to: Address, method: UInt64, params: Block?, value: TokenAmount, gasLimit: UInt64,
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

/// Takes the events of a message as they happen. Nothing is kept for it: what it wants to know later it keeps itself.
public protocol TraceSink: AnyObject {
    /// - Parameter event: in the order in which things happen.
    func record(_ event: TraceEvent)
}
