import BlockFiles
import Chain
import CommandTable
import Engine
import IPLD
import JSON
import Kernel
import Machine
import NativeEngine
import Primitives
import Replay
import Tipsets

/// `smelt replay --chain`: tipsets in a file, each compared with its child.
enum ReplayChainCommand {
    /// Options that mean something for vectors alone.
    private static let excluded = ["golden", "bless", "rounds", "jobs", "perf-map", "extract"]

    static func run(_ arguments: Parsed, engine: any ActorEngine) throws(CommandFailure) -> ExitStatus {
        guard let path = arguments.value("chain") else { throw CommandFailure(.usage, "replay needs --chain") }
        guard arguments.positionals.isEmpty else {
            throw CommandFailure(.usage, "--chain replays tipsets, so vectors have no place beside it")
        }
        for option in excluded where arguments.has(option) {
            throw CommandFailure(.usage, "--\(option) has no place beside --chain")
        }
        let range = try range(arguments)
        let shard = try ReplayCommand.shard(arguments)
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        defer { progress.finish() }
        let input = try ArchiveInput(path, arguments, progress: progress)
        let code = try arguments.all("bundle").map { (path) throws(CommandFailure) in
            try ArchiveInput.open(path, progress: progress)
        }
        let store = ArchiveBlockstore(input.archives + code)
        let (head, network) = try NetworkInput.chain(input, arguments, progress: progress)
        let rules = NodeRules.all.first { $0.name == arguments.value("like") } ?? .lotus
        let replay: ChainReplay
        do throws(ChainError) {
            replay = try ChainReplay(
                head: head, store: store, range, network: network, rules: rules, engine: engine)
        } catch { throw CommandFailure(error, path) }
        try tellHindrances(replay, path)
        return try Run(arguments, path, replay, store, shard, progress).run()
    }

    /// Says before anything runs what will not; nothing runs at height 0.
    private static func tellHindrances(_ replay: ChainReplay, _ path: String) throws(CommandFailure) {
        let hindered = replay.entries.compactMap { entry in replay.hindrance(entry).map { (entry, $0) } }
        guard let (entry, reason) = hindered.first else { return }
        let text = "\(path): height \(entry.link.height) cannot be executed: \(reason)"
        guard replay.entries.count(where: { $0.link.height > 0 }) > hindered.count else {
            throw CommandFailure(
                .badInput, hindered.count == 1 ? text : "\(text); nor can the \(hindered.count - 1) tipsets above it")
        }
        Output.note("smelt: \(text); of \(replay.entries.count) tipsets \(hindered.count) are skipped")
    }

    private static func range(_ arguments: Parsed) throws(CommandFailure) -> ChainReplay.Range {
        if let count = arguments.integer("last") {
            guard !arguments.has("from"), !arguments.has("to"), !arguments.has("height") else {
                throw CommandFailure(.usage, "--last excludes --height, --from and --to")
            }
            return .last(Int(clamping: count))
        }
        return .heights(try ChainCommand.range(arguments))
    }

    /// A replay on its way to its reports.
    private final class Run {
        let arguments: Parsed
        let path: String
        let replay: ChainReplay
        let store: ArchiveBlockstore
        let shard: Shard?
        let progress: Progress
        let format: String
        let text: TextReport
        let lotus: LotusTrace?
        var invocations: [JSONValue] = []
        var reports: [VectorReport] = []
        var summary = ReplaySummary()
        var spent = ChainReplaySpeed()

        init(
            _ arguments: Parsed, _ path: String, _ replay: ChainReplay, _ store: ArchiveBlockstore, _ shard: Shard?,
            _ progress: Progress
        ) {
            self.arguments = arguments
            self.path = path
            self.replay = replay
            self.store = store
            self.shard = shard
            self.progress = progress
            format = arguments.value("format") ?? "text"
            text = TextReport(receipts: arguments.has("receipts"))
            lotus = format == "lotus" ? LotusTrace() : nil
        }

