import ArtifactFormat
import CodeSettings
import CompilePool
import GasSchedule
import JSON
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

    public init(machine: MachineFacts, conditions: Conditions, rows: [OperatorRow]) {
        self.machine = machine
        self.conditions = conditions
        self.rows = rows
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

    /// The report (`smelt.gas.operators/1`): `machine`, `conditions`, `summary` and `operators`, whose members are
    /// those of `OperatorRow`: times in nanoseconds, gas in gas, `ratio` as time × 10 ÷ gas, estimates as `value`, `low`,
    /// `high` at 95 %.
    public var json: JSONValue {
        .object([
            "schema": .string(OperatorReport.schema), "machine": machine.json, "conditions": conditions.json,
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
        ])
    }

    /// A line a row, with names in the first.
    public var csv: String {
        let header =
            "operator,form,operands,step_gas,step_ns,step_ns_low,step_ns_high,unmetered_ns,unmetered_ns_low,"
            + "unmetered_ns_high,gas,ns,ns_low,ns_high,ratio,ratio_low,ratio_high,executions,rounds"
        func cells(_ estimate: Estimate?) -> [String] {
            guard let estimate else { return ["", "", ""] }
            return [estimate.value, estimate.interval.low, estimate.interval.high].map { "\($0)" }
        }
        let lines = rows.map { row in
            let start = [
                row.name, row.form.rawValue, row.operands.contains(",") ? "\"\(row.operands)\"" : row.operands,
                "\(row.stepGas)",
            ]
            let end = ["\(row.executions)", "\(row.rounds)"]
            let middle =
                cells(row.step) + cells(row.unmetered) + [row.gas.map { "\($0)" } ?? ""] + cells(row.time)
                + cells(row.ratio)
            return (start + middle + end).joined(separator: ",")
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
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
        ])
    }

    /// The row that `json` made; nil for anything else.
    public init?(json: JSONValue) {
        guard let name = json["operator"]?.string, let form = json["form"]?.string.flatMap(Kernel.Form.init),
            let operands = json["operands"]?.string, let sequence = json["sequence"]?.array,
            let stepGas = json["step_gas"]?.numberText.flatMap(Double.init),
            let step = json["step_ns"].flatMap(Estimate.init(json:)),
            let executions = json["executions"]?.integer(UInt64.self), let rounds = json["rounds"]?.integer(Int.self)
        else { return nil }
        self.name = name
        self.form = form
        self.operands = operands
        self.sequence = sequence.compactMap(\.string)
        self.stepGas = stepGas
        self.step = step
        unmetered = json["unmetered_ns"].flatMap(Estimate.init(json:))
        gas = json["gas"]?.numberText.flatMap(Double.init)
        time = json["ns"].flatMap(Estimate.init(json:))
        self.executions = executions
        self.rounds = rounds
    }
}

extension OperatorReport {
    /// Compiles and measures.
    ///
    /// - Parameters:
    ///   - operators: names as in the text format; empty is all.
    ///   - store: where objects are kept, through the pools.
    /// - Throws: among others `unknownOperator`, and whatever shows that a number would be none.
    public static func measure(
        operators: [String] = [], bench: BenchSettings, conditions: Conditions, metered: CompilePool,
        unmetered: CompilePool?, progress: (OperatorBench.Progress) -> Void = { _ in }
    ) throws(BenchError) -> OperatorReport {
        let all = KernelTable.all(bench.prices)
        for name in operators where !all.contains(where: { $0.name == name }) { throw .unknownOperator(name) }
        func isWanted(_ kernel: Kernel) -> Bool { operators.isEmpty || operators.contains(kernel.name) }
        // The rows that glue's times are read off are measured with those that need them.
        let needed = Set(all.filter(isWanted).flatMap(\.glue).flatMap(\.kernels))
        let kernels = all.filter { isWanted($0) || ($0.form == .latency && needed.contains($0.name)) }
        let machine = MachineFacts()
        let rows = try OperatorBench(
            kernels, settings: bench, pool: metered, unmeteredPool: unmetered, progress: progress
        ).measure(progress: progress)
        return OperatorReport(
            machine: machine, conditions: conditions, rows: zip(kernels, rows).filter { isWanted($0.0) }.map(\.1))
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
