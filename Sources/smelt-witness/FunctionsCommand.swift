import Bundle
import Captures
import CodeSettings
import CommandTable
import Foundation
import Witness

/// Every function of every actor of bundles.
enum FunctionsCommand {
    static let command = Command(
        "functions", "Every function of every actor of bundles, as it is shipped, against the interpreter's.",
        discussion: """
            Functions are called with what replayed messages called them with, on the memory and globals they found, \
            with what the host answered; with variations of that; and with arguments, memory and answers made from a \
            seed: the same for all engines. The ledger gets a line for each actor and tier; what stands in it already \
            is not done again.
            """,
        options: [
            Option("actor", .value("NAME"), repeats: true, "Only this actor."),
            Option("tier", .choice(Tier.allCases.map(\.rawValue)), "One tier (default: all of them)."),
            Option("inputs", .integer("N", 0...1_000_000), "Calls of each function and kind (default: 24)."),
            Option("rounds", .integer("N", 0...1_000_000), "Rounds of variations, at most (default: 200)."),
            Option("vectors", .file("PATH"), repeats: true, "Vectors to replay (default: none)."),
            Option("seed", .integer("N", 0...UInt64.max), "Where the numbers come from (default: 1)."),
            Option("ledger", .file("FILE"), "Lines of results, appended (default: .build/witness/functions.tsv)."),
        ],
        positionals: [Positional("BUNDLE", 1...100, "Bundles of actors (.car, .car.zst).")])

    static func run(_ arguments: Parsed) throws -> Int32 {
        var run = try FunctionsRun(arguments)
        for path in arguments.positionals { try run.check(path) }
        return conclude(passed: run.passed, failed: run.failed)
    }
}

/// One run of the command.
private struct FunctionsRun {
    private let effort: WitnessEffort
    private let seed: UInt64
    private let vectors: [String]
    private let tiers: [Tier]
    private let names: Set<String>
    private let witness: ActorWitness
    private var ledger: Ledger
    private(set) var passed = 0
    private(set) var failed = 0

    init(_ arguments: Parsed) throws {
        effort = WitnessEffort(
            inputs: Int(arguments.integer("inputs") ?? 24), rounds: Int(arguments.integer("rounds") ?? 200))
        seed = arguments.integer("seed") ?? 1
        vectors = arguments.all("vectors")
        tiers = arguments.value("tier").flatMap(Tier.init(rawValue:)).map { [$0] } ?? [.baseline, .optimised]
        names = Set(arguments.all("actor"))
        witness = try ActorWitness()
        ledger = try Ledger(arguments.value("ledger") ?? ".build/witness/functions.tsv")
    }

    /// What a line of the ledger begins with.
    private func key(_ bundle: String, _ actor: String, _ tier: Tier) -> String {
        "\(bundle)\t\(actor)\t\(tier.rawValue)\tinputs \(effort.inputs)\trounds \(effort.rounds)\tseed \(seed)\t"
            + (vectors.isEmpty ? "generated" : "captured")
    }

    mutating func check(_ path: String) throws {
        let bundle = try ActorBundle.open(path: path)
        let bundleName = (path as NSString).lastPathComponent.components(separatedBy: ".")[0]
        let open = bundle.codes.filter { code in
            (names.isEmpty || names.contains(code.name))
                && tiers.contains { !ledger.has(key(bundleName, code.name, $0)) }
        }
        let start = Date.now
        let captures = open.isEmpty ? nil : try self.captures(bundle, bundleName, Set(open.map(\.name)))
        for (name, cid) in open {
            guard let wasm = bundle.code(cid) else { continue }
            let start = Date.now
            let calls = captures?.of(cid.bytes) ?? []
            // All tiers at once: the interpreter's part is the same.
            let todo = tiers.filter { !ledger.has(key(bundleName, name, $0)) }
            let actor = try witness.check(wasm, todo, effort: effort, calls: calls, seed: seed)
            for tier in todo {
                try note(actor, name, tier, key(bundleName, name, tier), replayed: captures?.reachedBlocks(cid.bytes))
            }
            report("\(bundleName) \(name): \(seconds(since: start))")
        }
        if !open.isEmpty { report("\(bundleName): \(seconds(since: start))") }
        for tier in tiers { total(bundleName, tier) }
    }

    /// Calls inside the actors, out of the vectors that the bundle's network versions run.
    private func captures(
        _ bundle: ActorBundle, _ name: String, _ actors: Set<String>
    ) throws -> CapturedCalls? {
        guard !vectors.isEmpty else { return nil }
        let start = Date.now
        let versions = ReleasedBundles.release(root: bundle.root)?.networkVersions ?? []
        let captures = try CapturedCalls(vectors, bundle: bundle, networkVersions: versions, actors: actors)
        report("\(name): \(captures.vectors) vectors replayed, \(seconds(since: start))")
        for failure in captures.failures { report("nothing taken from \(failure)") }
        return captures
    }

    private mutating func note(
        _ actor: ActorLedger, _ name: String, _ tier: Tier, _ key: String, replayed: Int?
    ) throws {
        let differing = actor.differing[tier]?.count ?? 0
        let line =
            "\(key)\tfunctions \(actor.witnessed)/\(actor.functions)\tentered \(actor.captured)\t"
            + "replayed \(replayed ?? 0)\tblocks \(actor.reached)/\(actor.blocks)\t"
            + "calls \(actor.returned)/\(actor.calls)\tfewest \(actor.fewest)\tdifferences \(differing)"
        try ledger.append(line)
        say(line)
        for difference in actor.differences[tier] ?? [] { say("FAILED \(name), \(tier.rawValue): \(difference)") }
        passed += actor.witnessed - differing
        failed += differing
    }

    /// What all lines of a bundle come to, those of earlier runs with them.
    private func total(_ bundle: String, _ tier: Tier) {
        let start = key(bundle, "", tier).split(separator: "\t", omittingEmptySubsequences: false)
        let how = start[3...].joined(separator: "\t")
        func sums(_ name: String) -> [Int] {
            ledger.sums(name, beginning: "\(bundle)\t", tier: tier.rawValue, how: how)
        }
        func share(_ name: String) -> String {
            let sums = sums(name)
            guard sums.count == 2, sums[1] > 0 else { return "\(name) -" }
            let percent = String(format: "%.1f", 100 * Double(sums[0]) / Double(sums[1]))
            return "\(name) \(sums[0])/\(sums[1]) (\(percent) %)"
        }
        say(
            "\(bundle), \(tier.rawValue): \(share("functions")), \(share("blocks")), \(share("calls")), "
                + "differences \(sums("differences").first ?? 0)")
    }

    private func seconds(since start: Date) -> String {
        String(format: "%.1f s", Date.now.timeIntervalSince(start))
    }
}
