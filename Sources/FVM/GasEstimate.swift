import Kernel
import Machine
import Primitives

/// The smallest gas limit with which a message ends as it does with all the gas it may have.
public struct GasEstimate: Sendable, Equatable {
    /// Whole gas.
    public var gasLimit: UInt64
    /// With that limit.
    public var gasUsed: UInt64
    /// How the message ends.
    public var exitCode: ExitCode
}

extension Session {
    /// The gas that all messages of a block may take together (Filecoin specification, `BlockGasLimit`).
    public static let blockGasLimit: UInt64 = 10_000_000_000

    /// Finds the limit by running the message, with less each time; the state stays as it is. What a message uses can
    /// depend on its limit, so the limit that is found was run, and the one below it too.
    ///
    /// - Parameter ceiling: the limit of the first run.
    public func estimate(
        _ message: Message, kind: ApplyKind = .explicit, chainLength: UInt64, ceiling: UInt64 = blockGasLimit
    ) throws(SessionError) -> GasEstimate {
        func run(_ limit: UInt64) throws(SessionError) -> Receipt {
            var limited = message
            limited.gasLimit = limit
            return try simulate(limited, kind: kind, chainLength: chainLength).receipt
        }
        var best = (limit: ceiling, receipt: try run(ceiling))
        let wanted = best.receipt.exitCode
        // The largest limit that is known to be too small.
        var tooSmall: UInt64 = 0
        var next = best.receipt.gasUsed
        while best.limit - tooSmall > 1 {
            next = min(max(next, tooSmall + 1), best.limit - 1)
            let receipt = try run(next)
            if receipt.exitCode == wanted {
                best = (next, receipt)
                next = receipt.gasUsed
            } else {
                tooSmall = next
                next = tooSmall + (best.limit - tooSmall) / 2
            }
        }
        return GasEstimate(gasLimit: best.limit, gasUsed: best.receipt.gasUsed, exitCode: wanted)
    }
}
