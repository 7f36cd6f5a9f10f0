import ArtifactFormat
import CodeSettings
import CompilePool
import GasSchedule
import JSON
import Measuring
import Statistics

/// The operator table: what every instruction of the price list takes, beside what it costs.
public struct OperatorReport: Sendable {
    /// What the rows were measured with, apart from the machine.
    public struct Conditions: Sendable {
        /// The price list, and the network version it was chosen by.
        public var priceList: PriceListID
        public var networkVersion: UInt32
        public var tier: Tier
        public var cpu: CPULevel
        public var bounds: Bounds
        public var compiler: CompilerIdentity
        /// Of the order of runs and of the starts of walks.
        public var seed: UInt64

        public init(
            priceList: PriceListID, networkVersion: UInt32, settings: CompileSettings, compiler: CompilerIdentity,
            seed: UInt64
        ) {
            self.priceList = priceList
            self.networkVersion = networkVersion
            tier = settings.tier
            cpu = settings.cpu
            bounds = settings.bounds
            self.compiler = compiler
            self.seed = seed
        }

        /// Members of a report.
        public var json: JSONValue {
            .object([
                "price_list": .string(priceList.rawValue), "network_version": .integer(networkVersion),
                "tier": .string(tier.rawValue), "cpu": .string(cpu.rawValue), "bounds": .string(bounds.rawValue),
                "compiler": .string(compiler.version), "compiler_build": .string(compiler.build.hex),
                "llvm": .string(compiler.llvmVersion), "seed": .integer(seed),
            ])
        }
    }

    /// The schema's name and version; see `json`.
    public static let schema = "smelt.gas.operators/1"

    public var machine: MachineFacts
    public var conditions: Conditions
    public var rows: [OperatorRow]
    /// Other engines that rows have times of, and what is missing of them.
    public var peers: [String]
    public var missing: [String]
    /// Syscalls, as messages make them, and those without a row.
    public var syscalls: [SyscallRowTime]
    public var unmeasuredSyscalls: [(syscall: String, reason: String)] = []
    /// All runs as `evm-gasfit` reads them; nil where no operator was measured now.
    public private(set) var gasFit: GasFitInput?
    /// What the yardsticks of operators and of syscalls took meanwhile, nanoseconds; rows are as if they had always
    /// taken their medians.
    public var yardstick: Estimate?
    public var syscallYardstick: Estimate?

    public init(
        machine: MachineFacts, conditions: Conditions, rows: [OperatorRow], peers: [String] = [],
        missing: [String] = [], syscalls: [SyscallRowTime] = []
    ) {
        self.machine = machine
        self.conditions = conditions
        self.rows = rows
        self.peers = peers
        self.missing = missing
        self.syscalls = syscalls
    }

    /// The syscall that takes the most time for its gas for computing.
    public var worstSyscall: SyscallRowTime? {
        syscalls.filter { $0.compute > 0 }.max { $0.ratio.value < $1.ratio.value }
    }

    /// The row that takes the most time for its gas; nil without rows of a price.
    public var worst: OperatorRow? {
        rows.filter { $0.stepGas > 0 }.max { $0.ratio.value < $1.ratio.value }
    }

    /// The 99th percentile of the rows' nanoseconds per gas divided by the first; nil without rows, and when noise
    /// makes the first no number above zero.
    public var accuracyRatio: Double? {
        (try? Sample(rows.filter { $0.stepGas > 0 }.map { $0.nanosecondsPerGas.value }))
            .flatMap { try? $0.accuracyRatio() }
    }

