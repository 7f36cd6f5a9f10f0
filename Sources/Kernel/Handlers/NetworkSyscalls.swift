import Engine
import Primitives

extension Kernel {
    func networkContext() throws(ExecutionError) -> SyscallResult {
        try gas.charge(prices.onNetworkContext())
        return .value(try .networkContext(network))
    }

    func networkTotalFilCircSupply() throws(ExecutionError) -> SyscallResult {
        try .amount(network.circulatingSupply, "the circulating supply")
    }

    func networkTipsetCid(_ arguments: inout Arguments, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let epoch = try arguments.i64()
        let buffer = try arguments.output(guest)
        let current = network.epoch
        guard epoch >= 0 else { throw .syscall(.illegalArgument, "epoch \(epoch) is negative") }
        let (lookback, overflow) = current.subtractingReportingOverflow(epoch)
        guard !overflow, lookback > 0 else {
            throw .syscall(.illegalArgument, "epoch \(epoch) is not before the current one, \(current)")
        }
        if let limit = network.profile.behaviour.tipsetLookbackLimit, lookback >= limit {
            throw .syscall(.illegalArgument, "epoch \(epoch) is \(lookback) back, the limit is \(limit - 1)")
        }
        try gas.charge(prices.onTipsetCid(lookback: lookback))
        let cid: Cid
        do throws(ExternFailure) {
            cid = try calls.externs.tipsetCid(epoch: epoch)
        } catch {
            throw ExecutionError(error) { .fatal("no tipset CID for epoch \(epoch): \($0)") }
        }
        return .number(try guest.write(cid.bytes, to: buffer, "the tipset CID"))
    }
}
