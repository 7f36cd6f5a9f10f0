import Crypto
import Engine
import GasSchedule
import IPLD
import JSON
import Kernel
import Machine
import Measuring
import Primitives
import SeededRandom
import Statistics
import Syscalls

/// What a syscall takes beside what it costs. Times are nanoseconds of processor time of one call, its way in and out
/// of guest code and its turn of the loop included; gas is gas.
public struct SyscallRowTime: Sendable, Equatable {
    /// `crypto::hash`.
    public var syscall: String
    /// The class of arguments; empty where there is one only.
    public var operands: String
    /// Gas for computing and for everything else, of one call with its turn of the loop.
    public var compute: Double
    public var other: Double
    public var time: Estimate
    /// Calls that were timed, counted by the machine.
    public var executions: UInt64
    /// Pairs of messages.
    public var rounds: Int

    /// Time divided by what the gas for computing stands for; 1 is exact.
    public var ratio: Estimate { time.scaled(by: GasAnchor.gasPerNanosecond / max(compute, 1e-9)) }
    /// Nanoseconds per gas for computing.
    public var nanosecondsPerGas: Estimate { time.scaled(by: 1 / max(compute, 1e-9)) }
    /// `crypto::hash, sha2-256, 64 bytes`
    public var title: String { syscall + (operands.isEmpty ? "" : ", \(operands)") }
}

extension SyscallRowTime {
    /// Members of reports: gas, nanoseconds, `ratio` as time × 10 ÷ gas for computing.
    public var json: JSONValue {
        .object([
            "syscall": .string(syscall), "operands": .string(operands), "compute_gas": .decimal(compute),
            "other_gas": .decimal(other), "ns": time.json, "ratio": compute > 0 ? ratio.json : .null,
            "executions": .integer(executions), "rounds": .integer(rounds),
        ])
    }

    /// The row that `json` made; nil for anything else.
    public init?(json: JSONValue) {
        func number(_ name: String) -> Double? { json[name]?.double }
        guard let syscall = json["syscall"]?.string, let operands = json["operands"]?.string,
            let compute = number("compute_gas"), let other = number("other_gas"),
            let time = Estimate(json: json["ns"]),
            let executions = json["executions"]?.integer(UInt64.self), let rounds = json["rounds"]?.integer(Int.self)
        else { return nil }
        self.init(
            syscall: syscall, operands: operands, compute: compute, other: other, time: time, executions: executions,
            rounds: rounds)
    }
}

/// Times syscalls: messages whose actor makes one of them n and 2n times, executed by the machine. What two messages
/// differ by is n calls; the rest of a message cancels.
public final class SyscallBench {
    /// Syscalls without a row, and why.
    public let unmeasured: [(syscall: String, reason: String)]

    private let kernels: [SyscallKernel]
    private let network: NetworkFacts
    private let store: MemoryBlockstore
    private let root: Cid
    private let engine: any ActorEngine
    private let settings: BenchSettings
    private var random: SplitMix64
    /// What the yardstick took in each round, nanoseconds: rows are as if it had always taken its median.
    public private(set) var yardsticks: [Double] = []

    /// - Parameters:
    ///   - syscalls: titles such as `crypto::hash`; empty is all.
    ///   - engine: runs the actor; it compiles what it has not.
    public init(
        _ profile: NetworkProfile, syscalls wanted: [String] = [], settings: BenchSettings, engine: any ActorEngine
    ) throws(BenchError) {
        self.settings = settings
        self.engine = engine
        random = SplitMix64(seed: settings.seed)
        network = NetworkFacts(
            profile: profile, epoch: SyscallState.epoch, timestamp: UInt64(SyscallState.epoch) * 30,
            baseFee: TokenAmount(100), circulatingSupply: TokenAmount(1_000_000_000), chainID: 314)
        let set = SyscallSet.of(profile.syscalls)
        let state = try SyscallState()
        let table = SyscallTable(set, state)
        for name in wanted where !set.rows.contains(where: { $0.title == name }) { throw .unknownOperator(name) }
        kernels = table.kernels.filter { wanted.isEmpty || wanted.contains($0.row.title) }
        unmeasured = table.unmeasured
        let module = SyscallModule(kernels: kernels, syscalls: set, state: state)
        do { (store, root) = try state.store(module.bytes) } catch {
            throw .notCompiled("the state of the syscall bench: \(error)")
        }
    }

