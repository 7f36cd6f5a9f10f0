import CommandTable
import Glibc

/// The entry point: parse by the table, run the command, end with its status.
@main
struct Main {
    static func main() {
        // A worker's pipe that closes is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        Output.occupyStandardDescriptors()
        MemoryReserve.prepare()
        Interruption.prepare()
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
        do {
            return try dispatch(try smeltCommand.parse(arguments))
        } catch let error as UsageError {
            Output.note("smelt: \(error)")
            return .usage
        } catch let failure as CommandFailure {
            Output.note("smelt: \(failure.message)")
            return failure.status
        } catch {
            Output.note("smelt: \(error)")
            return .internalError
        }
    }

    private static func dispatch(_ parsed: Parsed) throws -> ExitStatus {
        if parsed.has("help") {
            try Output.data(parsed.command.help(path: parsed.path), terminator: "")
            return .success
        }
        switch parsed.path.dropFirst().first {
        case "compile": return try CompileCommand.run(parsed)
        case "inspect": return try InspectCommand.run(parsed)
        case "run": return try RunCommand.run(parsed)
        case "replay": return try ReplayCommand.run(parsed)
        case "genesis": return try GenesisCommand.run(parsed)
        case "message": return try MessageCommand.run(parsed)
        case "vector": return try VectorCommand.run(parsed)
        case "bundle": return try BundleCommand.run(parsed)
        case "apply": return try ApplyCommand.run(parsed)
        case "chain": return try ChainCommand.run(parsed)
        case "state": return try StateCommand.run(parsed)
        case "report": return try ReportCommand.run(parsed)
        case "gas": return try GasCommand.run(parsed)
        case "store": return try StoreCommand.run(parsed)
        case "version": return try VersionCommand.run(parsed)
        default: return try root(parsed)
        }
    }

    private static func root(_ parsed: Parsed) throws -> ExitStatus {
        if let name = parsed.value("generate-completion-script"), let shell = Shell(rawValue: name) {
            try Output.data(smeltCommand.completionScript(shell), terminator: "")
        } else if parsed.has("generate-man-page") {
            try Output.data(smeltCommand.manPage(version: VersionCommand.version), terminator: "")
        } else if parsed.has("version") {
            try Output.data("smelt \(VersionCommand.version)")
        }
        return .success
    }
}