    /// The report (`smelt.gas.operators/1`): `machine`, `conditions`, `summary`, `operators` and `syscalls`, whose members
    /// are those of `OperatorRow` and `SyscallRowTime`: times in nanoseconds, gas in gas, `ratio` as time × 10 ÷ gas, estimates as `value`, `low`,
    /// `high` at 95 %.
    public var json: JSONValue {
        .object([
            "schema": .string(OperatorReport.schema), "machine": machine.json, "conditions": conditions.json,
            "engines": .array(peers.map { .string($0) }),
            "missing_engines": .array(missing.map { .string($0) }),
            "yardstick_ns": yardstick?.json ?? .null,
            "syscall_yardstick_ns": syscallYardstick?.json ?? .null,
            "summary": .object([
                "worst": worst.map { .string($0.title) } ?? .null,
                "worst_ns_per_gas": worst?.nanosecondsPerGas.json ?? .null,
                "accuracy_ratio": accuracyRatio.map { .decimal($0) } ?? .null,
            ]),
            "operators": .array(rows.map(\.json)),
            "unmeasured": .array(
                KernelTable.unmeasured.map {
                    .object(["operator": .string($0.opcode.name), "reason": .string($0.reason)])
                }),
            "syscalls": .array(syscalls.map(\.json)),
            "unmeasured_syscalls": .array(
                unmeasuredSyscalls.map { .object(["syscall": .string($0.syscall), "reason": .string($0.reason)]) }),
        ])
    }

    /// A line a row, with names in the first.
    public var csv: String {
        var header =
            "operator,form,operands,step_gas,step_ns,step_ns_low,step_ns_high,unmetered_ns,unmetered_ns_low,"
            + "unmetered_ns_high,gas,ns,ns_low,ns_high,ratio,ratio_low,ratio_high,executions,rounds"
        for peer in peers {
            let name = peer.replacing(" ", with: "_")
            header += ",\(name)_ns,\(name)_ns_low,\(name)_ns_high"
        }
        func cells(_ estimate: Estimate?) -> [String] {
            guard let estimate else { return ["", "", ""] }
            return [estimate.value, estimate.interval.low, estimate.interval.high].map { "\($0)" }
        }
        let lines = rows.map { row in
            let start = [
                row.name, row.form.rawValue, row.operands.contains(",") ? "\"\(row.operands)\"" : row.operands,
                "\(row.stepGas)",
            ]
            let others = peers.flatMap { name in cells(row.peers.first { $0.engine == name }?.step) }
            let end = ["\(row.executions)", "\(row.rounds)"] + others
            let middle =
                cells(row.step) + cells(row.unmetered) + [row.gas.map { "\($0)" } ?? ""] + cells(row.time)
                + cells(row.ratio)
            return (start + middle + end).joined(separator: ",")
        }
        let calls = syscalls.map { row in
            let start = [row.syscall, "syscall", "\"\(row.operands)\"", "\(row.compute)"]
            let empty = Array(repeating: "", count: 7)
            let end = ["\(row.executions)", "\(row.rounds)"] + Array(repeating: "", count: peers.count * 3)
            return (start + cells(row.time) + empty + cells(row.compute > 0 ? row.ratio : nil) + end)
                .joined(separator: ",")
        }
        return ([header] + lines + calls).joined(separator: "\n") + "\n"
    }
}

extension OperatorRow {
    /// See `OperatorReport.json`.
    public var json: JSONValue {
        .object([
            "operator": .string(name), "form": .string(form.rawValue), "operands": .string(operands),
            "sequence": .array(sequence.map { .string($0) }), "step_gas": .decimal(stepGas), "step_ns": step.json,
            "unmetered_ns": unmetered?.json ?? .null, "gas": gas.map { .decimal($0) } ?? .null,
            "ns": time?.json ?? .null, "ratio": stepGas > 0 ? ratio.json : .null,
            "operator_ratio": operatorRatio?.json ?? .null, "executions": .integer(executions),
            "rounds": .integer(rounds),
            "engines": .array(
                peers.map {
                    .object([
                        "engine": .string($0.engine), "step_ns": $0.step.json,
                        "ratio": stepGas > 0 ? ratio($0).json : .null,
                    ])
                }),
        ])
    }

