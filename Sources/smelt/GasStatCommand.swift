import CommandTable
import GasReport
import JSON
import Measuring
import NativeEngine
import Replay

/// `smelt gas stat`: gas and time over any set of vectors.
enum GasStatCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let key = arguments.value("by").flatMap(GasStatistics.Key.init(rawValue:)) ?? .charge
        let rounds = Int(arguments.integer("rounds") ?? 5)
        if arguments.has("chain") { return try GasStatChain.run(arguments, by: key, rounds: rounds) }
        for option in ChainReplayInput.options where arguments.has(option) {
            throw CommandFailure(.usage, "--\(option) has no place without --chain")
        }
        guard !arguments.positionals.isEmpty else {
            throw CommandFailure(.usage, "gas stat needs a PATH, or --chain")
        }
        let map = key == .function ? CodeMap() : nil
        let sessions = try GasCommand.sessions(arguments, arguments.positionals, map: map)
        let measurement = Measurement(rounds: rounds)
        var statistics = GasStatistics(by: key)
        var leftOut = LeftOut()
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        for index in 0..<sessions.count {
            for opened in sessions.open(index) {
                switch opened {
                case .report(let report): leftOut.add(report)
                case .session(let session):
                    let outcome = measurement.measure(session)
                    if outcome.messages.isEmpty && !session.messages.isEmpty { leftOut.add(outcome.report) }
                    let functions = try map.map { (map) throws(CommandFailure) in
                        try GasCommand.functions(session, outcome.messages, map)
                    }
                    for (index, message) in outcome.messages.enumerated() {
                        statistics.add(message, functions: functions?[index] ?? [])
                    }
                    progress.update("\(index + 1)/\(sessions.count) vectors; last \(session.name)")
                }
            }
        }
        progress.finish()
        guard statistics.messages > 0 else {
            if leftOut.status != .success { return leftOut.status }
            throw CommandFailure(.badInput, "no message was measured")
        }
        switch arguments.value("format") ?? "text" {
        case "json": try Output.json(statistics.document(rounds: rounds, left: leftOut.rows))
        case "csv": try Output.raw(Array(CSV.text(statistics.table).utf8))
        default: try Output.report(statistics.document(rounds: rounds, left: leftOut.rows), json: false)
        }
        return leftOut.status
    }
}
