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
    ///   - sideBySide: makes parts, if they are asked for; one after the other if nothing else is said.
    ///   - progress: told each stage as it begins and, while code is generated, each function that has its code.
    /// - Throws: a failure of the compiler, never a property of the module.
    public static func lower(
        _ module: ValidatedModule, plan: MeteringPlan?, options: LoweringOptions, product: LoweringProduct = .object,
        sideBySide: SideBySide = { count, work in (0..<count).forEach(work) },
        progress: @escaping (LoweringProgress) -> Void = { _ in }
    ) throws(LoweringError) -> LoweringOutput {
        do {
            let work = try ModuleWork(module, plan: plan, options: options)
            guard work.tier == .optimised else {
                return try singlePass(module, plan: plan, options: options, work: work, product: product, progress)
            }
            return try optimise(
                module, plan: plan, options: options, work: work, product: product, sideBySide: sideBySide, progress)
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
        guard product == .object || product == .parts else { throw LoweringError.noText(product) }
        progress(.stage("emit"))
        var stages = StageClock()
        var clock = FunctionClock()
        let names = SymbolNames(module.module)
        let imported = module.module.importedFunctionCount
        let output = try SinglePass.compile(
            module, plan: plan, bounds: options.bounds, reserve: work.reserve,
            linksEverything: options.linksEverything, symbol: names.symbol,
            progress: { progress(.function(names.symbol(UInt32(imported + $0)), seconds: clock.next())) })
        stages.finish("emit")
        let functions = work.functions.enumerated().map { position, function in
            FunctionFacts(
                index: UInt32(imported + position), estimate: function.estimate,
                frameBytes: output.frames[imported + position])
        }
        return LoweringOutput(objects: [output.object], tier: .baseline, functions: functions, stages: stages.stages)
    }

    private static func optimise(
        _ module: ValidatedModule, plan: MeteringPlan?, options: LoweringOptions, work: ModuleWork,
        product: LoweringProduct, sideBySide: SideBySide, _ progress: @escaping (LoweringProgress) -> Void
    ) throws -> LoweringOutput {
        let lowering = try PartLowering(
            module.module, plan: plan, options: options, work: work, product: product,
            report: LoweringReport(progress))
        let parts = try lowering.run(sideBySide)
        if product != .ir {
            let check = FrameCheck(
                module: module.module, reserve: work.reserve, inlining: work.inlining,
                symbol: SymbolNames(module.module).symbol)
            var frames: [String: UInt64] = [:]
            for part in parts { frames.merge(part.frames, uniquingKeysWith: max) }
            try check.run(frames)
        }
        var stages = parts[0].stages
        for part in parts.dropFirst() {
            for index in stages.indices { stages[index].seconds += part.stages[index].seconds }
        }
        return LoweringOutput(
            objects: parts.map(\.bytes), tier: .optimised, functions: parts.flatMap(\.functions), stages: stages)
    }
}
