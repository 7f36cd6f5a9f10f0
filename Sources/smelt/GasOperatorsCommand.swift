import ArtifactFormat
import CommandTable
import CompilePool
import FVM
import GasBench
import GasSchedule
import JSON
import Measuring
import NativeEngine
import Statistics

/// `smelt gas operators`: the time of every WASM operator beside its price.
enum GasOperatorsCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let setup = try GasBenchSetup(arguments)
        let progress = Progress(enabled: !arguments.has("quiet"))
        let names = arguments.value("operators")?.split(separator: ",").map(String.init) ?? []
        let start = Progress.now
        let report: OperatorReport
        do {
            report = try OperatorReport.measure(
                operators: names, bench: setup.bench, conditions: setup.conditions, metered: setup.metered,
                unmetered: setup.unmetered, peers: setup.peers(), syscalls: setup.syscalls
            ) { state in
                progress.update(line(state, budget: setup.bench.budget, since: start))
            }
        } catch { throw GasBenchSetup.failure(error) }
        progress.finish()
        if let directory = arguments.value("gasfit"), let input = report.gasFit {
            try Files.makeDirectory(directory)
            for file in input.files { try Files.write(Array(file.text.utf8), to: "\(directory)/\(file.name)") }
        }
        switch arguments.value("format") {
        case "json": try Output.json(report.json)
        case "csv": try Output.raw(Array(report.csv.utf8))
        default: try Output.data(text(report))
        }
        return .success
    }

    private static func line(_ state: OperatorBench.Progress, budget: Double, since start: UInt64) -> String {
        let seconds = Int(Double(Progress.now - start) / 1e9)
        return state.stage == "round"
            ? "round \(state.done); \(seconds) s, of them \(Int(budget)) s for rounds"
            : "\(state.stage) \(state.done)/\(state.total); \(seconds) s"
    }

    /// The report for people: the worst first.
    private static func text(_ report: OperatorReport) -> String {
        let rows = report.rows.sorted { $0.ratio.value > $1.ratio.value }.map { row -> JSONValue in
            .object([
                "operator": .string(row.name), "form": .string(row.form.rawValue), "operands": .string(row.operands),
                "gas": .number(Decimal.text(row.stepGas, 1)), "ns": .number(Decimal.text(row.step.value, 3)),
                "from": .number(Decimal.text(row.step.interval.low, 3)),
                "to": .number(Decimal.text(row.step.interval.high, 3)),
                "unmetered": row.unmetered.map { .number(Decimal.text($0.value, 3)) } ?? .null,
                "ratio": .number(row.stepGas > 0 ? Decimal.text(row.ratio.value, 2) : "0"),
                "operator_ns": row.time.map { .number(Decimal.text($0.value, 3)) } ?? .null,
                "operator_ratio": row.operatorRatio.map { .number(Decimal.text($0.value, 2)) } ?? .null,
            ])
        }
        let others = report.rows.filter { !$0.peers.isEmpty }.sorted { row, other in
            worst(row) > worst(other)
        }.map { row in
            JSONValue.object(
                [.init("step", .string(row.title)), .init("smelt", .string(ratio(row.ratio)))]
                    + row.peers.map { peer in .init(peer.engine, .string(ratio(row.ratio(peer)))) })
        }
        var summary = JSONValue.object(["machine": report.machine.json, "conditions": report.conditions.json])
        summary = .object(
            (summary.members ?? []) + [
                .init("operators", .array(rows)),
                .init("syscalls", .array(syscalls(report))),
                .init("ratio_by_engine", others.isEmpty ? .string("no other engine") : .array(others)),
                .init(
                    "missing_engines", .string(report.missing.isEmpty ? "none" : report.missing.joined(separator: "; "))
                ),
                .init(
                    "worst",
                    .string(
                        report.worst.map {
                            "\($0.title): \(GasBenchSetup.text($0.nanosecondsPerGas, 3)) ns per gas (0.1 is paid for); "
                                + "a block of 10^10 gas takes "
                                + GasBenchSetup.text($0.nanosecondsPerGas.scaled(by: GasAnchor.blockGas / 1e9), 1)
                                + " s"
                        } ?? "none")),
                .init(
                    "accuracy_ratio",
                    .string(report.accuracyRatio.map { "\(Decimal.text($0, 1)) (p99/p1 of ns per gas)" } ?? "none")),
            ])
        return ReportText.render(summary)
            + "\nTimes are of a step, 10 gas pay for 1 ns: ratio 1 is exact. What other programs do to this machine is in "
            + "the intervals (95 %)."
    }
}

