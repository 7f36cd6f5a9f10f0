import CommandTable
import GasReport
import JSON
import Measuring
import Replay

/// `smelt report …`: what is done with reports, whichever command wrote them.
enum ReportCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let reports = try arguments.positionals.map {
            (path) throws(CommandFailure) -> (name: String, report: JSONValue) in
            let bytes = try Files.read(path)
            do { return (path, try JSON.parse(bytes)) } catch { throw CommandFailure(.badInput, "\(path): \(error)") }
        }
        // A document says by its schema what putting several together means.
        let schemas = reports.map { $0.report["schema"]?.string ?? "none" }
        if schemas.allSatisfy({ $0 == JSONReport.schema }) { return try join(reports, arguments) }
        for (report, schema) in zip(reports, schemas) where !schema.hasPrefix("smelt.gas.report/") {
            throw CommandFailure(.badInput, "\(report.name): schema \(schema) is none that can be merged")
        }
        let merged: ReportMerge
        do throws(ReportMerge.Incomparable) {
            merged = try ReportMerge(reports, force: arguments.has("force"))
        } catch { throw CommandFailure(.badInput, error.description) }
        switch arguments.value("format") ?? "text" {
        case "json": try Output.json(merged.json)
        case "csv": try Output.raw(Array(CSV.text(merged.table).utf8))
        default: try Output.report(merged.summary, json: false)
        }
        return .success
    }

    /// Reports of a replay's parts: the one that a single run would have made, and its status.
    private static func join(
        _ reports: [(name: String, report: JSONValue)], _ arguments: Parsed
    ) throws(CommandFailure) -> ExitStatus {
        let whole: JSONValue
        do throws(ReplayMerge.Failure) {
            whole = try ReplayMerge.document(reports.map { (file: $0.name, report: $0.report) })
        } catch { throw CommandFailure(.badInput, error.description) }
        switch arguments.value("format") ?? "text" {
        case "json": try Output.json(whole)
        case "csv": throw CommandFailure(.usage, "reports of a replay are joined as text or JSON")
        default: try Output.report(whole["summary"] ?? .null, json: false)
        }
        let failed = whole["summary"]?["failed"]?.integer(Int.self) ?? 0
        return failed == 0 ? .success : .failure
    }
}

/// `smelt report`, whole.
let reportCommand = Command(
    "report", "Put reports together.",
    subcommands: [
        Command(
            "merge", "Put reports of several machines side by side, and those of a replay's parts together.",
            discussion: """
                Of 'smelt gas report': nanoseconds per gas of each method, and of each operator's step the time, by \
                machine, with the worst and the second-worst one. Reports of other bundles, settings or vectors are \
                refused, with --force they are taken; those of another schema version always. \
                Of 'smelt replay --shard I/N --format json': the report that a single replay would have made, whose \
                status is 1 when a vector failed.
                """,
            options: [
                Option("force", "Put them side by side although conditions differ."),
                Option("format", .choice(["text", "json", "csv"]), "How to print (default: text)."),
            ],
            positionals: [Positional("FILE", 1...Int.max, "A report.json.")])
    ])
