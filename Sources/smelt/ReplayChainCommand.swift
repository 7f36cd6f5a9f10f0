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
    private static let excluded = ["golden", "bless", "rounds", "jobs", "perf-map"]

    static func run(_ arguments: Parsed, engine: any ActorEngine) throws(CommandFailure) -> ExitStatus {
        guard arguments.positionals.isEmpty else {
            throw CommandFailure(.usage, "--chain replays tipsets, so vectors have no place beside it")
        }
        for option in excluded where arguments.has(option) {
            throw CommandFailure(.usage, "--\(option) has no place beside --chain")
        }
        let shard = try ReplayCommand.shard(arguments)
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        defer { progress.finish() }
        // Of a part, the next tipset is often another's.
        let input = try ChainReplayInput(arguments, engine: engine, readsAhead: shard == nil, progress: progress)
        return try Run(arguments, input, shard, progress).run()
    }

    /// A replay on its way to its reports.
    private final class Run {
        let arguments: Parsed
        let input: ChainReplayInput
        let shard: Shard?
        let progress: Progress
        let format: String
        let text: TextReport
        let lotus: LotusTrace?
        var invocations: [JSONValue] = []
        var reports: [VectorReport] = []
        var summary = ReplaySummary()
        var spent = ChainReplaySpeed()
        /// The one message of the one tipset that is traced or written; nil is all.
        let message: Int?
        var extraction: ChainExtraction

        private var path: String { input.path }
        private var replay: ChainReplay { input.replay }

        init(
            _ arguments: Parsed, _ input: ChainReplayInput, _ shard: Shard?, _ progress: Progress
        ) throws(CommandFailure) {
            self.arguments = arguments
            self.input = input
            self.shard = shard
            message = arguments.integer("message").map { Int($0) }
            extraction = try ChainExtraction(arguments, input)
            guard
                message == nil || ["trace", "extract"].contains(where: arguments.has)
                    || arguments.value("format") == "lotus"
            else { throw CommandFailure(.usage, "--message says what --trace, --extract or --format lotus is of") }
            guard message == nil || input.replay.entries.count == 1 else {
                throw CommandFailure(
                    .usage, "--message is of one tipset, and \(input.replay.entries.count) are to be replayed")
            }
            self.progress = progress
            format = arguments.value("format") ?? "text"
            text = TextReport(receipts: arguments.has("receipts"))
            lotus = format == "lotus" ? LotusTrace() : nil
        }

        func run() throws(CommandFailure) -> ExitStatus {
            let execution = replay.execution
            let directory = arguments.value("trace")
            if let directory { try Files.makeDirectory(directory) }
            execution.keepsStates = message != nil || extraction.wantsMessages
            if let lotus, message == nil {
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
                let file: TraceFile?
                do throws(FileError) {
                    file = try directory.map { (path) throws(FileError) in
                        try TraceFile(path: "\(path)/height-\(height).trace.jsonl")
                    }
                } catch { throw CommandFailure(.failure, error.description) }
                let observer = observer(file)
                execution.observer = message == nil ? observer : nil
                let result = replay.run(index)
                let failure = follow(result, observer)
                do throws(FileError) { try file?.finish(complete: failure == nil) } catch {
                    throw CommandFailure(.failure, error.description)
                }
                if let failure { throw failure }
                try take(result, index)
                try extraction.write(result, index, message: message)
                if arguments.has("fail-fast"), summary.failed > 0 { break }
            }
            progress.finish()
            try finish()
            if summary.localFailures > 0 { return .localFailure }
            if summary.badInputs > 0 { return .badInput }
            if summary.failed > 0 || extraction.failed > 0 { return .failure }
            return arguments.has("require-all") && summary.skipped > 0 ? .failure : .success
        }

        /// Everybody who follows the messages of a tipset; nil where nobody does.
        private func observer(_ file: TraceFile?) -> (any MessageObserver)? {
            var observers: [any MessageObserver] = []
            if let file { observers.append(TraceLines(golden: nil, file: file)) }
            if let lotus { observers.append(lotus) }
            return observers.count > 1 ? TraceFan(observers) : observers.first
        }

        /// Runs the one message that is to be followed once more, alone.
        private func follow(
            _ result: ChainReplay.Report, _ observer: (any MessageObserver)?
        ) -> CommandFailure? {
            guard let message, case .success(let check) = result.result else { return nil }
            do throws(ExtractionFailure) {
                let alone = try replay.message(message, of: check, file: path)
                guard let observer else { return nil }
                let report = alone.run(observer: observer, number: message)
                if let problem = report.problem { return CommandFailure(.failure, "\(alone.name): \(problem)") }
                if let lotus, let made = report.messages.first, let whole = made.result, let sent = made.message,
                    let cid = made.cid
                {
                    invocations.append(lotus.result(sent, cid: cid, whole, nanoseconds: made.nanoseconds))
                }
                return nil
            } catch { return CommandFailure(.usage, "--message \(message): \(error)") }
        }

        private func take(_ result: ChainReplay.Report, _ index: Int) throws(CommandFailure) {
            var report = result.vectorReport(file: path, damage: input.store.damage)
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
    var reading: UInt64 = 0

    mutating func add(_ report: ChainReplay.Report) {
        wall += report.time.wall.nanoseconds
        reading += report.reading.wall.nanoseconds
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
        let rest = wall - min(wall, executing + loading + reading)
        return "\(tipsets) tipsets, \(tenths(Double(tipsets) / seconds)) a second, "
            + "\(tenths(Double(messages) / seconds)) messages of blocks a second; of the time messages took "
            + "\(share(executing)), code \(share(loading)), headers and messages read \(share(reading)), "
            + "states \(share(rest))"
    }
}
