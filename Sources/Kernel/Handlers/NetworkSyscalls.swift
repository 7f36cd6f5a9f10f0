import Engine
import Primitives

extension Kernel {
    func networkContext() throws(ExecutionError) -> SyscallResult {
        try gas.charge(prices.onNetworkContext())
        var result = ResultBytes()
        result.append(network.epoch)
        result.append(network.timestamp)
        try result.append(network.baseFee, "the base fee")
        result.append(network.chainID)
        result.append(network.version.rawValue)
        return .value(result)
    }

    func networkTotalFilCircSupply() throws(ExecutionError) -> SyscallResult {
        try .amount(network.circulatingSupply, "the circulating supply")
    }

    func networkTipsetCid(_ arguments: Span<UInt64>, _ guest: inout GuestContext) throws(ExecutionError)
        -> SyscallResult
    {
        let epoch = arguments.i64(0)
        let buffer = try guest.range(arguments, 1)
        guard epoch >= 0 else { throw .syscall(.illegalArgument, "epoch \(epoch) is negative") }
        let (lookback, overflow) = network.epoch.subtractingReportingOverflow(epoch)
        guard !overflow, lookback > 0 else {
            throw .syscall(.illegalArgument, "epoch \(epoch) is not before the current one, \(network.epoch)")
        }
        if let limit = network.profile.behaviour.tipsetLookbackLimit, lookback >= limit {
            throw .syscall(.illegalArgument, "epoch \(epoch) is \(lookback) back, the limit is \(limit - 1)")
        }
        try gas.charge(prices.onTipsetCid(lookback: lookback))
        let cid: Cid
        do throws(ExternFailure) {
            cid = try calls.externs.tipsetCid(epoch: epoch)
        } catch {
            switch error {
            case .refused(let reason): throw .fatal("no tipset CID for epoch \(epoch): \(reason)")
            case .local(let reason): throw .local(reason)
            }
        }
        return .number(try guest.write(cid.bytes, to: buffer, "the tipset CID"))
    }
}
