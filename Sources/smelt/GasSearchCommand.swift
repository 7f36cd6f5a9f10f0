import CommandTable
import GasBench
import JSON
import Measuring
import Primitives
import Statistics

/// `smelt gas search`: the loops that take the most time for their gas, each with the command that shows it again.
enum GasSearchCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let setup = try GasBenchSetup(arguments)
        let directory = arguments.value("output") ?? "gas-search"
        if let obstacle = Files.obstacle(inDirectory: directory) { throw CommandFailure(.failure, obstacle) }
        let progress = Progress(enabled: !arguments.has("quiet"))
        let budget = Double(arguments.integer("budget") ?? 300)
        let start = Progress.now
        let outcome: GasSearch.Outcome
        do {
            outcome = try GasSearch.run(
                GasSearch.Settings(budget: budget, seed: setup.bench.seed, prices: setup.bench.prices),
                pool: setup.metered
            ) { state in
                progress.update(
                    "generation \(state.generation), \(state.measured) loops; worst \(Decimal.text(state.worst, 3)) ns per gas; "
                        + "\(max(0, Int(budget) - Int((Progress.now - start) / 1_000_000_000))) s left; \(state.text)")
            }
        } catch { throw GasBenchSetup.failure(error) }
        let comparison: TableComparison?
        do { comparison = try compare(outcome, setup, arguments, progress) } catch {
            throw GasBenchSetup.failure(error)
        }
        progress.finish()
        try Files.makeDirectory(directory)
        var rows: [JSONValue] = []
        let peers = setup.peers()
        for (index, found) in outcome.found.enumerated() {
            let path = "\(directory)/worst-\(index + 1).wasm"
            try Files.write(found.wasm, to: path)
            // Of other settings than the usual ones the command says so.
            let settings = ["tier", "cpu", "bounds"].compactMap { name in
                arguments.value(name).map { " --\(name) \($0)" }
            }
            let command =
                "smelt gas measure" + settings.joined()
                + " \(path.shellQuoted) \(found.export) \(GasSearch.iterations) "
                + found.arguments.map { "\($0)" }.joined(separator: " ")
            var others: [JSONValue] = []
            for peer in peers.engines {
                do {
                    let measure = try LoopMeasure.measure(
                        wasm: found.wasm, export: found.export, arguments: [GasSearch.iterations] + found.arguments,
                        prices: setup.bench.prices, peer: peer)
                    others.append(
                        .object([.init("engine", .string(peer.name))] + (measure.json.members ?? [])))
                } catch { Output.note("smelt: \(path): \(error)") }
            }
            rows.append(
                .object(
                    (found.measure.json.members ?? []) + [
                        .init("engines", .array(others)),
                        .init("instructions", .string(found.text)), .init("file", .string(path)),
                        .init("command", .string(command)),
                    ]))
        }
        for (index, failed) in outcome.failed.enumerated() {
            let path = "\(directory)/not-compiled-\(index + 1).wasm"
            try Files.write(failed.wasm, to: path)
            Output.note("smelt: \(path): \(failed.text): \(failed.reason)")
        }
        try report(
            outcome, rows, comparison, setup, missing: peers.missing, json: arguments.value("format") == "json")
        return .success
    }

    /// The worst loop beside the worst row of the operator table, when the search is over: it never sees the table.
    private static func compare(
        _ outcome: GasSearch.Outcome, _ setup: GasBenchSetup, _ arguments: Parsed, _ progress: Progress
    ) throws(BenchError) -> TableComparison? {
        guard !arguments.has("no-table"), let worst = outcome.found.first else { return nil }
        progress.update("looking for the operator table's worst row")
        guard let row = try TableComparison.worstRow(setup.bench, pool: setup.metered) else { return nil }
        progress.update("measuring the worst loop beside \(row.title)")
        return try TableComparison.measure(
            wasm: worst.wasm, export: worst.export, arguments: [GasSearch.iterations] + worst.arguments, beside: row,
            prices: setup.bench.prices, pool: setup.metered)
    }

    private static func report(
        _ outcome: GasSearch.Outcome, _ rows: [JSONValue], _ comparison: TableComparison?, _ setup: GasBenchSetup,
        missing: [String], json: Bool
    ) throws(CommandFailure) {
        if json {
            try Output.json(
                .object([
                    "schema": .string("smelt.gas.search/1"), "machine": MachineFacts().json,
                    "conditions": setup.conditions.json, "generations": .integer(outcome.generations),
                    "measured": .integer(outcome.measured), "trapped": .integer(outcome.trapped),
                    "not_compiled": .integer(outcome.failed.count),
                    "missing_engines": .array(missing.map { .string($0) }), "found": .array(rows),
                    "beside_table": comparison.map(value) ?? .null,
                ]))
            return
        }
        for (found, row) in zip(outcome.found, rows) {
            let others = (row["engines"]?.array ?? []).map { other in
                func number(_ name: String) -> String {
                    other["ns_per_gas"]?[name]?.double.map { Decimal.text($0, 3) } ?? ""
                }
                return
                    "\n  in \(other["engine"]?.string ?? ""): \(number("value")) (\(number("low")) to \(number("high")))"
            }
            try Output.data(
                GasMeasureCommand.text(found.measure) + others.joined()
                    + "\n  \(found.text)\n  \(row["command"]?.string ?? "")")
        }
        if let comparison {
            try Output.data(
                "beside the operator table's worst row, \(comparison.row), in the same \(comparison.rounds) rounds: "
                    + GasBenchSetup.text(comparison.found, 3) + " and " + GasBenchSetup.text(comparison.table, 3)
                    + " ns per gas, ratio " + GasBenchSetup.text(comparison.ratio, 3))
        }
        try Output.data(
            "\(outcome.measured) loops measured, \(outcome.trapped) trapped, \(outcome.generations) generations, seed "
                + "\(setup.conditions.seed)")
    }
}

