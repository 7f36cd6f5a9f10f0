import GasSchedule
import Primitives
import StateTree
import Syscalls

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

/// What a message is doing, where no charge says it. A charge begins a stage of its own, the work it pays for, which
/// lasts until the next charge or stage; those of guest code come after that code has run and begin nothing.
public enum ExecutionStage: String, Sendable, CaseIterable {
    /// The sender is looked up and its gas money set aside.
    case preflight
    /// A call's transaction and limits begin.
    case callBegin = "call begin"
    /// An actor's code is found, compiled or mapped, which a node does once and not for each message.
    case codeLoading = "code loading"
    /// Guest code runs.
    case guest
    /// An invocation is over: its instance goes away, its transaction is kept or undone, its result handed on.
    case callEnd = "call end"
    /// The receipt is made and gas paid for.
    case settlement
}

/// Takes the events of a message as they happen. Nothing is kept for it: what it wants to know later it keeps itself.
public protocol TraceSink: AnyObject {
    /// - Parameter event: in the order in which things happen.
    func record(_ event: TraceEvent)
    /// Told that a stage begins; a sink that measures no time has no use for it.
    func begin(_ stage: ExecutionStage)
    /// Told which syscall an invocation makes, in front of its charges.
    func enter(_ syscall: Syscall)
    /// The charge recorded last could not be paid; what was there, `taken` milligas, went instead.
    func ranOut(taken: UInt64)
}

extension TraceSink {
    public func begin(_ stage: ExecutionStage) {}
    public func enter(_ syscall: Syscall) {}
    public func ranOut(taken: UInt64) {}
}
