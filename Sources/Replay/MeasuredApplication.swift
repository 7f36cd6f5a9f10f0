import Engine
import GasSchedule
import Kernel
import Machine

extension Executor {
    /// Applies a message and tells what is worth knowing of it; finding, compiling and mapping code is in no time.
    /// - Parameter finished: called when the message is done, before the clock is read.
    public func measured(
        _ entry: VectorMessage, finished: () -> Void = {}
    ) throws(ApplyError) -> (report: MessageReport, result: ApplyResult) {
        let loadedBefore = machine.codeLoading
        let clock = ExecutionClock()
        let result = try apply(entry.message, kind: entry.kind, chainLength: entry.chainLength)
        finished()
        let time = clock.elapsed - (machine.codeLoading - loadedBefore)
        var report = MessageReport(
            exitCode: result.receipt.exitCode, gasUsed: result.receipt.gasUsed,
            nanoseconds: time.wall.nanoseconds, processorNanoseconds: time.processor.nanoseconds,
            failure: result.failure, result: result)
        report.name(entry.message, on: machine)
        return (report, result)
    }
}

extension Vector.Environment {
    /// What the machine is told of the tipset that a variant's messages run in.
    public func facts(_ variant: Vector.Variant) throws(NetworkProfileError) -> NetworkFacts {
        NetworkFacts(
            profile: try .forVersion(variant.networkVersion), epoch: variant.epoch,
            timestamp: timestamp ?? UInt64(clamping: variant.epoch).multipliedSaturating(by: 30),
            baseFee: baseFee, circulatingSupply: circulatingSupply, chainID: chainID, actorDebugging: actorDebugging)
    }
}
