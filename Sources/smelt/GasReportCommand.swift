import Bundle
import CommandTable
import CompilePool
import GasBench
import GasReport
import JSON
import Replay

/// `smelt gas report`: measures, and writes the report as a page, as JSON and as tables.
enum GasReportCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let directory = arguments.value("output") ?? "gas-report"
        let paths = arguments.all("vectors")
        guard !paths.isEmpty || !arguments.has("no-operators") else {
            throw CommandFailure(.usage, "nothing to measure: name --vectors, or leave --no-operators out")
        }
        let sessions = paths.isEmpty ? nil : try GasCommand.sessions(arguments, paths)
        let setup = try GasBenchSetup(arguments)
        let facts = MachineFacts().json
        try Files.makeDirectory(directory)
        let state = "\(directory)/measured.json"
        let conditions = try conditions(arguments, setup, facts, vectors: sessions?.count ?? 0)
        var measured = try resume(state, conditions, fresh: arguments.has("fresh"))
        measured.facts = facts
        let budget = Double(arguments.integer("budget") ?? 480)
        let progress = Progress(enabled: !arguments.has("quiet"))
        var failed = ExitStatus.success
        if let sessions {
            // The rest is the operators'.
            let share = arguments.has("no-operators") ? 1.0 : 0.7
            failed = try measure(sessions, &measured, state: state, seconds: budget * share, progress)
        }
        if !arguments.has("no-operators"), measured.operators.isNull {
            let left = max(20, budget - measured.seconds)
            var bench = setup.bench
            bench.budget = left
            bench.coversCompiling = true
            do {
                measured.operators = try OperatorReport.measure(
                    operators: [], bench: bench, conditions: setup.conditions, metered: setup.metered,
                    unmetered: setup.unmetered, peers: setup.peers(), syscalls: setup.syscalls
                ) { state in
                    progress.update("operators: \(state.stage) \(state.done), \(Int(left)) s in all")
                }.json
            } catch { throw GasBenchSetup.failure(error) }
            try save(measured, state)
        }
        let bundles = arguments.all("bundle")
        if !bundles.isEmpty, measured.compile.isNull {
            var inputs: [CompileInput] = []
            for path in bundles { inputs += try CompileSource(path: path).inputs }
            // The optimising tier would take longer than all the rest.
            measured.compile = try GasCompileCommand.measure(inputs, arguments, tier: .baseline, rounds: 3, progress)
            try save(measured, state)
        }
        progress.finish()
        let document = ReportDocument(measured)
        let json = document.json
        try Files.write(Array((json.text(.indented) + "\n").utf8), to: "\(directory)/report.json")
        for table in ReportDocument.tables(json) where !table.text.isEmpty {
            try Files.write(Array(table.text.utf8), to: "\(directory)/\(table.name)")
        }
        try Files.write(Array(ReportPage(document, json: json).html.utf8), to: "\(directory)/report.html")
        try Output.report(
            .object([
                "report": .string("\(directory)/report.html"), "left_out": .integer(measured.leftOut.count),
                "headline": json["headline"] ?? .null,
            ]), json: false)
        return failed
    }

    /// What has to be equal for measurements to be put together.
    private static func conditions(
        _ arguments: Parsed, _ setup: GasBenchSetup, _ facts: JSONValue, vectors: Int
    ) throws(CommandFailure) -> JSONValue {
        let actors = try BundleInput.all(arguments).map { JSONValue.string($0.root.text) }
        let settings = setup.conditions.json
        func pick(_ value: JSONValue, _ names: [String]) -> JSONValue {
            .object(names.map { JSONValue.Member($0, value[$0] ?? .null) })
        }
        return .object([
            "machine": pick(facts, ["processor", "microcode", "kernel", "processors"]),
            "actors": .array(actors),
            "settings": pick(settings, ["tier", "cpu", "bounds"]),
            "compiler": pick(settings, ["compiler", "compiler_build", "llvm"]),
            "vectors": .object([
                "count": .integer(vectors),
                "network_version": arguments.integer("network-version").map { .integer($0) } ?? .null,
            ]),
        ])
    }

    private static func resume(
        _ path: String, _ conditions: JSONValue, fresh: Bool
    ) throws(CommandFailure) -> Measured {
        guard !fresh, Files.isFile(path) else { return Measured(conditions: conditions) }
        let measured = try read(path, advice: "; --fresh begins anew")
        guard measured.conditions == conditions else {
            let differing = (conditions.members ?? []).filter { measured.conditions[$0.name] != $0.value }.map(\.name)
            throw CommandFailure(
                .badInput,
                "\(path): measured under other conditions (\(differing.joined(separator: ", "))); --fresh begins anew")
        }
        return measured
    }

    /// Reads what a run has measured.
    static func read(_ path: String, advice: String = "") throws(CommandFailure) -> Measured {
        let bytes = try Files.read(path)
        let json: JSONValue
        do { json = try JSON.parse(bytes) } catch { throw CommandFailure(.badInput, "\(path): \(error)\(advice)") }
        guard let measured = Measured(json) else {
            throw CommandFailure(.badInput, "\(path): not what 'smelt gas report' of this version keeps\(advice)")
        }
        return measured
    }

    private static func measure(
        _ sessions: VectorSessions, _ measured: inout Measured, state: String, seconds: Double, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        var leftOut = LeftOut()
        if !measured.isComplete {
            progress.update("vectors are read, their actors' code is found or compiled")
            var rounds = InterleavedRounds(sessions, effort: InterleavedRounds.Effort(seconds: seconds))
            try rounds.run(&measured) {
                leftOut.add($0)
            } progress: { at in
                progress.update(
                    "round \(at.round): \(at.done)/\(at.vectors) vectors; about \(Int(at.secondsLeft)) s left for rounds"
                )
            } save: { (measured) throws(CommandFailure) in
                try save(measured, state)
            }
        }
        // One left out by an earlier run still counts.
        return leftOut.status == .success && !measured.leftOut.isEmpty ? .failure : leftOut.status
    }

    private static func save(_ measured: Measured, _ path: String) throws(CommandFailure) {
        try Files.write(Array((measured.json.text(.compact) + "\n").utf8), to: path)
    }
}

/// `smelt gas diff`: two reports row by row.
enum GasDiffCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let reports = try arguments.positionals.map { (path) throws(CommandFailure) -> JSONValue in
            let bytes = try Files.read(path)
            do { return try JSON.parse(bytes) } catch { throw CommandFailure(.badInput, "\(path): \(error)") }
        }
        let difference: ReportDifference
        do throws(ReportDifference.Incomparable) {
            difference = try ReportDifference(
                reports[0], reports[1], threshold: Double(arguments.integer("threshold") ?? 10) / 100,
                force: arguments.has("force"))
        } catch { throw CommandFailure(.badInput, error.description) }
        try Output.report(difference.json, json: arguments.value("format") == "json")
        return difference.hasDrift ? .drift : .success
    }
}

/// `smelt gas price`: the prices that measurements would give.
enum GasPriceCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let directory = arguments.positionals[0]
        let measured = try GasReportCommand.read("\(directory)/measured.json")
        let proposal = PriceProposal(measured, anchor: Double(arguments.integer("anchor") ?? 10))
        try Output.report(proposal.json, json: arguments.value("format") == "json")
        return .success
    }
}
