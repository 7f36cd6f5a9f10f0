import ArtifactFormat
import CActorRuntime
import Compiler
import Engine
import GasSchedule
import Lowering
import Metering
import Validator
import WasmFormat
import WasmReference

/// Everything a run of a module shows.
struct Observation: Equatable {
    enum Outcome: Equatable {
        case returned([UInt64])
        case trapped(Int32)
    }
    /// Of instantiation, then of each call.
    var outcomes: [Outcome] = []
    /// The counter after each of them, milligas.
    var gas: [Int64] = []
    /// Calls of imports: index, arguments and the counter the host saw.
    var hostCalls: [[UInt64]] = []
    /// FNV-1a of memory and its size at the end.
    var memory: UInt64 = 0
    var memoryBytes: UInt64 = 0
}

/// A call to make: an export and its arguments.
struct GuestCall {
    var export: String
    var arguments: [UInt64]
}

/// What both hosts do when a guest calls an import: the answer depends on nothing but the call and its number.
struct ScriptedHost {
    var calls: [[UInt64]] = []

    mutating func answer(_ index: Int, _ arguments: [UInt64], gas: inout Int64) -> UInt64 {
        calls.append([UInt64(index)] + arguments + [UInt64(bitPattern: gas)])
        gas -= 1_000
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for word in arguments { hash = (hash ^ word) &* 0x100_0000_01B3 }
        return hash &+ UInt64(calls.count)
    }
}

func memoryHash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    // Memory is mostly zero: skip runs of it cheaply.
    var index = 0
    while index < bytes.count {
        if bytes[index] != 0 {
            hash = ((hash ^ UInt64(index)) &* 0x100_0000_01B3 ^ UInt64(bytes[index])) &* 0x100_0000_01B3
        }
        index += 1
    }
    return hash
}

/// A module accepted by the front end, ready to run on either executor.
struct TestModule {
    let module: ValidatedModule
    let plan: MeteringPlan?

    init(_ bytes: [UInt8], metered: Bool = true, profile: AcceptanceProfile = .fvm) throws {
        module = try ValidatedModule.validate(Module.decode(bytes, profile: profile), profile: profile)
        plan = metered ? try MeteringPlan.make(module, prices: .fvm, profile: profile) : nil
    }

    /// Results that do not fill their slot: i32 and f32 count 32 bits.
    func resultIsNarrow(_ export: String) -> Bool {
        guard let entry = module.module.export(named: Name(bytes: Array(export.utf8))), entry.kind == .function,
            let result = module.module.functionType(entry.index)?.results.first
        else { return false }
        return result == .i32 || result == .f32
    }

    // MARK: The interpreter

    private final class Handler: ImportHandler {
        var host = ScriptedHost()
        func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome {
            var gas = guest.gasCounter
            var list: [UInt64] = []
            for position in arguments.indices { list.append(arguments[position]) }
            let answer = host.answer(index, list, gas: &gas)
            guest.gasCounter = gas
            return .result(answer)
        }
    }

    func interpret(_ calls: [GuestCall], gas: Int64) throws -> Observation {
        let handler = Handler()
        let code = ReferenceModule(try FlatCode(module, plan: plan))
        let instance = try code.makeInstance(handler: handler, limiter: ResourceLimiter(limit: 1 << 31))
        var seen = Observation()
        func note(_ outcome: GuestOutcome, _ export: String) {
            switch outcome {
            case .returned(let values):
                seen.outcomes.append(.returned(values.map { resultIsNarrow(export) ? $0 & 0xFFFF_FFFF : $0 }))
            case .trapped(let trap, _): seen.outcomes.append(.trapped(trap.rawValue))
            case .endedByHost: seen.outcomes.append(.trapped(-1))
            }
            seen.gas.append(instance.gasCounter)
        }
        instance.gasCounter = gas
        let started = try instance.instantiate()
        note(started, "")
        if case .returned = started {
            for call in calls {
                instance.gasCounter = gas
                note(try instance.call(call.export, call.arguments), call.export)
            }
        }
        if let reference = instance as? ReferenceInstance {
            let memory = reference.memoryBytes
            seen.memoryBytes = UInt64(memory.count)
            if !memory.isEmpty { memory.withUnsafeBufferPointer { seen.memory = memoryHash($0) } }
        }
        seen.hostCalls = handler.host.calls
        return seen
    }

    // MARK: Native code

    func compile(_ options: LoweringOptions, linker: Linker) throws -> NativeCode {
        let objects = try Lowering.lower(module, plan: plan, options: options, product: .parts).objects
        return try NativeCode(try linker.link(objects))
    }

    /// - Parameter touch: what the host does to memory at each call of an import, beyond its scripted answer.
    func run(
        _ native: NativeCode, _ calls: [GuestCall], gas: Int64,
        touch: ((UnsafeMutablePointer<UInt8>) -> Void)? = nil
    ) throws -> Observation {
        var seen = Observation()
        var failure: TestFailure?
        native.onStack {
            do { seen = try self.runHere(native, calls, gas: gas, touch: touch) } catch {
                failure = TestFailure("\(error)")
            }
        }
        if let failure { throw failure }
        return seen
    }

