import GasSchedule
import Syscalls

/// The gas of one message: limit, use and the limits of sends in progress (FVM gas tracker).
///
/// Amounts are milligas and saturate. Charges are recorded when there is a trace, whether or not they succeed.
public final class GasTracker {
    /// What may be used under the limit in force.
    public private(set) var limit: UInt64
    /// What was used since the limit in force was set; never above `limit`.
    public private(set) var used: UInt64 = 0
    private var saved: [(limit: UInt64, used: UInt64)] = []
    private let trace: (any TraceSink)?
    /// The charge that could not be paid, and what was there: why the message ran out of gas, for people.
    public private(set) var shortage: (charge: GasCharge, available: UInt64)?

    /// The tracker of a message that may use `gasLimit` whole gas.
    public init(gasLimit: UInt64, trace: (any TraceSink)? = nil) {
        limit = min(Milligas.fromGas(gasLimit), UInt64(Int64.max))
        self.trace = trace
    }

    /// Whether charges are recorded.
    public var isTraced: Bool { trace != nil }

    /// Tells a trace that a stage of execution begins.
    public func begin(_ stage: ExecutionStage) { trace?.begin(stage) }

    /// Tells a trace that a syscall begins.
    func enter(_ syscall: Syscall) { trace?.enter(syscall) }

    /// What is left under the limit in force.
    public var available: UInt64 { limit - used }

    /// `used` in whole gas, rounded up as receipts show it.
    public var usedGas: UInt64 { Milligas.roundedUp(used) }

    /// Takes a charge; on failure everything available is gone. Reaching the limit exactly is no failure.
    public func charge(_ charge: GasCharge) throws(ExecutionError) {
        trace?.record(.charge(charge))
        let total = used.addingSaturating(charge.total)
        guard total <= limit else {
            shortage = (charge, available)
            trace?.ranOut(taken: available)
            used = limit
            throw .outOfGas
        }
        used = total
    }

    /// Narrows the limit for a send to `newLimit` milligas or what is available, whichever is less.
    public func pushLimit(_ newLimit: UInt64) {
        saved.append((limit, used))
        limit = min(available, newLimit)
        used = 0
    }

    /// Ends the limit of the innermost send and books what it used.
    public func popLimit() throws(ExecutionError) {
        guard let outer = saved.popLast() else { throw .fatal("gas limit popped that was never pushed") }
        limit = outer.limit
        // The inner limit was at most what the outer one had left, so the sum stays within it.
        used = used.addingSaturating(outer.used)
    }
}
