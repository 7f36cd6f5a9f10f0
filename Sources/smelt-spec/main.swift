import CommandTable
import Foundation
import SpecSuite

let command = Command(
    "smelt-spec", "Run the WebAssembly core suites wg-1.0 and wg-2.0.",
    discussion: """
        The scripts are read from wasm-spec in the folder that SMELT_SHARED names (default ../shared), converted \
        with wabt's wast2json into .build/spec, and run under the suite profile. Every count is compared with \
        Tests/Spec/expectations.json.
        """,
    options: [
        Option("executor", .choice(Executors.names), "Which executor runs the scripts (default: all)."),
        Option("files", .value("PATTERN"), "Only scripts whose suite/name matches, such as wg-1.0/i* (default: all)."),
        Option("bless", "Write the counts to the table of expectations instead of comparing."),
    ])

func report(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

do {
    let arguments = try command.parse(Array(CommandLine.arguments.dropFirst()))
    if arguments.has("help") {
        print(command.help(path: ["smelt-spec"]))
        exit(0)
    }
    let shared = ProcessInfo.processInfo.environment["SMELT_SHARED"] ?? "../shared"
    let pattern = arguments.value("files") ?? "*"
    let files = try ScriptFile.all(below: shared + "/wasm-spec").filter { fnmatch(pattern, $0.title, 0) == 0 }
    guard !files.isEmpty else { throw SuiteFailure("no script matches \(pattern)") }

    let executors = try Executors.make(arguments.value("executor") ?? "all")
    let run = try SuiteRun.run(
        files, converter: try ScriptConverter(cache: ".build/spec"), executors: executors, progress: report)
    let tables = SuiteTables(run)
    for line in tables.lines { print(line) }

    let path = "Tests/Spec/expectations.json"
    var differences: [String] = []
    if arguments.has("bless") {
        var table = FileManager.default.fileExists(atPath: path) ? try Expectations(path: path) : Expectations()
        table.bless(run)
        try Data(table.text.utf8).write(to: URL(fileURLWithPath: path))
    } else {
        differences = try Expectations(path: path).differences(run)
        if !differences.isEmpty { print("\nDifferences from \(path)") }
        for line in differences { print("  " + line) }
    }
    print("")
    print(tables.lastLine(differences: differences.count))
    exit(run.total.failed + differences.count == 0 ? 0 : 1)
} catch let error as UsageError {
    report("smelt-spec: \(error)")
    exit(64)
} catch {
    report("smelt-spec: \(error)")
    exit(1)
}
