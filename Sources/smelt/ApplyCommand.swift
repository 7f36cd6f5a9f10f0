import BlockFiles
import CommandTable
import FVM
import GasReport
import GasSchedule
import IPLD
import JSON
import Machine
import NativeEngine
import Primitives
import Replay
import StateTree

/// `smelt apply`: messages on a state in a file.
enum ApplyCommand {
    /// The gas that a block's messages may limit: what a message without a limit of its own is given to be estimated.
    private static let blockGasLimit: UInt64 = 10_000_000_000

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard let statePath = arguments.value("state"), let number = arguments.integer("network-version"),
            arguments.has("message")
        else { throw CommandFailure(.usage, "apply needs --state, --network-version and --message") }
        let output = arguments.value("output")
        if let output, output != "-", let obstacle = Files.obstacle(at: output) {
            throw CommandFailure(.failure, obstacle)
        }
        guard !arguments.has("estimate") || output == nil else {
            throw CommandFailure(.usage, "--estimate writes nothing, so --output has no place beside it")
        }
        let version = NetworkVersion(rawValue: UInt32(number))
        do { _ = try NetworkProfile.forVersion(version) } catch { throw CommandFailure(.badInput, error.description) }
        let messages = try MessageInput.all(arguments)
        let progress = Progress(enabled: !arguments.has("quiet"))
        defer { progress.finish() }
        let input = try ArchiveInput(statePath, arguments, progress: progress)
        let root = try input.stateRoot(progress: progress)
        let state: StateListing
        do throws(StateError) { state = try StateListing(root: root, store: input.store) } catch {
            throw CommandFailure(error, input.first.path)
        }
        guard state.runsWasm else {
            throw CommandFailure(
                .badInput,
                "\(input.first.path): state \(root) has version \(state.version): its actors are no WASM, "
                    + "messages cannot be applied to it")
        }
        let code = try arguments.all("bundle").map { (path) throws(CommandFailure) in
            try ArchiveInput.open(path, progress: progress)
        }
        let base = ArchiveBlockstore(input.archives + code)
        let engine = NativeEngine(source: ActorObjects(pool: try WorkerSetup.pool(arguments)))
        let application = StateApplication(
            engine: engine, environment: try MessageInput.environment(arguments),
            variant: Vector.Variant(
                id: "nv\(number)", epoch: Int64(arguments.integer("epoch") ?? 1), networkVersion: version))
        progress.update("messages run; actors without an object are compiled first")
        if arguments.has("estimate") {
            return try estimate(messages, application, root, base, input.first.path, arguments, progress)
        }
        let store = OverlayBlockstore(base: base)
        let report = application.apply(messages, root: root, store: store, file: input.first.path)
        progress.finish()
        if let output, let newRoot = report.stateRoot { try write(store, newRoot, to: output, arguments) }
        if output != "-", report.problem == nil || !report.messages.isEmpty {
            if arguments.value("format") == "json" {
                try Output.json(JSONReport.value(report))
            } else {
                try Output.data(TextReport(receipts: true).text(report))
            }
        }
        if let problem = report.problem {
            throw CommandFailure(
                report.isLocalFailure ? .localFailure : .badInput, "\(input.first.path): \(problem)")
        }
        return .success
    }

    private static func write(
        _ store: OverlayBlockstore, _ root: Cid, to output: String, _ arguments: Parsed
    ) throws(CommandFailure) {
        do throws(BlockFileError) {
            let form = arguments.value("form").flatMap(CarArchive.Form.init(rawValue:)) ?? .plain
            let writer = try ArchiveWriter(path: output, form: form, roots: [root])
            for cid in store.written {
                let data: [UInt8]?
                do throws(BlockstoreError) { data = try store.get(cid) } catch {
                    throw BlockFileError.system(path: output, doing: "write", reason: error.description)
                }
                if let data { try writer.append(cid, data) }
            }
            try writer.finish()
        } catch { throw CommandFailure(error) }
    }

    /// The smallest limit of each message, on the state that those before it leave under their own limits.
    private static func estimate(
        _ messages: [VectorMessage], _ application: StateApplication, _ root: Cid, _ base: any Blockstore,
        _ path: String, _ arguments: Parsed, _ progress: Progress
    ) throws(CommandFailure) -> ExitStatus {
        var applied: [VectorMessage] = []
        var rows: [JSONValue] = []
        for (index, message) in messages.enumerated() {
            progress.update("message \(index + 1) of \(messages.count)")
            var limited = message
            if message.message.gasLimit == 0 {
                do throws(MessageError) { limited = try message.limited(to: blockGasLimit) } catch {
                    throw CommandFailure(.badInput, error.description)
                }
            }
            let before = applied
            var search = GasLimitSearch(limited, at: index) { (limit) throws(MessageError) in
                application.apply(
                    before + [try limited.limited(to: limit)], root: root, store: OverlayBlockstore(base: base),
                    file: path)
            }
            let found: GasLimitSearch.Result
            do throws(GasLimitSearch.Failure) { found = try search.run() } catch {
                throw CommandFailure(error.isLocal ? .localFailure : .badInput, "\(path): \(error.description)")
            }
            do throws(MessageError) { applied.append(try limited.limited(to: found.limit)) } catch {
                throw CommandFailure(.badInput, error.description)
            }
            rows.append(
                .object([
                    "message": .integer(index), "exit_code": .integer(found.exitCode.rawValue),
                    "gas_limit": .integer(found.limit), "gas_used": .integer(found.gasUsed),
                    "runs": .integer(found.runs),
                ]))
        }
        progress.finish()
        try Output.report(
            .object(["schema": .string("smelt.estimate/1"), "messages": .array(rows)]),
            json: arguments.value("format") == "json")
        return .success
    }
}
