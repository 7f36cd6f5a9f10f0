import GasSchedule
import JSON
import Statistics

/// One operator in one form with one class of operands: its price and its time. Times are nanoseconds of processor
/// time, gas is gas; ratios are time divided by what the gas stands for (10 gas are one nanosecond), so that 1 is exact
/// and 2 is twice as long as paid for. Intervals are at 95 %.
public struct OperatorRow: Sendable, Equatable {
    /// As in the text format; of a variant, with it in brackets.
    public var name: String
    /// `latency` or `throughput`.
    public var form: Kernel.Form
    /// The class of operands; empty when there is one only.
    public var operands: String
    /// The instructions of a step, the operator among them.
    public var sequence: [String]
    /// Gas of a step: counted by the counter of compiled code, equal to the sum of the list's prices.
    public var stepGas: Double
    /// Time of a step, with metering.
    public var step: Estimate
    /// Time of a step in code without any metering.
    public var unmetered: Estimate?
    /// Time of a step in other engines, metered as the reference meters.
    public var peers: [PeerTime] = []
    /// Gas of the operator and of what its result needs to become the next one's operand.
    public var gas: Double?
    /// The same's time: the step's without that of the glue, which other rows tell. For latency only; what independent
    /// steps take together cannot be divided among them.
    public var time: Estimate?
    /// Steps that were run for this row, proved by the counter.
    public var executions: UInt64
    /// Pairs of runs.
    public var rounds: Int

    /// What a step takes, divided by what its gas stands for.
    public var ratio: Estimate { step.scaled(by: GasAnchor.gasPerNanosecond / max(stepGas, 1e-9)) }
    /// What the operator itself takes, divided by what its gas stands for; nil where it is free.
    public var operatorRatio: Estimate? {
        guard let time, let gas, gas > 0 else { return nil }
        return time.scaled(by: GasAnchor.gasPerNanosecond / gas)
    }
    /// Nanoseconds per gas of a step.
    public var nanosecondsPerGas: Estimate { step.scaled(by: 1 / max(stepGas, 1e-9)) }
    /// `i64.div_u latency large/small`
    public var title: String { "\(name) \(form.rawValue)" + (operands.isEmpty ? "" : " \(operands)") }

    init(
        _ kernel: Kernel, step: Estimate, unmetered: Estimate?, peers: [PeerTime], glue: GlueTimes, executions: UInt64,
        rounds: Int,
        prices: WasmPrices
    ) {
        let one = kernel.oneStep(prices)
        name = kernel.name
        form = kernel.form
        operands = kernel.operands
        sequence = one.path.map(\.name)
        stepGas = Double(one.milligas) / 1_000
        self.step = step
        self.unmetered = unmetered
        self.peers = peers
        self.executions = executions
        self.rounds = rounds
        guard kernel.form == .latency, let share = glue.share(of: kernel) else { return }
        gas = stepGas - share.gas
        // Both ends at their farthest: the two were measured independently.
        time = Estimate(
            value: step.value - share.time.value,
            interval: Interval(
                low: step.interval.low - share.time.interval.high, high: step.interval.high - share.time.interval.low))
    }
}

/// What a step takes in another engine.
public struct PeerTime: Sendable, Equatable {
    /// `wasmtime 36.0.0`.
    public var engine: String
    /// Nanoseconds of processor time.
    public var step: Estimate
}

extension OperatorRow {
    /// What a step takes in another engine, divided by what its gas stands for.
    public func ratio(_ peer: PeerTime) -> Estimate {
        peer.step.scaled(by: GasAnchor.gasPerNanosecond / max(stepGas, 1e-9))
    }
}

/// What gas stands for.
public enum GasAnchor {
    /// FIP-0032: one nanosecond is ten gas.
    public static let gasPerNanosecond = 10.0
    /// Gas of a full block (FIP-0032).
    public static let blockGas = 10e9
}

/// The latencies of glue, read off the kernels of the instructions that serve as glue.
struct GlueTimes {
    private var times: [Kernel.Glue: Estimate] = [:]
    private let gas: Double

    init(_ kernels: [Kernel], _ steps: [Estimate?], _ prices: WasmPrices) {
        gas = Double((prices.base(of: .localGet) ?? 0) + (prices.base(of: .i64Xor) ?? 0)) / 1_000
        func step(_ name: String) -> Estimate? {
            kernels.indices.first { kernels[$0].name == name && kernels[$0].form == .latency }.flatMap { steps[$0] }
        }
        // A step of `add` is an addition and an exclusive or: half of it is one of them.
        for (glue, name) in [(Kernel.Glue.i32, "i32.add"), (.i64, "i64.add")] {
            times[glue] = step(name)?.scaled(by: 0.5)
        }
        for (glue, other) in [(Kernel.Glue.i32Rotate, Kernel.Glue.i32), (.i64Rotate, .i64)] {
            guard let both = step(glue.rawValue), let one = times[other] else { continue }
            times[glue] = Estimate(
                value: both.value - one.value,
                interval: Interval(
                    low: both.interval.low - one.interval.high, high: both.interval.high - one.interval.low))
        }
        for glue in [Kernel.Glue.f32, .f64] { times[glue] = step(glue.rawValue) }
    }

    /// Gas and time of a kernel's glue (the instruction and the `local.get` of its operand); nil when a row it would be
    /// read off was not measured.
    func share(of kernel: Kernel) -> (gas: Double, time: Estimate)? {
        var sum = Estimate(value: 0, interval: Interval(low: 0, high: 0))
        for glue in kernel.glue {
            guard let time = times[glue] else { return nil }
            sum = Estimate(
                value: sum.value + time.value,
                interval: Interval(
                    low: sum.interval.low + time.interval.low, high: sum.interval.high + time.interval.high))
        }
        return (gas * Double(kernel.glue.count), sum)
    }
}