    private func runHere(
        _ native: NativeCode, _ calls: [GuestCall], gas: Int64, touch: ((UnsafeMutablePointer<UInt8>) -> Void)?
    ) throws -> Observation {
        let host = NativeHost(touch)
        var options = smelt_rt_options()
        options.limits = smelt_rt_limits(memory_maximum: 512 << 20, table_maximum: 20_000)
        options.host = Unmanaged.passUnretained(host).toOpaque()
        let module = native.module
        options.host_import = { host, context, index, slots in
            guard let host, let context, let slots else { return 33 }
            let box = Unmanaged<NativeHost>.fromOpaque(host).takeUnretainedValue()
            guard let row = context.pointee.module.pointee.imports?[Int(index)] else { return 33 }
            let count = Int(row.signature[0])
            let arguments = (0..<count).map { slots[$0] }
            slots[0] = box.script.answer(Int(index), arguments, gas: &context.pointee.gas)
            if let memory = context.pointee.memory_base { box.touch?(memory) }
            return 0
        }
        var created: UnsafeMutablePointer<smelt_rt_context>?
        let code = smelt_rt_instance_create(module, &options, &created)
        guard code == 0, let context = created else { throw TestFailure("instance_create: \(code)") }
        defer { smelt_rt_instance_destroy(context) }
        var seen = Observation()
        context.pointee.gas = gas
        let started = smelt_rt_instance_start(context)
        seen.outcomes.append(started == 0 ? .returned([]) : .trapped(started))
        seen.gas.append(context.pointee.gas)
        if started == 0 {
            for call in calls {
                guard let row = native.exports[call.export] else { throw TestFailure("no export \(call.export)") }
                context.pointee.gas = gas
                var arguments = call.arguments + [0]
                var results: [UInt64] = [0, 0]
                let trap = smelt_rt_enter(context, row.entry, &arguments, &results)
                let hasResult = row.signature[1] != 0
                seen.outcomes.append(trap == 0 ? .returned(hasResult ? [results[0]] : []) : .trapped(trap))
                seen.gas.append(context.pointee.gas)
            }
        }
        seen.memoryBytes = context.pointee.memory_bytes
        if let base = context.pointee.memory_base, seen.memoryBytes > 0 {
            seen.memory = memoryHash(UnsafeBufferPointer(start: base, count: Int(seen.memoryBytes)))
        }
        seen.hostCalls = host.script.calls
        return seen
    }
}

/// The host of native code.
final class NativeHost {
    var script = ScriptedHost()
    let touch: ((UnsafeMutablePointer<UInt8>) -> Void)?

    init(_ touch: ((UnsafeMutablePointer<UInt8>) -> Void)?) { self.touch = touch }
}

final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A linked object, mapped.
final class NativeCode {
    private let code: OpaquePointer
    let module: UnsafePointer<smelt_module_descriptor>
    private(set) var exports: [String: smelt_rt_export] = [:]

    init(_ object: [UInt8]) throws {
        smelt_rt_signals_install()
        var loaded: OpaquePointer?
        var why: UnsafePointer<CChar>?
        let error = try LoadableObject(checking: object).withPlan { plan in
            withUnsafePointer(to: plan) { smelt_rt_code_load($0, &loaded, &why) }
        }
        guard error == 0, let loaded, let module = smelt_rt_code_module(loaded) else {
            throw TestFailure("code_load \(error): \(why.map { String(cString: $0) } ?? "")")
        }
        code = loaded
        self.module = module
        for index in 0..<Int(module.pointee.export_count) {
            let row = module.pointee.exports[index]
            guard row.kind == 0 else { continue }
            let name = UnsafeBufferPointer(start: row.name, count: Int(row.name_length)).map { UInt8(bitPattern: $0) }
            exports[String(decoding: name, as: UTF8.self)] = row
        }
    }

    deinit { smelt_rt_code_unload(code) }

    /// Runs on the big stack, as guests do.
    func onStack(_ body: () -> Void) {
        withoutActuallyEscaping(body) { escaping in
            let box = Box(escaping)
            let opaque = Unmanaged.passUnretained(box).toOpaque()
            withExtendedLifetime(box) {
                _ = smelt_rt_run_on_stack(
                    { Unmanaged<Box<() -> Void>>.fromOpaque($0!).takeUnretainedValue().value() }, opaque)
            }
        }
    }
}

/// The ways a module is compiled: tiers and bounds modes, and in as many parts as there can be.
let everyWay: [LoweringOptions] = [
    LoweringOptions(budget: .unlimited),
    LoweringOptions(budget: .unlimited, partLength: 1),
    LoweringOptions(tier: .baseline),
    LoweringOptions(bounds: .checks, budget: .unlimited),
    LoweringOptions(bounds: .checks, tier: .baseline),
]
