import CommandTable
import GasReport
import JSON
import Replay

/// `smelt gas trace`: one message charge by charge, with times.
enum GasTraceCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let session = try GasCommand.session(arguments)
        let index = try GasCommand.message(arguments, of: session)
        let outcome = Measurement(rounds: Int(arguments.integer("rounds") ?? 20)).measure(session)
        guard outcome.messages.indices.contains(index) else {
            let status: ExitStatus = outcome.report.isLocalFailure ? .localFailure : .failure
            throw CommandFailure(status, GasCommand.reason(outcome.report))
        }
        let message = outcome.messages[index]
        let stacks = CallStacks(message)
        switch arguments.value("format") ?? "text" {
        case "json": try Output.json(TraceReport.document(message))
        case "ndjson":
            for span in message.timeline.spans.indices { try Output.json(TraceReport.span(message, span), .compact) }
        case "folded":
            let weight = arguments.value("weight").flatMap(CallStacks.Weight.init(rawValue:)) ?? .gas
            try Output.data(stacks.folded(by: weight))
        case "speedscope": try Output.json(stacks.speedscope, .compact)
        case "html": try Output.raw(Array(FlamePage(message, stacks).html.utf8))
        default: try Output.data(TraceReport.text(message))
        }
        guard message.gasAddsUp != false else {
            throw CommandFailure(.internalError, "the charges of message \(index) do not add up to its receipt")
        }
        return .success
    }
}
