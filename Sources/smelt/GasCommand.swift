import CommandTable

/// `smelt gas …`: whether gas measures time.
enum GasCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        switch arguments.path.last {
        case "operators": return try GasOperatorsCommand.run(arguments)
        case "search": return try GasSearchCommand.run(arguments)
        default: return try GasMeasureCommand.run(arguments)
        }
    }
}
