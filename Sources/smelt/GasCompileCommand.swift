import CodeSettings
import CommandTable
import CompilePool
import GasBench
import JSON
import Measuring

/// `smelt gas compile`: what compiling takes and makes, by byte, function and block of WASM.
enum GasCompileCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        var inputs: [CompileInput] = []
        for path in arguments.positionals { inputs += try CompileSource(path: path).inputs }
        let progress = Progress(enabled: !arguments.has("quiet"))
        let json = try measure(inputs, arguments, rounds: Int(arguments.integer("rounds") ?? 3), progress)
        progress.finish()
        if arguments.value("format") == "json" {
            try Output.json(json)
        } else {
            try Output.report(text(json), json: false)
        }
        return .success
    }

    /// Estimates in one cell each, for people.
    private static func text(_ json: JSONValue) -> JSONValue {
        func cell(_ value: JSONValue, _ name: String) -> JSONValue {
            func number(_ value: JSONValue?) -> String {
                value?.double.map { Decimal.text($0, abs($0) < 1_000 ? 3 : 0) } ?? ""
            }
            if value["low"] != nil {
                return .string("\(number(value["value"])) (\(number(value["low"])) to \(number(value["high"])))")
            }
            return ["r_squared", "object_per_byte"].contains(name) && !value.isNull ? .number(number(value)) : value
        }
        return .object(
            (json.members ?? []).map { member in
                guard let rows = member.value.array else { return member }
                return .init(
                    member.name,
                    .array(
                        rows.map { row in
                            .object((row.members ?? []).map { .init($0.name, cell($0.value, $0.name)) })
                        }))
            })
    }

    /// Compiles without a store, with one process at a time: what another one does at the same time is not in the time.
    static func measure(
        _ inputs: [CompileInput], _ arguments: Parsed, tier: Tier? = nil, rounds: Int, _ progress: Progress
    ) throws(CommandFailure) -> JSONValue {
        var settings = WorkerSetup.settings(arguments)
        if let tier { settings.tier = tier }
        let chosen = settings
        let pool = { CompilePool(store: nil, settings: chosen, jobs: 1) }
        do throws(BenchError) {
            return try CompileCosts.measure(inputs, settings: chosen, rounds: rounds, pool: pool) { state in
                progress.update("\(state.stage), round \(state.done + 1) of \(state.total)")
            }.json
        } catch { throw GasBenchSetup.failure(error) }
    }
}
