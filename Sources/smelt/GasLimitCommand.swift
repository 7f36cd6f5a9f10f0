import CommandTable
import GasReport
import JSON

/// `smelt gas limit`: the smallest gas limit with which a message ends as it did.
enum GasLimitCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let session = try GasCommand.session(arguments)
        let index = try GasCommand.message(arguments, of: session)
        let recorded = session.run()
        guard recorded.status == .passed || recorded.status == .ran else {
            throw CommandFailure(recorded.isLocalFailure ? .localFailure : .failure, recorded.reason)
        }
        var search = GasLimitSearch(session, message: index)
        let found: GasLimitSearch.Result
        do throws(GasLimitSearch.Failure) { found = try search.run() } catch {
            throw CommandFailure(error.isLocal ? .localFailure : .failure, "\(session.name): \(error.description)")
        }
        try Output.report(
            .object([
                "schema": .string("smelt.gas.limit/1"), "vector": .string(session.name), "message": .integer(index),
                "exit_code": .integer(found.exitCode.rawValue), "smallest_limit": .integer(found.limit),
                "gas_used": .integer(found.gasUsed),
                "with_one_less": found.below.map { below in
                    .object([
                        "exit_code": .integer(below.exitCode.rawValue), "gas_used": .integer(below.gasUsed),
                    ])
                } ?? .null,
                "own_limit": .integer(found.originalLimit), "gas_used_under_own_limit": .integer(found.originalGasUsed),
                "a_smaller_limit_that_works_too": found.smaller.map { .integer($0) } ?? .null,
                "runs": .integer(found.runs),
            ]), json: arguments.value("format") == "json")
        return .success
    }
}
