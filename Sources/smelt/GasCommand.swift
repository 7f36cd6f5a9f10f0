import Bundle
import CommandTable
import FVM
import GasReport
import GasSchedule
import JSON
import NativeEngine
import Primitives
import Replay

/// `smelt gas …`: whether gas measures time.
enum GasCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        switch arguments.path.last {
        case "report": return try GasReportCommand.run(arguments)
        case "diff": return try GasDiffCommand.run(arguments)
        case "price": return try GasPriceCommand.run(arguments)
        case "stat": return try GasStatCommand.run(arguments)
        case "trace": return try GasTraceCommand.run(arguments)
        case "limit": return try GasLimitCommand.run(arguments)
        case "operators": return try GasOperatorsCommand.run(arguments)
        case "compile": return try GasCompileCommand.run(arguments)
        case "whatif": return try GasWhatIfCommand.run(arguments)
        case "search": return try GasSearchCommand.run(arguments)
        default: return try GasMeasureCommand.run(arguments)
        }
    }

    /// The vectors a command line names, on an engine that waits for compiled code: what is measured runs in one tier.
    /// - Parameters:
    ///   - map: told where code is mapped.
    ///   - more: bundles besides those that `--bundle` names.
    static func sessions(
        _ arguments: Parsed, _ paths: [String], map: CodeMap? = nil, bundles more: [ActorBundle] = []
    ) throws(CommandFailure) -> VectorSessions {
        let version = try NetworkVersionInput.version(arguments)
        let bundles = more + (try BundleInput.all(arguments))
        let engine = NativeEngine(source: ActorObjects(pool: try WorkerSetup.pool(arguments)), codeMap: map)
        do throws(ReplayError) {
            return try VectorSessions(
                paths, networkVersion: version, engine: engine, bundles: bundles)
        } catch { throw CommandFailure(error) }
    }

    /// The one variant of the one vector that a command is about.
    static func session(_ arguments: Parsed, map: CodeMap? = nil) throws(CommandFailure) -> VectorSession {
        let path = arguments.positionals[0]
        let sessions = try sessions(arguments, [path], map: map)
        guard sessions.count == 1 else {
            throw CommandFailure(.usage, "\(path): \(sessions.count) vectors; name one")
        }
        var found: [VectorSession] = []
        var refused: VectorReport?
        for opened in sessions.open(0) {
            switch opened {
            case .session(let session): found.append(session)
            case .report(let report): refused = refused ?? report
            }
        }
        guard let session = found.first else {
            throw CommandFailure(.badInput, refused.map(\.reason) ?? "\(path): no variant")
        }
        guard found.count == 1 else {
            let versions = found.map { "\($0.networkVersion.rawValue)" }.joined(separator: ", ")
            throw CommandFailure(.usage, "\(path): variants of network versions \(versions): name one")
        }
        return session
    }

    /// The message of a vector that a command is about, counted from 0.
    static func message(_ arguments: Parsed, of session: VectorSession) throws(CommandFailure) -> Int {
        let index = Int(arguments.integer("message") ?? 0)
        guard index < session.messages.count else {
            throw CommandFailure(
                .usage, "--message \(index): \(session.name) has \(session.messages.count) messages, counted from 0")
        }
        return index
    }

    /// Gas and time of the functions inside guest code, by message.
    static func functions(
        _ session: VectorSession, _ messages: [MeasuredMessage], _ map: CodeMap
    ) throws(CommandFailure) -> [[FunctionProfile.Row]] {
        do throws(FunctionProfile.Failure) {
            return try FunctionProfile(session, messages, map: map).messages
        } catch { throw CommandFailure(.failure, error.description) }
    }
}

/// Vectors that do not count, with what the command's status becomes for them.
struct LeftOut {
    private(set) var rows: [JSONValue] = []
    private(set) var status = ExitStatus.success

    /// Notes one; of another network version than asked for it is nobody's fault.
    mutating func add(_ report: VectorReport) {
        if report.isOtherVersion { return }
        let reason = report.reason
        Output.note("smelt: left out: \(reason)")
        rows.append(.object(["vector": .string(report.name), "reason": .string(reason)]))
        if case .skipped = report.status { return }
        if report.isLocalFailure { status = .localFailure } else if status == .success { status = .failure }
    }
}
