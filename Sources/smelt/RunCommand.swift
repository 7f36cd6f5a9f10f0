import ArtifactFormat
import CommandTable
import CompilePool
import Engine
import Glibc
import JSON
import NativeEngine
import Primitives
import WasmFormat

/// `smelt run`: calls one exported function of a module without syscalls.
enum RunCommand {
    /// The largest gas limit: what the FVM's counter holds, in milligas.
    private static let largestGas = Int64.max

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let path = arguments.positionals[0]
        let name = arguments.positionals[1]
        let bytes = try Files.read(path)
        let module = try load(bytes, path, arguments)
        let type = try callable(name, in: module, path)
        let slots = try values(Array(arguments.positionals.dropFirst(2)), for: type, name)
        let limit = arguments.integer("gas").map { Int64($0) * 1000 } ?? largestGas
        let start = processorTime()
        let result: DynamicCallResult
        do { result = try module.callDynamically(name, slots, gas: limit) } catch {
            throw CommandFailure(.failure, "\(path): \(error)")
        }
        let time = processorTime() - start
        return try report(result, type, limit: limit, time: time, bytes, json: arguments.has("json"))
    }

    /// The type of an exported function of a module that imports nothing.
    static func callable(_ name: String, in module: NativeModule, _ path: String) throws(CommandFailure) -> FunctionType
    {
        if let imported = module.facts.importedFunctions.first {
            let title = String(decoding: imported.module + Array("::".utf8) + imported.name, as: UTF8.self)
            throw CommandFailure(
                .badInput,
                "\(path): imports \(title.printable()); a module with syscalls runs under 'smelt replay' only")
        }
        guard !module.facts.importsOtherThanFunctions else {
            throw CommandFailure(
                .badInput, "\(path): imports a memory, a table or a global; the FVM links functions only")
        }
        guard let type = module.exportedFunctions.first(where: { $0.name == Array(name.utf8) })?.type else {
            throw CommandFailure(.usage, "\(path): " + unknown(name, module))
        }
        return type
    }

    /// `no exported function 'gdc'; did you mean 'gcd'? There are divide, gcd, half`
    private static func unknown(_ name: String, _ module: NativeModule) -> String {
        let known = module.exportedFunctions.map { String(decoding: $0.name, as: UTF8.self) }
        let text = "no exported function '\(name.printable())'"
        guard !known.isEmpty else { return text + "; the module exports none" }
        let near = nearest(name, among: known).map { "; did you mean '\($0.printable())'?" } ?? ";"
        let most = 20
        let shown = known.prefix(most).map { $0.isEmpty ? "''" : $0.printable() }.joined(separator: ", ")
        let rest = known.count > most ? " and \(known.count - most) more ('smelt inspect' lists all)" : ""
        return text + near + " there are " + shown + rest
    }

    static func load(
        _ bytes: [UInt8], _ path: String, _ arguments: Parsed
    ) throws(CommandFailure) -> NativeModule {
        let object: LoadableObject
        if bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
            do { object = try ArtifactFormat.open(bytes, expecting: .runnable).object } catch {
                throw CommandFailure(.integrity, "\(path): \(error.description)")
            }
        } else {
            let input = CompileInput(name: CompileSource.stem(path), wasm: bytes)
            switch try WorkerSetup.pool(arguments).load(code: input.cid, wasm: { bytes }) {
            case .compiled(let actor)?: object = actor.object
            case .refused(let reason)?: throw CommandFailure(.badInput, "\(path): refused: \(reason)")
            case .failed(let failure)?: throw CommandFailure(.failure, "\(path): not compiled: \(failure)")
            case nil: throw CommandFailure(.internalError, "\(path): lost its bytes")
            }
        }
        do { return try NativeModule(object: object) } catch { throw CommandFailure(.failure, "\(path): \(error)") }
    }

    static func values(
        _ texts: [String], for type: FunctionType, _ name: String
    ) throws(CommandFailure) -> [UInt64] {
        guard texts.count == type.parameters.count else {
            let count = type.parameters.count
            throw CommandFailure(
                .usage,
                "\(name.printable()) is \(type.text): it takes \(count) argument\(count == 1 ? "" : "s"), not "
                    + "\(texts.count)")
        }
        var slots: [UInt64] = []
        for (text, parameter) in zip(texts, type.parameters) {
            guard let slot = ValueText.parse(text, as: parameter) else {
                throw CommandFailure(
                    .usage, "argument \(slots.count + 1): '\(text)' is not \(ValueText.expectation(parameter))")
            }
            slots.append(slot)
        }
        return slots
    }

    private static func report(
        _ result: DynamicCallResult, _ type: FunctionType, limit: Int64, time: UInt64, _ bytes: [UInt8], json: Bool
    ) throws(CommandFailure) -> ExitStatus {
        // At exhaustion all of the limit is used, whatever the block that failed would have cost.
        let used = min(result.gasUsed, limit)
        let gas = "\(used / 1000).\(String(String(used % 1000 + 1000).dropFirst()))"
        var results: [JSONValue] = []
        var trap: TrapText?
        var ending: String?
        switch result.outcome {
        case .returned(let slots):
            results = zip(slots, type.results).map { slot, type in
                .object(["type": .string("\(type)"), "value": .string(ValueText.format(slot, as: type))])
            }
        case .trapped(let kind, let site):
            trap = TrapText(kind, site, wasm: bytes)
            ending = trap?.text
        case .endedByHost: ending = "ended by the host"
        }
        if json {
            let value = JSONValue.object([
                "schema": .string("smelt.run/1"), "results": .array(results), "gas_used": .string(gas),
                "trap": trap?.json ?? .null, "nanoseconds": .integer(time),
            ])
            try Output.json(value)
        } else {
            for result in results {
                try Output.data("\(result["type"]?.string ?? "") \(result["value"]?.string ?? "")")
            }
            try Output.data("gas \(gas)")
        }
        if let ending { Output.note("smelt: \(ending)") }
        return ending == nil ? .success : .failure
    }

    /// This thread's processor time in nanoseconds.
    private static func processorTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