extension GasOperatorsCommand {
    /// The worst ratio of any engine.
    private static func worst(_ row: OperatorRow) -> Double {
        row.peers.reduce(row.ratio.value) { max($0, row.ratio($1).value) }
    }

    /// Syscalls for people, the worst first.
    private static func syscalls(_ report: OperatorReport) -> [JSONValue] {
        report.syscalls.sorted { $0.ratio.value > $1.ratio.value }.map { row in
            .object([
                "syscall": .string(row.syscall), "arguments": .string(row.operands),
                "compute": .number(Decimal.text(row.compute, 1)), "other": .number(Decimal.text(row.other, 1)),
                "ns": .number(Decimal.text(row.time.value, 1)), "from": .number(Decimal.text(row.time.interval.low, 1)),
                "to": .number(Decimal.text(row.time.interval.high, 1)),
                "ratio": .number(row.compute > 0 ? Decimal.text(row.ratio.value, 3) : "0"),
            ])
        }
    }

    private static func ratio(_ estimate: Estimate) -> String { GasBenchSetup.text(estimate, 2) }
}

/// What the commands that time compiled code have in common.
struct GasBenchSetup {
    let bench: BenchSettings
    let conditions: OperatorReport.Conditions
    let metered: CompilePool
    let unmetered: CompilePool
    /// Where other engines are; nil asks for none.
    private let directories: [String]?
    private let profile: NetworkProfile

    init(_ arguments: Parsed) throws(CommandFailure) {
        let version = UInt32(
            arguments.integer("network-version") ?? UInt64(NetworkProfile.table.last?.version.rawValue ?? 0))
        guard let profile = NetworkProfile.table.first(where: { $0.version.rawValue == version }) else {
            throw CommandFailure(.usage, "network version \(version) is not known")
        }
        self.profile = profile
        let prices = PriceList.named(profile.priceList).wasm
        let seed = arguments.integer("seed") ?? 1
        var settings = WorkerSetup.settings(arguments)
        settings.prices = prices
        var bare = settings
        bare.isMetered = false
        let store = try StoreCommand.open(arguments)
        metered = CompilePool(store: store, settings: settings)
        unmetered = CompilePool(store: store, settings: bare)
        let identity: CompilerIdentity
        do { identity = try metered.identity() } catch { throw CommandFailure(.localFailure, error.description) }
        bench = BenchSettings(budget: Double(arguments.integer("budget") ?? 60), seed: seed, prices: prices)
        directories = arguments.has("no-wasmtime") ? nil : arguments.all("wasmtime")
        conditions = OperatorReport.Conditions(
            priceList: profile.priceList, networkVersion: version, settings: settings, compiler: identity, seed: seed)
    }

    /// Starts other engines; those that are not there are named in reports.
    func peers() -> (engines: [PeerEngine], missing: [String]) {
        guard let directories else { return ([], ["not asked for (--no-wasmtime)"]) }
        return PeerEngine.all(directories: directories)
    }

    /// Compiles what makes syscalls.
    func syscalls(_ names: [String], _ settings: BenchSettings) throws(BenchError) -> SyscallBench {
        try SyscallBench(
            profile, syscalls: names, settings: settings,
            engine: NativeEngine(source: ActorObjects(pool: metered)))
    }

    /// How a measurement that is none ends the program.
    static func failure(_ error: BenchError) -> CommandFailure {
        switch error {
        case .unknownOperator: CommandFailure(.usage, error.description)
        case .notCompiled: CommandFailure(.badInput, error.description)
        case .engine, .peer: CommandFailure(.localFailure, error.description)
        default: CommandFailure(.failure, error.description)
        }
    }

    /// `12.3 (12.1 to 12.6)`
    static func text(_ estimate: Estimate, _ decimals: Int) -> String {
        "\(Decimal.text(estimate.value, decimals)) (\(Decimal.text(estimate.interval.low, decimals)) to "
            + "\(Decimal.text(estimate.interval.high, decimals)))"
    }
}
