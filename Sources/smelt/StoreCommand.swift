import ArtifactStore
import CommandTable
import JSON

/// `smelt store …`: looks after the store.
enum StoreCommand {
    /// The store of `--store`, or the default one.
    static func open(_ arguments: Parsed) throws(CommandFailure) -> ArtifactStore {
        let directory: String
        if let given = arguments.value("store") {
            directory = given
        } else {
            do { directory = try ArtifactStore.defaultDirectory() } catch {
                throw CommandFailure(.failure, error.description)
            }
        }
        return ArtifactStore(directory: directory) { Output.note("smelt: \($0)") }
    }

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let store = try open(arguments)
        do {
            switch arguments.path.last {
            case "ls": return try list(store, json: arguments.has("json"))
            case "verify": return try verify(store)
            case "prune": return try prune(store, all: arguments.has("all"))
            default: return try takeIn(store, from: arguments.positionals[0])
            }
        } catch let error as StoreError {
            throw CommandFailure(.failure, error.description)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure(.internalError, "\(error)")
        }
    }

    private static func list(_ store: ArtifactStore, json: Bool) throws -> ExitStatus {
        var status = ExitStatus.success
        let rows = try store.entries().map { entry -> JSONValue in
            switch entry.state {
            case .sound(let manifest, let origin):
                return .object([
                    "wasm": .string(manifest.inputs.wasm.text), "bytes": .integer(entry.size),
                    "origin": .string(origin.rawValue), "cpu": .string(manifest.inputs.cpu.rawValue),
                    "compiler": .string(manifest.inputs.compilerVersion),
                    "build": .string(String(manifest.inputs.compilerBuild.hex.prefix(12))),
                    "key": .string(manifest.inputs.key.hex), "damage": .null,
                ])
            case .unsound(let error):
                status = .integrity
                return .object([
                    "wasm": .string(""), "bytes": .integer(entry.size), "origin": .string(""), "cpu": .string(""),
                    "compiler": .string(""), "build": .string(""), "key": .string(""),
                    "damage": .string(error.description),
                ])
            }
        }
        let report = JSONValue.object([
            "schema": .string("smelt.store/1"), "directory": .string(store.directory), "objects": .array(rows),
        ])
        try Output.report(report, json: json)
        return status
    }

    private static func verify(_ store: ArtifactStore) throws -> ExitStatus {
        let (checked, unsound) = try store.verify()
        for error in unsound { Output.note("smelt: \(error.description); moved to quarantine") }
        try Output.data("\(checked) checked, \(unsound.count) damaged")
        return unsound.isEmpty ? .success : .integrity
    }

    private static func prune(_ store: ArtifactStore, all: Bool) throws -> ExitStatus {
        let removed = try store.prune(all: all, compiler: WorkerSetup.identityIfAvailable)
        try Output.data("\(removed.files) files removed, \(removed.size) bytes")
        return .success
    }

    private static func takeIn(_ store: ArtifactStore, from directory: String) throws -> ExitStatus {
        guard Files.isDirectory(directory) else { throw CommandFailure(.badInput, "\(directory): is not a directory") }
        let results = try store.importObjects(from: directory)
        guard !results.isEmpty else { throw CommandFailure(.badInput, "\(directory): holds no objects (*.so)") }
        var refused = 0
        for result in results {
            switch result.outcome {
            case .taken(let manifest): try Output.data("taken \(result.path) \(manifest.inputs.wasm.text)")
            case .known(let manifest): try Output.data("known \(result.path) \(manifest.inputs.wasm.text)")
            case .refused(let reason):
                refused += 1
                Output.note("smelt: refused: \(reason)")
            }
        }
        return refused == 0 ? .success : .integrity
    }
}