    /// The row that `json` made; nil for anything else.
    public init?(json: JSONValue) {
        guard let name = json["operator"]?.string, let form = json["form"]?.string.flatMap(Kernel.Form.init),
            let operands = json["operands"]?.string, let sequence = json["sequence"]?.array,
            let stepGas = json["step_gas"]?.double,
            let step = Estimate(json: json["step_ns"]),
            let executions = json["executions"]?.integer(UInt64.self), let rounds = json["rounds"]?.integer(Int.self)
        else { return nil }
        self.name = name
        self.form = form
        self.operands = operands
        self.sequence = sequence.compactMap(\.string)
        self.stepGas = stepGas
        self.step = step
        unmetered = Estimate(json: json["unmetered_ns"])
        gas = json["gas"]?.double
        time = Estimate(json: json["ns"])
        self.executions = executions
        self.rounds = rounds
        peers = (json["engines"]?.array ?? []).compactMap { peer in
            guard let engine = peer["engine"]?.string, let step = Estimate(json: peer["step_ns"]) else {
                return nil
            }
            return PeerTime(engine: engine, step: step)
        }
    }
}

extension OperatorReport {
    /// Compiles and measures.
    ///
    /// - Parameters:
    ///   - names: operators as in the text format and syscalls as `crypto::hash`; empty is all.
    ///   - peers: engines to measure beside Smelt, and why others are not there.
    ///   - syscalls: measured after the operators, for a fifth of the time; nil is none.
    /// - Throws: among others `unknownOperator`, and whatever shows that a number would be none.
    public static func measure(
        operators names: [String] = [], bench: BenchSettings, conditions: Conditions, metered: CompilePool,
        unmetered: CompilePool?, peers: (engines: [PeerEngine], missing: [String]) = ([], []),
        syscalls: ((_ names: [String], BenchSettings) throws(BenchError) -> SyscallBench)? = nil,
        progress: (OperatorBench.Progress) -> Void = { _ in }
    ) throws(BenchError) -> OperatorReport {
        let all = KernelTable.all(bench.prices)
        let calls = names.filter { $0.contains("::") }
        let operators = names.filter { !$0.contains("::") }
        for name in operators where !all.contains(where: { $0.name == name }) { throw .unknownOperator(name) }
        func isWanted(_ kernel: Kernel) -> Bool { names.isEmpty || operators.contains(kernel.name) }
        // The rows that glue's times are read off are measured with those that need them.
        let needed = Set(all.filter(isWanted).flatMap(\.glue).flatMap(\.kernels))
        let kernels = all.filter { isWanted($0) || ($0.form == .latency && needed.contains($0.name)) }
        var report = OperatorReport(
            machine: MachineFacts(), conditions: conditions, rows: [], peers: peers.engines.map(\.name),
            missing: peers.missing)
        let hasCalls = syscalls != nil && (names.isEmpty || !calls.isEmpty)
        if !kernels.isEmpty {
            var settings = bench
            if hasCalls { settings.budget *= 0.8 }
            let measurement = try OperatorBench(
                kernels, settings: settings, pool: metered, unmeteredPool: unmetered, peers: peers.engines,
                progress: progress)
            let rows = try measurement.measure(progress: progress)
            report.gasFit = GasFitInput(
                measurement.runs.filter { isWanted(kernels[$0.kernel]) }, kernels, rows)
            report.rows = zip(kernels, rows).filter { isWanted($0.0) }.map(\.1)
            report.missing += measurement.failures
            report.yardstick = try? Rounds.median(measurement.yardsticks)
        }
        if hasCalls, let syscalls {
            var settings = bench
            if !kernels.isEmpty { settings.budget *= 0.2 }
            let measurement = try syscalls(calls, settings)
            report.syscalls = try measurement.measure(progress: progress)
            report.unmeasuredSyscalls = measurement.unmeasured
            report.syscallYardstick = try? Rounds.median(measurement.yardsticks)
        }
        return report
    }
}

extension Kernel.Glue {
    /// The kernels whose times tell of this glue.
    var kernels: [String] {
        switch self {
        case .i32: ["i32.add"]
        case .i64: ["i64.add"]
        case .i32Rotate: ["i32.rotl", "i32.add"]
        case .i64Rotate: ["i64.rotl", "i64.add"]
        case .f32, .f64: [rawValue]
        }
    }
}
