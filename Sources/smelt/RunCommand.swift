import ArtifactFormat
import CommandTable
import CompilePool
import Engine
import Glibc
import JSON
import NativeEngine
import WasmFormat

/// `smelt run`: calls one exported function of a module without syscalls.
enum RunCommand {
    /// The largest gas limit: what the FVM's counter holds, in milligas.
    private static let largestGas = Int64.max

    static func run(_ arguments: Parsed) throws(CommandFailure) -> ExitStatus {
        let path = arguments.positionals[0]
        let name = arguments.positionals[1]
        let module = try load(path, arguments)
        if let imported = module.facts.importedFunctions.first {
            let title = String(decoding: imported.module + Array("::".utf8) + imported.name, as: UTF8.self)
            throw CommandFailure(
                .badInput, "\(path): imports \(title); a module with syscalls runs under 'smelt replay' only")
        }
        guard let type = module.exportedFunctions.first(where: { $0.name == Array(name.utf8) })?.type else {
            let known = module.exportedFunctions.map { String(decoding: $0.name, as: UTF8.self) }
            throw CommandFailure(
                .usage, "\(path): no exported function '\(name)'; there are \(known.joined(separator: ", "))")
        }
        let slots = try values(Array(arguments.positionals.dropFirst(2)), for: type, name)
        let limit = arguments.integer("gas").map { Int64($0) * 1000 } ?? largestGas
        let start = processorTime()
        let result: DynamicCallResult
        do { result = try module.callDynamically(name, slots, gas: limit) } catch {
            throw CommandFailure(.failure, "\(path): \(error)")
        }
        let time = processorTime() - start
        return try report(result, type, limit: limit, time: time, path, json: arguments.has("json"))
    }

    private static func load(_ path: String, _ arguments: Parsed) throws(CommandFailure) -> NativeModule {
        let bytes = try Files.read(path)
        let object: [UInt8]
        if bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
            do { _ = try ArtifactFormat.verify(bytes, expecting: .runnable) } catch {
                throw CommandFailure(.integrity, "\(path): \(error.description)")
            }
            object = bytes
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

    private static func values(
        _ texts: [String], for type: FunctionType, _ name: String
    ) throws(CommandFailure) -> [UInt64] {
        guard texts.count == type.parameters.count else {
            throw CommandFailure(
                .usage, "\(name) is \(type.text): \(type.parameters.count) arguments, not \(texts.count)")
        }
        var slots: [UInt64] = []
        for (text, parameter) in zip(texts, type.parameters) {
            guard let slot = ValueText.parse(text, as: parameter) else {
                throw CommandFailure(.usage, "argument \(slots.count + 1): '\(text)' is not an \(parameter)")
            }
            slots.append(slot)
        }
        return slots
    }

    private static func report(
        _ result: DynamicCallResult, _ type: FunctionType, limit: Int64, time: UInt64, _ path: String, json: Bool
    ) throws(CommandFailure) -> ExitStatus {
        // At exhaustion all of the limit is used, whatever the block that failed would have cost.
        let used = min(result.gasUsed, limit)
        let gas = "\(used / 1000).\(String(String(used % 1000 + 1000).dropFirst()))"
        var results: [JSONValue] = []
        var trap: String?
        switch result.outcome {
        case .returned(let slots):
            results = zip(slots, type.results).map { slot, type in
                .object(["type": .string("\(type)"), "value": .string(ValueText.format(slot, as: type))])
            }
        case .trapped(let kind, let site): trap = describe(kind, site, path)
        case .endedByHost: trap = "ended by the host"
        }
        if json {
            let value = JSONValue.object([
                "schema": .string("smelt.run/1"), "results": .array(results), "gas_used": .string(gas),
                "trap": trap.map { .string($0) } ?? .null, "nanoseconds": .integer(time),
            ])
            try Output.data(value.text(.indented))
        } else {
            for result in results {
                try Output.data("\(result["type"]?.string ?? "") \(result["value"]?.string ?? "")")
            }
            try Output.data("gas \(gas)")
        }
        if let trap { Output.note("smelt: \(trap)") }
        return trap == nil ? .success : .failure
    }

    /// `trap: integer divide by zero in function 4 (divide) at 0x9e`
    private static func describe(_ trap: Trap, _ site: TrapSite?, _ path: String) -> String {
        guard let site else { return "trap: \(trap)" }
        var text = "trap: \(trap) in function \(site.function)"
        if let name = functionName(site.function, path) { text += " (\(name))" }
        if let offset = site.offset { text += " at 0x" + String(offset, radix: 16) }
        return text
    }

    /// The name from the module's name section or its exports, when the file is a module.
    private static func functionName(_ index: UInt32, _ path: String) -> String? {
        guard let bytes = try? Files.read(path), let module = try? Module.decode(bytes, profile: .fvm) else {
            return nil
        }
        return module.functionNames[index]
            ?? module.exports.first { $0.kind == .function && $0.index == index }?.name.text
    }

    /// This thread's processor time in nanoseconds.
    private static func processorTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
