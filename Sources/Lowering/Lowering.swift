import CodeImage
import LLVMKit
import Metering
import SinglePass
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
            let work = ModuleWork(module, plan: plan, options: options)
            guard work.tier == .optimised else {
                return try singlePass(module, plan: plan, options: options, work: work, product: product, progress)
            }
            let machine = try TargetMachine(triple: options.triple, cpu: options.cpu.rawValue)
            return try lower(
                module, plan: plan, options: options, work: work, product: product, machine: machine, progress)
        } catch let error as LLVMError {
            throw .llvm(error)
        } catch let error as LoweringError {
            throw error
        } catch let error as SinglePassError {
            throw LoweringError(error)
        } catch {
            throw .inconsistent(function: 0, offset: 0, rule: "\(error)")
        }
    }

    /// The baseline tier: LLVM has no part in it.
    private static func singlePass(
        _ module: ValidatedModule, plan: MeteringPlan?, options: LoweringOptions, work: ModuleWork,
        product: LoweringProduct, _ progress: @escaping (LoweringProgress) -> Void
    ) throws -> LoweringOutput {
        guard product == .object else { throw LoweringError.noText(product) }
        progress(.stage("emit"))
        var stages = StageClock()
        let names = SymbolNames(module.module)
        let imported = module.module.importedFunctionCount
        let output = try SinglePass.compile(
            module, plan: plan, bounds: options.bounds, reserve: work.reserve,
            linksEverything: options.linksEverything, symbol: names.symbol,
            progress: { progress(.function(names.symbol(UInt32(imported + $0)))) })
        stages.finish("emit")
        let functions = work.functions.enumerated().map { position, function in
            FunctionFacts(
                index: UInt32(imported + position), estimate: function.estimate,
                frameBytes: output.frames[imported + position])
        }
        return LoweringOutput(bytes: output.object, tier: .baseline, functions: functions, stages: stages.stages)
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
            return LoweringOutput(
                bytes: lowering.ir.text(), tier: .optimised, functions: functions, stages: stages.stages)
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
            functions[index].frameBytes = frames[lowering.names.symbol(functions[index].index)]
        }
        let check = FrameCheck(
            module: module.module, reserve: lowering.reserve, inlining: work.inlining, symbol: lowering.names.symbol)
        try check.run(frames)
        return LoweringOutput(bytes: bytes, tier: .optimised, functions: functions, stages: stages.stages)
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
