import Bundle
import CodeSettings
import CommandTable
import Foundation
import Witness

/// Every function of every actor of bundles.
enum FunctionsCommand {
    static let command = Command(
        "functions", "Every function of every actor of bundles, as it is shipped, against the interpreter's.",
        discussion: """
            Arguments, contents of memory and what imports answer are made from a seed, the same for both. The ledger \
            gets a line for each actor and tier; what stands in it already is not done again.
            """,
        options: [
            Option("actor", .value("NAME"), repeats: true, "Only this actor."),
            Option("tier", .choice(Tier.allCases.map(\.rawValue)), "One tier (default: each after the other)."),
            Option("inputs", .integer("N", 1...1_000_000), "Calls of each function (default: 24)."),
            Option("seed", .integer("N", 0...UInt64.max), "Where the numbers come from (default: 1)."),
            Option("ledger", .file("FILE"), "Lines of results, appended (default: .build/witness/functions.tsv)."),
        ],
        positionals: [Positional("BUNDLE", 1...100, "Bundles of actors (.car, .car.zst).")])

    static func run(_ arguments: Parsed) throws -> Int32 {
        let inputs = Int(arguments.integer("inputs") ?? 24)
        let seed = arguments.integer("seed") ?? 1
        let tiers = arguments.value("tier").flatMap(Tier.init(rawValue:)).map { [$0] } ?? [.baseline, .optimised]
        let names = Set(arguments.all("actor"))
        let ledger = try Ledger(arguments.value("ledger") ?? ".build/witness/functions.tsv")
        let witness = try ActorWitness()
        var passed = 0
        var failed = 0
        for path in arguments.positionals {
            let bundle = try ActorBundle.open(path: path)
            let bundleName = (path as NSString).lastPathComponent.components(separatedBy: ".")[0]
            for tier in tiers {
                for (name, cid) in bundle.codes where names.isEmpty || names.contains(name) {
                    let key = "\(bundleName)\t\(name)\t\(tier.rawValue)\tinputs \(inputs)\tseed \(seed)"
                    guard let wasm = bundle.code(cid), !ledger.has(key) else { continue }
                    report(key)
                    let actor = try witness.check(wasm, tier, inputs: inputs, seed: seed)
                    let counts =
                        "functions \(actor.witnessed)/\(actor.functions)\tblocks \(actor.reached)/\(actor.blocks)\t"
                        + "calls \(actor.returned)/\(actor.calls)\tdifferences \(actor.differenceCount)"
                    try ledger.append("\(key)\t\(counts)")
                    say("\(key)\t\(counts)")
                    for difference in actor.differences { say("FAILED \(name), \(tier.rawValue): \(difference)") }
                    passed += actor.witnessed - actor.differenceCount
                    failed += actor.differenceCount
                }
            }
        }
        return conclude(passed: passed, failed: failed)
    }
}

/// Lines of results that stay.
private struct Ledger {
    private let path: String
    private let lines: [Substring]

    init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    /// Whether there is a line that begins so.
    func has(_ key: String) -> Bool { lines.contains { $0.hasPrefix(key + "\t") } }

    func append(_ line: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let file = FileHandle(forWritingAtPath: path) else { throw CocoaError(.fileWriteNoPermission) }
        try file.seekToEnd()
        try file.write(contentsOf: Data((line + "\n").utf8))
        try file.close()
    }
}
