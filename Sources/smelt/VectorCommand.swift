import Bundle
import CommandTable
import FVM
import GasSchedule
import IPLD
import JSON
import Machine
import NativeEngine
import Primitives
import Replay

/// `smelt vector make`: messages on a state, and what came of them as a vector.
enum VectorCommand {
    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        guard let statePath = arguments.value("state"), let number = arguments.integer("network-version"),
            let output = arguments.value("output"), arguments.has("message")
        else {
            throw CommandFailure(.usage, "vector make needs --state, --network-version, --message and --output")
        }
        for path in [output, arguments.value("output-state")] {
            if let path, path != "-", let obstacle = Files.obstacle(at: path) {
                throw CommandFailure(.failure, obstacle)
            }
        }
        let version = NetworkVersion(rawValue: UInt32(number))
        do { _ = try NetworkProfile.forVersion(version) } catch { throw CommandFailure(.badInput, error.description) }
        let messages = try MessageInput.all(arguments)
        let car: Car
        let archive = try Files.read(statePath)
        do throws(CarError) { car = try Car.read(archive) } catch {
            throw CommandFailure(.badInput, "\(statePath): \(error)")
        }
        let bundles = try BundleInput.all(arguments)

        let engine = NativeEngine(source: ActorObjects(pool: try WorkerSetup.pool(arguments)))
        let progress = Progress(enabled: !arguments.has("quiet") && !Output.dataIsTerminal)
        progress.update("messages run; actors without an object are compiled first")
        defer { progress.finish() }
        let epoch = Int64(arguments.integer("epoch") ?? 1)
        let name = output == "-" ? "messages" : stem(output)
        let made: VectorMaker.Made
        let vector: [UInt8]
        do {
            made = try VectorMaker(engine: engine, bundles: bundles).make(
                name: name, description: "Made by smelt vector make", state: car, file: statePath,
                environment: try MessageInput.environment(arguments),
                variant: Vector.Variant(id: "nv\(number)", epoch: epoch, networkVersion: version), messages: messages)
            vector = try made.vector.encoded()
        } catch let error as VectorMakeError {
            if case .local(let text) = error { throw CommandFailure(.localFailure, text) }
            throw CommandFailure(.badInput, error.description)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw CommandFailure(.internalError, "\(error)")
        }
        progress.finish()
        if let path = arguments.value("output-state") { try Files.write(made.state.write(), to: path) }
        guard output != "-" else {
            try Output.raw(vector)
            return .success
        }
        try Files.write(vector, to: output)
        try report(made, json: arguments.has("json"))
        return .success
    }

    /// The file's name without directories and extension: what replaying calls the vector.
    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".json") && name.count > 5 ? String(name.dropLast(5)) : name
    }

    private static func report(_ made: VectorMaker.Made, json: Bool) throws(CommandFailure) {
        let created = JSONValue.array(
            made.created.map { actor in
                .object([
                    "id": .string("f0\(actor.id)"), "code": .string(actor.code),
                    "address": actor.address.map { .string($0.text()) } ?? .null,
                    "ethereum": AddressText.ethereum(actor.address).map { .string($0) } ?? .null,
                ])
            })
        guard !json else {
            return try Output.json(.object(["vector": JSONReport.value(made.report), "created": created]))
        }
        try Output.data(TextReport(receipts: true).text(made.report))
        if !made.created.isEmpty { try Output.data(ReportText.render(.object(["created": created]))) }
    }
}
