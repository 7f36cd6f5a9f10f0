import CommandTable
import GasReport
import JSON
import NativeEngine
import Replay

/// `smelt gas trace`: one message charge by charge, with times.
enum GasTraceCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let map = CodeMap()
        let session = try GasCommand.session(arguments, map: map)
        let index = try GasCommand.message(arguments, of: session)
        let outcome = Measurement(rounds: Int(arguments.integer("rounds") ?? 20)).measure(session)
        guard outcome.messages.indices.contains(index) else {
            let status: ExitStatus = outcome.report.isLocalFailure ? .localFailure : .failure
            throw CommandFailure(status, outcome.report.reason)
        }
        let message = outcome.messages[index]
        let functions =
            arguments.has("no-functions") ? nil : try GasCommand.functions(session, outcome.messages, map)[index]
        let stacks = CallStacks(message, functions: functions ?? [])
        switch arguments.value("format") ?? "text" {
        case "json": try Output.json(TraceReport.document(message, functions: functions))
        case "ndjson":
            for span in message.timeline.spans.indices { try Output.json(TraceReport.span(message, span), .compact) }
        case "folded":
            let weight = arguments.value("weight").flatMap(CallStacks.Weight.init(rawValue:)) ?? .gas
            try Output.data(stacks.folded(by: weight))
        case "speedscope": try Output.json(stacks.speedscope, .compact)
        case "html": try Output.raw(Array(FlamePage(message, stacks).html.utf8))
        default:
            try Output.data(TraceReport.text(message))
            if let functions { try Output.data(TraceReport.functions(message, functions)) }
        }
        guard message.gasAddsUp != false else {
            throw CommandFailure(.internalError, "the charges of message \(index) do not add up to its receipt")
        }
        return .success
    }
}
