import CommandTable
import JSON
import Replay

/// `smelt report …`: what is done with reports that a command wrote.
enum ReportCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        var reports: [(file: String, report: JSONValue)] = []
        for path in arguments.positionals {
            let bytes = try Files.read(path)
            do { reports.append((path, try JSON.parse(bytes))) } catch {
                throw CommandFailure(.badInput, "\(path): not JSON: \(error)")
            }
        }
        let whole: JSONValue
        do throws(ReplayMerge.Failure) { whole = try ReplayMerge.document(reports) } catch {
            throw CommandFailure(.badInput, error.description)
        }
        if arguments.value("format") == "json" {
            try Output.json(whole)
        } else {
            try Output.report(whole["summary"] ?? .null, json: false)
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
            "merge", "Join the reports of a replay's parts.",
            discussion: """
                Of 'smelt replay --shard I/N --format json', one report of each part: the one that a single replay would \
                have made. The status is 1 when a vector failed.
                """,
            options: [formatOption], positionals: [Positional("FILE", 1...Int.max, "Reports of parts.")])
    ])
