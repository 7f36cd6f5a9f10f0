import CommandTable
import Foundation
import ModuleFuzz

let command = Command(
    "smelt-fuzz", "Compare compiled code with the reference interpreter on random modules.",
    discussion: """
        Every seed is a valid module of the FVM's profile. Results, traps and their places, gas, memory, globals and \
        calls of imports must be equal, at full gas and at limits where charges fail.
        """,
    options: [
        Option("seeds", .value("A..B"), "Seeds, both ends included (default: 0..199)."),
        Option(
            "ways", .choice(["all", "rotate", "v3"]),
            "Which compiled code: all four ways, two of them by turns, all at x86-64-v3 (default: all)."),
        Option("traps", "Modules in which a function traps at each of its instructions, in place of whole modules."),
        Option("out", .directory("DIR"), "Where modules that fail are put (default: the current folder)."),
        Option("write", .file("FILE"), "Write modules, calls and the interpreter's observations for another witness."),
        Option("mutants", .file("FILE"), "Write damaged modules and the front end's verdicts for another witness."),
        Option("quiet", short: "q", "Print the last line and failures only."),
    ])

/// Writes a line at once: a crash must not take it along.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
func report(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

func seeds(_ text: String?) -> ClosedRange<UInt64>? {
    let ends = (text ?? "0..199").components(separatedBy: "..").compactMap { UInt64($0) }
    return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
}

do {
    let arguments = try command.parse(Array(CommandLine.arguments.dropFirst()))
    if arguments.has("help") {
        say(command.help(path: ["smelt-fuzz"]))
        exit(0)
    }
    guard let seeds = seeds(arguments.value("seeds")) else {
        throw UsageError(command: "smelt-fuzz", reason: "seeds are A..B, numbers with A <= B")
    }
    if let path = arguments.value("write") {
        try writeFacts(seeds, path) { try WitnessFacts.line(seed: $0) }
    } else if let path = arguments.value("mutants") {
        try writeFacts(seeds, path) { WitnessFacts.mutant(seed: $0) }
    } else {
        exit(try runCampaign(seeds, arguments) ? 0 : 1)
    }
} catch let error as UsageError {
    report("smelt-fuzz: \(error)")
    exit(64)
} catch {
    report("smelt-fuzz: \(error)")
    exit(1)
}

func writeFacts(_ seeds: ClosedRange<UInt64>, _ path: String, _ line: (UInt64) throws -> String?) throws {
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    guard let file = FileHandle(forWritingAtPath: path) else {
        throw UsageError(command: "smelt-fuzz", reason: "cannot write \(path)")
    }
    for seed in seeds {
        if let text = try line(seed) { try file.write(contentsOf: Data((text + "\n").utf8)) }
    }
    try file.close()
}

/// Whether nothing failed.
func runCampaign(_ seeds: ClosedRange<UInt64>, _ arguments: Parsed) throws -> Bool {
    let isRotating = arguments.value("ways") == "rotate"
    let ways = arguments.value("ways") == "v3" ? CompiledWay.everyWay(cpu: .v3) : CompiledWay.everyWay
    let campaign = try Campaign()
    var passed = 0
    var failed = 0
    var skipped = 0
    var outcomes = 0
    var traps = 0
    for seed in seeds {
        let turn = Int(seed % 3)
        let chosen = isRotating ? [ways[0], ways[1 + turn]] : ways
        let result =
            arguments.has("traps")
            ? campaign.runTraps(seed: seed, ways: chosen) : campaign.run(seed: seed, ways: chosen)
        switch result {
        case .passed(let seen, let trapped):
            passed += 1
            outcomes += seen
            traps += trapped
        case .skipped(let text):
            skipped += 1
            if !arguments.has("quiet") { report("seed \(seed) skipped: \(text)") }
        case .failed(let text, let module):
            failed += 1
            let path = (arguments.value("out") ?? ".") + "/fuzz-\(seed).wasm"
            try Data(module).write(to: URL(fileURLWithPath: path))
            say("FAILED seed \(seed), module \(path)\n  \(text)")
        }
        if !arguments.has("quiet"), (seed - seeds.lowerBound) % 100 == 99 {
            report("seed \(seed): \(passed) passed, \(failed) failed, \(skipped) skipped")
        }
    }
    say("\(outcomes) outcomes compared in each way, \(traps) of them traps")
    say("\(passed) passed, \(failed) failed, \(skipped) skipped")
    return failed == 0
}