extension GasSearchCommand {
    private static func value(_ comparison: TableComparison) -> JSONValue {
        .object([
            "row": .string(comparison.row), "table_ns_per_gas": comparison.table.json,
            "found_ns_per_gas": comparison.found.json, "ratio": comparison.ratio.json,
            "rounds": .integer(comparison.rounds),
        ])
    }
}

/// `smelt gas measure`: one loop's time beside its gas.
enum GasMeasureCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let path = arguments.positionals[0]
        let name = arguments.positionals[1]
        let module = try RunCommand.load(try Files.read(path), path, arguments)
        let type = try RunCommand.callable(name, in: module, path)
        guard type.parameters.first == .i32 || type.parameters.first == .i64 else {
            throw CommandFailure(.usage, "\(name.printable()) is \(type.text): no number of iterations comes first")
        }
        let slots = try RunCommand.values(Array(arguments.positionals.dropFirst(2)), for: type, name)
        let measure: LoopMeasure
        do { measure = try LoopMeasure.measure(module, export: name, arguments: slots) } catch {
            throw GasBenchSetup.failure(error)
        }
        if arguments.value("format") == "json" {
            try Output.json(
                .object(
                    [.init("schema", .string("smelt.gas.measure/1"))] + (measure.json.members ?? [])
                        + [.init("machine", MachineFacts().json)]))
        } else {
            try Output.data(text(measure))
        }
        return .success
    }

    /// `151.3 (148.2 to 153.0) ns per gas; a block of 10^10 gas takes 1513.0 (…) s`
    static func text(_ measure: LoopMeasure) -> String {
        GasBenchSetup.text(measure.nanosecondsPerGas, 3) + " ns per gas; a block of 10^10 gas takes "
            + GasBenchSetup.text(measure.blockSeconds, 1) + " s"
    }
}

extension String {
    /// The text as one word of a shell.
    fileprivate var shellQuoted: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x2D...0x39).contains(byte) || byte == UInt8(ascii: "_")
            }
        return isPlain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
