import LLVMKit
import Metering
import Validator

/// WASM and its metering plan to LLVM IR to an object with one exported symbol, `smelt_module`.
///
/// A pure function of its arguments: equal input gives equal bytes.
public enum Lowering {
    /// Lowers a module.
    ///
    /// - Parameters:
    ///   - module: what validation accepted.
    ///   - plan: charges in milligas and heights; nil lowers without metering (the spec suite).
    ///   - product: what to stop at.
    ///   - progress: told each stage as it begins and, while code is generated, each function that has its code.
    /// - Throws: a failure of the compiler, never a property of the module.
    public static func lower(
        _ module: ValidatedModule, plan: MeteringPlan?, options: LoweringOptions, product: LoweringProduct = .object,
        progress: @escaping (LoweringProgress) -> Void = { _ in }
    ) throws(LoweringError) -> LoweringOutput {
        do {
            let work = ModuleWork(module.module, plan: plan, options: options)
            let machine = try TargetMachine(
                triple: options.triple, cpu: options.cpu.rawValue, level: work.tier == .baseline ? .none : .standard)
            return try lower(
                module, plan: plan, options: options, work: work, product: product, machine: machine, progress)
        } catch let error as LLVMError {
            throw .llvm(error)
        } catch let error as LoweringError {
            throw error
        } catch {
            throw .inconsistent(function: 0, offset: 0, rule: "\(error)")
        }
    }

    private static func lower(
        _ module: ValidatedModule, plan: MeteringPlan?, options: LoweringOptions, work: ModuleWork,
        product: LoweringProduct, machine: borrowing TargetMachine, _ progress: @escaping (LoweringProgress) -> Void
    ) throws -> LoweringOutput {
        progress(.stage("lower"))
        var stages = StageClock()
        let lowering = try ModuleLowering(module.module, plan: plan, options: options, work: work, machine: machine)
        var functions = try lowering.lower()
        stages.finish("lower")
        if product == .ir {
            return LoweringOutput(bytes: lowering.ir.text(), functions: functions, stages: stages.stages)
        }
        progress(.stage("verify"))
        try lowering.ir.verify()
        stages.finish("verify")
        progress(.stage("emit"))
        lowering.ir.diagnostics.onFrame = { progress(.function($0)) }
        let bytes = try machine.emit(lowering.ir, product == .assembly ? .assembly : .object)
        stages.finish("emit")
        let frames = lowering.ir.diagnostics.frames
        for index in functions.indices {
            functions[index].frameBytes = frames[lowering.symbolName(functions[index].index)]
        }
        let check = FrameCheck(module: module.module, reserve: lowering.reserve, symbol: lowering.symbolName)
        try check.run(frames)
        return LoweringOutput(bytes: bytes, functions: functions, stages: stages.stages)
    }
}

/// Wall time by stage.
private struct StageClock {
    private(set) var stages: [(name: String, seconds: Double)] = []
    private let clock = ContinuousClock()
    private var begin: ContinuousClock.Instant

    init() { begin = clock.now }

    mutating func finish(_ name: String) {
        let now = clock.now
        let elapsed = (now - begin).components
        stages.append((name, Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18))
        begin = now
    }
}