        func run() throws(CommandFailure) -> ExitStatus {
            let execution = replay.execution
            let directory = arguments.value("trace")
            if let directory { try Files.makeDirectory(directory) }
            if let lotus {
                execution.applied = { [unowned self] applied in
                    // Forest's trace has the messages of blocks and their rewards.
                    guard !(execution.rules.name == "forest" && applied.step == .cron), let cid = applied.cid else {
                        return
                    }
                    invocations.append(
                        lotus.result(applied.message, cid: cid, applied.result, nanoseconds: applied.report.nanoseconds)
                    )
                }
            }
            let wanted = replay.entries.indices.filter { shard?.contains($0) ?? true }
            for (done, index) in wanted.enumerated() {
                let height = replay.entries[index].link.height
                progress.update("\(path): height \(height), \(done) of \(wanted.count) tipsets")
                let result: ChainReplay.Report
                do throws(FileError) {
                    let file = try directory.map { (path) throws(FileError) in
                        try TraceFile(path: "\(path)/height-\(height).trace.jsonl")
                    }
                    execution.observer = observer(file)
                    result = replay.run(index)
                    try file?.finish(complete: true)
                } catch { throw CommandFailure(.failure, error.description) }
                try take(result, index)
                if arguments.has("fail-fast"), summary.failed > 0 { break }
            }
            progress.finish()
            try finish()
            if summary.localFailures > 0 { return .localFailure }
            if summary.badInputs > 0 { return .badInput }
            return summary.failed == 0 && !(arguments.has("require-all") && summary.skipped > 0) ? .success : .failure
        }

        /// Everybody who follows the messages of a tipset; nil where nobody does.
        private func observer(_ file: TraceFile?) -> (any MessageObserver)? {
            var observers: [any MessageObserver] = []
            if let file { observers.append(TraceLines(golden: nil, file: file)) }
            if let lotus { observers.append(lotus) }
            return observers.count > 1 ? TraceFan(observers) : observers.first
        }

        private func take(_ result: ChainReplay.Report, _ index: Int) throws(CommandFailure) {
            var report = result.vectorReport(file: path, damage: store.damage)
            if shard != nil { report.position = index }
            summary.add(report)
            spent.add(result)
            if case .success(let check) = result.result, let call = check.inferredRefusal {
                Output.note(
                    "smelt: \(report.name): proof \(call) of \(report.answered.total) is answered 'not valid', which is "
                        + "inferred: so the chain's roots come")
            }
            switch format {
            case "json": reports.append(report)
            case "ndjson": try Output.json(JSONReport.value(report), .compact)
            case "lotus":
                if let root = report.stateRoot {
                    try Output.json(
                        .object(["Root": .object(["/": .string(root.text)]), "Trace": .array(invocations)]), .compact)
                }
                invocations = []
                if report.status != .passed { Output.note(text.text(report)) }
            default: try Output.data(text.text(report))
            }
        }

        private func finish() throws(CommandFailure) {
            switch format {
            case "json":
                try Output.json(
                    JSONReport.document(reports, summary, shard: shard.map { ($0, replay.entries.count) }))
            case "ndjson": try Output.json(JSONReport.value(summary), .compact)
            case "lotus": Output.note(text.text(summary))
            default:
                try Output.data(spent.text)
                try Output.data(text.text(summary))
            }
        }
    }
}

/// Where the time of a chain's replay went.
private struct ChainReplaySpeed {
    var tipsets = 0
    var messages = 0
    var wall: UInt64 = 0
    var executing: UInt64 = 0
    var loading: UInt64 = 0

    mutating func add(_ report: ChainReplay.Report) {
        wall += report.time.wall.nanoseconds
        guard case .success(let check) = report.result else { return }
        tipsets += 1
        messages += check.outcome.applied.count { $0.isExplicit }
        executing += check.outcome.applied.reduce(0) { $0 + $1.report.nanoseconds }
        loading += check.outcome.codeLoading.wall.nanoseconds
    }

    var text: String {
        let seconds = max(1e-9, Double(wall) / 1e9)
        func tenths(_ value: Double) -> String { String(Double(Int(value * 10 + 0.5)) / 10) }
        func share(_ part: UInt64) -> String { "\(Int(Double(part) * 100 / max(1, Double(wall)) + 0.5)) %" }
        let rest = wall - min(wall, executing + loading)
        return "\(tipsets) tipsets, \(tenths(Double(tipsets) / seconds)) a second, "
            + "\(tenths(Double(messages) / seconds)) messages of blocks a second; of the time messages took "
            + "\(share(executing)), code \(share(loading)), states and headers \(share(rest))"
    }
}
