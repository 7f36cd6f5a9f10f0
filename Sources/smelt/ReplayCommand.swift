import Bundle
import CommandTable
import CompilePool
import Engine
import FVM
import GasSchedule
import JSON
import NativeEngine
import Primitives
import Replay

/// `smelt replay`: vectors through compiled actors.
enum ReplayCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard arguments.has("chain") || !arguments.positionals.isEmpty else {
            throw CommandFailure(.usage, "replay needs a PATH, or --chain")
        }
        var options = ReplayOptions(paths: arguments.positionals)
        options.jobs = arguments.integer("jobs").map { Int($0) } ?? CompilePool.processors
        options.shard = try shard(arguments)
        options.rounds = Int(arguments.integer("rounds") ?? 1)
        options.traceDirectory = arguments.value("trace")
        options.goldenDirectory = arguments.value("golden")
        options.failFast = arguments.has("fail-fast")
        options.lotus = arguments.value("format") == "lotus"
        options.requireAll = arguments.has("require-all")
        options.blessOutput = arguments.value("bless")
        options.extractDirectory = arguments.value("extract")
        options.networkVersion = try NetworkVersionInput.version(arguments)
        let bundles = try BundleInput.all(arguments)
        let pool = try WorkerSetup.pool(arguments)
        let firstUse = firstUse(arguments, pool)
        let engine = NativeEngine(
            source: ActorObjects(pool: pool, firstUse: firstUse),
            perfMap: arguments.has("perf-map") ? try perfMap(bundles) : nil)
        if arguments.has("chain") { return try ReplayChainCommand.run(arguments, engine: engine) }
        for option in chainOptions where arguments.has(option) {
            throw CommandFailure(.usage, "--\(option) has no place without --chain")
        }
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        do {
            // Code that is neither in a vector nor in a bundle the pool takes from the store.
            let runner = try ReplayRunner(options, engine: engine, bundles: bundles)
            return try report(
                runner, options, format: arguments.value("format") ?? "text",
                TextReport(receipts: arguments.has("receipts")), firstUse, progress)
        } catch let error as ReplayError {
            throw CommandFailure(error)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure(.internalError, "\(error)")
        }
    }

    /// Options that mean something for tipsets alone.
    private static let chainOptions = ChainReplayInput.options + ["message", "extract-tipsets"]

    static func shard(_ arguments: Parsed) throws(CommandFailure) -> Shard? {
        guard let text = arguments.value("shard") else { return nil }
        guard let shard = Shard(text: text) else {
            throw CommandFailure(.usage, "--shard '\(text)': I/N is expected, with I from 1 to N")
        }
        return shard
    }

    /// Begins in the baseline tier what the store has no optimised code of, unless the user waits for it.
    private static func firstUse(_ arguments: Parsed, _ pool: CompilePool) -> FirstUse? {
        guard !arguments.has("wait"), pool.settings.tier == .optimised else { return nil }
        return FirstUse(optimised: pool, baseline: CompilePool(pool, tier: .baseline))
    }

    private static func codeUse(_ given: FirstUse.Given) -> ReplaySummary.CodeUse {
        ReplaySummary.CodeUse(optimised: given.optimised, baseline: given.baseline, replaced: given.replaced)
    }

    /// Names the actors of bundles as their manifests do; of several with one code the last.
    private static func perfMap(_ bundles: [ActorBundle]) throws(CommandFailure) -> PerfMap {
        var names: [[UInt8]: String] = [:]
        for bundle in bundles {
            for (name, cid) in bundle.codes { names[cid.bytes] = name }
        }
        do throws(EngineError) { return try PerfMap(names: names) } catch {
            throw CommandFailure(.failure, "--perf-map: \(error)")
        }
    }

    /// The status of the whole replay. A filter that leaves nothing is like a path without vectors; what this build
    /// cannot run is skipped, which is said but no failure.
    private static func verdict(
        _ summary: ReplaySummary, _ vectors: Int, _ options: ReplayOptions
    ) throws(CommandFailure) -> ExitStatus {
        if summary.passed + summary.ran + summary.failed == 0, vectors > 0 {
            if let version = options.networkVersion, summary.otherVersions > 0 {
                throw CommandFailure(
                    .badInput,
                    "--network-version \(version.rawValue): no variant of this version in \(vectors) vectors; "
                        + "nothing was replayed")
            }
            Output.note("smelt: nothing was replayed: all were skipped")
        }
        if summary.localFailures > 0 { return .localFailure }
        if summary.badInputs > 0 { return .badInput }
        return summary.failed == 0 && !(options.requireAll && summary.skipped > 0) ? .success : .failure
    }

    private static func report(
        _ runner: ReplayRunner, _ options: ReplayOptions, format: String, _ text: TextReport, _ firstUse: FirstUse?,
        _ progress: Progress
    ) throws -> ExitStatus {
        var reports: [VectorReport] = []
        var failure: (any Error)?
        var done = 0
        var summary = try runner.run { report in
            done += 1
            progress.update("\(done)/\(runner.count) vectors; last \(report.name)")
            guard failure == nil else { return }
            do {
                switch format {
                case "json": reports.append(report)
                case "ndjson": try Output.json(JSONReport.value(report), .compact)
                case "lotus":
                    for result in report.lotus { try Output.json(result, .compact) }
                    if report.status != .passed && report.status != .ran { Output.note(text.text(report)) }
                default: try Output.data(text.text(report))
                }
            } catch { failure = error }
        }
        progress.finish()
        if let failure { throw failure }
        summary.code = firstUse.map { codeUse($0.given) }
        switch format {
        case "json":
            try Output.json(
                JSONReport.document(reports, summary, shard: options.shard.map { ($0, runner.total) }))
        case "ndjson": try Output.json(JSONReport.value(summary), .compact)
        case "lotus": Output.note(text.text(summary))
        default: try Output.data(text.text(summary))
        }
        return try verdict(summary, runner.count, options)
    }
}