    /// The row of each kernel, measured until the time is over.
    public func measure(progress: (OperatorBench.Progress) -> Void = { _ in }) throws(BenchError) -> [SyscallRowTime] {
        var counts: [UInt64] = []
        var gas: [(compute: UInt64, other: UInt64)] = []
        for index in kernels.indices {
            progress(OperatorBench.Progress(stage: "syscalls", done: index, total: kernels.count))
            let count = try prepare(index)
            counts.append(count)
            gas.append(try prove(index, count))
        }
        var times = Array(repeating: [Double](), count: kernels.count)
        let end = ThreadClock.wall + UInt64(settings.budget * 1e9)
        var yardstick = Yardstick(.host)
        var rounds = 0
        while rounds < settings.mostRounds, rounds < BenchSettings.leastRounds || ThreadClock.wall < end {
            let before = yardstick.measure()
            for index in kernels.indices.shuffled(using: &random) {
                let swapped = random.next() & 1 == 1
                var pair = try run(index, swapped ? [2, 1] : [1, 2], counts[index])
                if swapped { pair.swapAt(0, 1) }
                times[index].append((Double(pair[1]) - Double(pair[0])) / Double(counts[index]))
            }
            yardsticks.append((before + yardstick.measure()) / 2)
            rounds += 1
            progress(OperatorBench.Progress(stage: "syscall round", done: rounds, total: settings.mostRounds))
        }
        let bootstrap = Bootstrap(seed: settings.seed)
        return try kernels.indices.map { (index) throws(BenchError) in
            let levelled = Rounds.levelled(times[index], yardsticks: yardsticks)
            guard let time = try? Rounds.median(levelled, bootstrap: bootstrap) else {
                throw .noTime(rounds: times[index].count)
            }
            func each(_ milligas: UInt64) -> Double { Double(milligas) / 1_000 / Double(counts[index]) }
            return SyscallRowTime(
                syscall: kernels[index].row.title, operands: kernels[index].operands, compute: each(gas[index].compute),
                other: each(gas[index].other), time: time,
                executions: counts[index] * UInt64(times[index].count), rounds: times[index].count)
        }
    }

    // MARK: Messages

    /// A machine that has the actor's code loaded.
    private func machine(_ kernel: Int, trace: (any TraceSink)? = nil) throws(BenchError) -> Executor {
        let machine: Machine
        do {
            machine = try Machine(
                network: network, stateRoot: root, store: store, engine: engine, externs: BenchExterns())
        } catch { throw .notCompiled("the state of the syscall bench: \(error)") }
        let executor = Executor(machine)
        // The first message finds the code, the second makes a first call.
        _ = try apply(executor, kernel, method: SyscallModule.returnsAtOnce)
        machine.trace = trace
        return executor
    }

    private func apply(_ executor: Executor, _ kernel: Int, method: UInt64) throws(BenchError) -> UInt64 {
        let message = Message(
            to: .id(kernels[kernel].receiver), from: .id(0), nonce: 0, value: .zero, gasLimit: 4_000_000_000_000,
            feeCap: .zero, premium: .zero, method: method, params: [])
        let result: ApplyResult
        let start = ThreadClock.now
        do { result = try executor.apply(message, kind: .implicit, chainLength: 0) } catch {
            throw .trapped(kernels[kernel].title, "\(error)")
        }
        let end = ThreadClock.now
        guard result.receipt.exitCode == .ok else {
            throw .trapped(
                kernels[kernel].title,
                "exit code \(result.receipt.exitCode.rawValue)\(result.failure.map { ": \($0)" } ?? "")")
        }
        return end - start
    }

    /// Messages with so many times `count` calls each, on one machine: nanoseconds.
    private func run(_ kernel: Int, _ factors: [UInt64], _ count: UInt64) throws(BenchError) -> [UInt64] {
        try factors.map { (factor) throws(BenchError) in
            // A machine of its own: what one message leaves behind is not the next one's.
            try apply(machine(kernel), kernel, method: SyscallModule.method(kernel, count * factor))
        }
    }

    /// How many calls take long enough.
    private func prepare(_ kernel: Int) throws(BenchError) -> UInt64 {
        var count: UInt64 = 1
        let most = max(1, kernels[kernel].most / 2)
        while count < most {
            let time = min(try run(kernel, [1], count)[0], try run(kernel, [1], count)[0])
            if Double(time) >= settings.run * 10 { break }
            count = min(most, count * 4)
        }
        return count
    }

    /// Proves by the machine's own events that the longer message makes `count` more calls: milligas of all that it is charged more.
    private func prove(_ kernel: Int, _ count: UInt64) throws(BenchError) -> (compute: UInt64, other: UInt64) {
        let counters = try [1, 2].map { (factor: UInt64) throws(BenchError) in
            let counter = CallCounter(kernels[kernel].row.syscall)
            _ = try apply(
                machine(kernel, trace: counter), kernel, method: SyscallModule.method(kernel, count * factor))
            return counter
        }
        let more = counters[1].calls - counters[0].calls
        guard more == count else {
            throw .callsDiffer(kernels[kernel].title, expected: count, counted: more)
        }
        return (counters[1].compute - counters[0].compute, counters[1].other - counters[0].other)
    }
}

/// Counts calls of a syscall, and adds up what a message's charges ask for.
private final class CallCounter: TraceSink {
    private let syscall: Syscall
    private(set) var calls: UInt64 = 0
    private(set) var compute: UInt64 = 0
    private(set) var other: UInt64 = 0

    init(_ syscall: Syscall) { self.syscall = syscall }

    func enter(_ syscall: Syscall) {
        if syscall == self.syscall { calls += 1 }
    }

    func record(_ event: TraceEvent) {
        guard case .charge(let charge) = event else { return }
        compute += charge.compute
        other += charge.other
    }
}

/// A node that answers at once.
private final class BenchExterns: Externs {
    let proofs: any ProofSyscalls = ConformanceProofs()
    private let digest = [UInt8](repeating: 0x42, count: 32)
    private let tipset = Cid.blake2b256(codec: Cid.dagCbor, data: [0x80])

    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { digest }
    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { digest }
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid { tipset }
    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { nil }
}
