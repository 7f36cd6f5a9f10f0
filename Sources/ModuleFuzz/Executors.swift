import ArtifactFormat
import CZlib
import CodeSettings
import Compiler
import Engine
import GasSchedule
import Lowering
import Metering
import NativeEngine
import Validator
import WasmFormat
import WasmReference

/// A way to compile a module: what must not change anything that a run shows.
public struct CompiledWay: Sendable, Hashable, CustomStringConvertible {
    public var options: LoweringOptions

    public init(_ options: LoweringOptions) { self.options = options }

    public var description: String { "\(options.bounds) \(options.tier) \(options.cpu.rawValue)" }

    /// Both bounds modes at both tiers, for the default CPU level. Small modules with many exports exceed the standard
    /// budget: without limits each way is the tier that it names.
    public static let everyWay = [
        CompiledWay(LoweringOptions(budget: .unlimited)),
        CompiledWay(LoweringOptions(bounds: .checks, budget: .unlimited)),
        CompiledWay(LoweringOptions(tier: .baseline)),
        CompiledWay(LoweringOptions(bounds: .checks, tier: .baseline)),
    ]

    /// The same ways at another CPU level.
    public static func everyWay(cpu: CPULevel) -> [CompiledWay] {
        everyWay.map {
            var options = $0.options
            options.cpu = cpu
            return CompiledWay(options)
        }
    }
}

/// A module that the front end accepted, for all executors.
public struct FuzzModule {
    public let module: ValidatedModule
    private let plan: MeteringPlan
    private let isNarrow: [Bool]

    /// - Parameter stackLimit: counted elements; compiled code has it as a constant.
    /// - Throws: the refusal of the front end.
    public init(_ bytes: [UInt8], stackLimit: UInt32 = 2_048) throws(Refusal) {
        let analyzed = try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm, stackLimit: stackLimit)
        module = analyzed.module
        plan = analyzed.plan
        isNarrow = module.module.imports.map { entry in
            guard case .function(let index) = entry.kind else { return false }
            let result = analyzed.module.module.type(index)?.results.first
            return result == .i32 || result == .f32
        }
    }

    /// The interpreter's view.
    public func interpret(_ run: FuzzRun) throws -> FuzzObservation {
        try observe(ReferenceModule(try FlatCode(module, plan: plan)), run)
    }

    /// A linked object of the module.
    func compile(_ way: CompiledWay, linker: Linker) throws -> [UInt8] {
        let object = try Lowering.lower(module, plan: plan, options: way.options).bytes
        return try linker.link(object)
    }

    /// What compiled code shows.
    func execute(_ object: [UInt8], _ run: FuzzRun) throws -> FuzzObservation {
        try observe(NativeModule(object: LoadableObject(checking: object)), run)
    }

    private func observe(_ module: any ActorModule, _ run: FuzzRun) throws -> FuzzObservation {
        let host = ScriptedHost(isNarrow: isNarrow)
        let instance = try module.makeInstance(handler: host, limiter: ResourceLimiter(limit: run.memoryLimit))
        var seen = FuzzObservation()
        instance.gasCounter = run.gas
        let started = try instance.instantiate()
        seen.outcomes.append(FuzzOutcome(started, places: false))
        seen.gas.append(instance.gasCounter)
        if case .returned = started {
            for call in run.calls {
                instance.gasCounter = call.gas
                seen.outcomes.append(FuzzOutcome(try instance.call(call.export, call.arguments), places: true))
                seen.gas.append(instance.gasCounter)
            }
        }
        let memory = (instance as? ReferenceInstance)?.memoryBytes ?? (instance as? NativeInstance)?.memoryBytes ?? []
        seen.memoryBytes = memory.count
        // Sound: zlib reads as many bytes as the array has.
        seen.memoryChecksum = UInt32(crc32_z(0, memory, memory.count))
        seen.hostCalls = host.calls
        return seen
    }
}
