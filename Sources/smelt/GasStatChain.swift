import CommandTable
import FVM
import GasReport
import JSON
import Measuring
import NativeEngine
import Replay
import Tipsets

/// `smelt gas stat --chain`: gas and time over tipsets, cron and rewards apart from the messages of blocks.
enum GasStatChain {
    /// A kind of message, with what it adds up to.
    private struct Part {
        let name: String
        var statistics: GasStatistics
    }

    static func run(
        _ arguments: Parsed, by key: GasStatistics.Key, rounds: Int
    ) throws(CommandFailure) -> ExitStatus {
        guard arguments.positionals.isEmpty else {
            throw CommandFailure(.usage, "--chain measures tipsets, so vectors have no place beside it")
        }
        guard key != .function else {
            throw CommandFailure(
                .usage, "--by function is of vectors: 'smelt replay --chain FILE --extract DIR' makes them")
        }
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        defer { progress.finish() }
        let engine = NativeEngine(source: ActorObjects(pool: try WorkerSetup.pool(arguments)))
        let input = try ChainReplayInput(arguments, engine: engine, readsAhead: false, progress: progress)
        let measurement = Measurement(rounds: rounds)
        var parts = ["messages", "rewards", "cron"].map { Part(name: $0, statistics: GasStatistics(by: key)) }
        var leftOut = LeftOut()
        var tipsets = 0
        input.replay.execution.keepsStates = true
        for (done, index) in input.replay.entries.indices.enumerated() {
            let result = input.replay.run(index)
            guard result.height > 0 else { continue }
            guard case .success(let check) = result.result, check.isEqual else {
                leftOut.add(result.vectorReport(file: input.path, damage: input.store.damage))
                continue
            }
            tipsets += 1
            for (number, applied) in check.outcome.applied.enumerated() {
                progress.update(
                    "height \(result.height), message \(number) of \(check.outcome.applied.count); "
                        + "\(done) of \(input.replay.entries.count) tipsets")
                let alone: RetracedMessage
                do throws(ExtractionFailure) {
                    alone = try input.replay.message(number, of: check, file: input.path)
                } catch { throw CommandFailure(.failure, error.description) }
                let outcome = measurement.measure(alone)
                if outcome.messages.isEmpty { leftOut.add(outcome.report) }
                for message in outcome.messages { parts[part(applied.step)].statistics.add(message) }
            }
        }
        progress.finish()
        guard parts.contains(where: { $0.statistics.messages > 0 }) else {
            if leftOut.status != .success { return leftOut.status }
            throw CommandFailure(.badInput, "no message was measured")
        }
        try show(parts, tipsets, arguments, key, rounds, leftOut)
        return leftOut.status
    }

    private static func part(_ step: TipsetPlan.Step) -> Int {
        switch step {
        case .message: 0
        case .reward: 1
        case .cron: 2
        }
    }

    private static func show(
        _ parts: [Part], _ tipsets: Int, _ arguments: Parsed, _ key: GasStatistics.Key, _ rounds: Int,
        _ leftOut: LeftOut
    ) throws(CommandFailure) {
        let format = arguments.value("format") ?? "text"
        guard format != "csv" else {
            let rows = parts.flatMap { part in
                (part.statistics.table.array ?? []).map { row in
                    JSONValue.object([.init("of", .string(part.name))] + (row.members ?? []))
                }
            }
            return try Output.raw(Array(CSV.text(.array(rows)).utf8))
        }
        let document = JSONValue.object(
            [
                .init("schema", .string("smelt.gas.stat.chain/1")), .init("tipsets", .integer(tipsets)),
                .init("by", .string(key.rawValue)), .init("rounds", .integer(rounds)),
                .init("left_out", .array(leftOut.rows)),
            ] + parts.map { .init($0.name, $0.statistics.summary) })
        try Output.report(document, json: format == "json")
    }
}
