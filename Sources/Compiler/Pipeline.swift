import ArtifactFormat
import Lowering
import Metering
import WasmFormat
import WorkerProtocol

/// The compilation of one module, stage by stage.
public struct Pipeline {
    private let request: CompileRequest
    private let identity: CompilerIdentity
    private let linker: Linker
    private let meter: ProgressMeter
    private var facts = CompileFacts()

    /// - Parameter report: told how far the work is.
    public init(
        _ request: CompileRequest, identity: CompilerIdentity, linker: Linker,
        report: @escaping (CompileProgress) -> Void = { _ in }
    ) {
        self.request = request
        self.identity = identity
        self.linker = linker
        meter = ProgressMeter(report)
    }

    /// Runs all stages that the product needs. Equal requests give equal bytes.
    public mutating func run() -> CompileReply {
        do {
            return .made(try make(), facts)
        } catch let refusal as Refusal {
            return .refused(refusal.diagnostic)
        } catch let error as CompilerError {
            return .failed(error.description)
        } catch {
            return .failed("\(error)")
        }
    }

    private mutating func make() throws -> [UInt8] {
        let request = request
        let linker = linker
        let settings = request.settings
        if request.product == .so && settings.target != ArtifactFormat.target {
            throw CompilerError.target(settings.target)
        }
        let analyzed = try stage("front end") { () throws(Refusal) in
            try FrontEnd.analyze(
                request.wasm, profile: settings.profile, prices: settings.prices, stackLimit: settings.stackLimit)
        }
        facts.functions = UInt32(truncatingIfNeeded: analyzed.module.module.bodies.count)
        switch request.product {
        case .wasm: return request.wasm
        case .plan: return Array(try analyzed.plan.text(counters: counters(analyzed)).utf8)
        case .ir: return try lower(analyzed, .ir)[0]
        case .asm: return try lower(analyzed, .assembly)[0]
        case .obj: return try lower(analyzed, .object)[0]
        case .so:
            let objects = try lower(analyzed, .parts)
            let linked = try stage("link") { () throws(CompilerError) in try linker.link(objects) }
            let inputs = identity.inputs(wasm: request.cid, settings: settings)
            return try stage("seal") { () throws(CompilerError) in
                do throws(ArtifactError) {
                    return try ArtifactFormat.seal(linked, inputs: inputs)
                } catch {
                    throw .badObject(error)
                }
            }
        }
    }

    /// Where optimised code charges and stores the counter; code of the other tier charges what the plan says and has
    /// the counter in the context all the time.
    private func counters(_ analyzed: AnalyzedModule) throws(PlanFault) -> [CounterPlan] {
        guard request.settings.isMetered, request.settings.tier == .optimised else { return [] }
        let module = analyzed.module.module
        let reserve = StackReserve(module, plan: analyzed.plan, isLinked: options.linksEverything)
        return try CounterPlan.all(
            analyzed.module, plan: analyzed.plan,
            inlining: Inlining(module, plan: analyzed.plan, reserve: reserve), readers: options.counterReaders)
    }

    private var options: LoweringOptions {
        let settings = request.settings
        return LoweringOptions(
            bounds: settings.bounds, tier: settings.tier, triple: settings.target, cpu: settings.cpu,
            linksEverything: settings.profile.linksEverything)
    }

    private mutating func lower(
        _ analyzed: AnalyzedModule, _ product: LoweringProduct
    ) throws(CompilerError) -> [[UInt8]] {
        let settings = request.settings
        let options = options
        let output: LoweringOutput
        let meter = meter
        let threads = request.limits.threads
        meter.total = facts.functions
        do {
            output = try Lowering.lower(
                analyzed.module, plan: settings.isMetered ? analyzed.plan : nil, options: options, product: product,
                sideBySide: { BigStack.spread($0, threads: threads, $1) }, progress: { meter.advance($0) })
        } catch {
            throw .lowering(error)
        }
        for (name, seconds) in output.stages {
            facts.stages.append(StageTime(name: name, microseconds: UInt64(seconds * 1_000_000)))
        }
        facts.slowest = meter.slowest
        facts.slowestMilliseconds = meter.slowestMilliseconds
        if output.tier == .baseline { facts.baselineFunctions = facts.functions }
        for function in output.functions {
            facts.largestFrame = max(facts.largestFrame, function.frameBytes ?? 0)
        }
        return output.objects
    }

    private mutating func stage<R, E: Error>(_ name: String, _ body: () throws(E) -> R) throws(E) -> R {
        meter.begin(name)
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        let elapsed = (clock.now - start).components
        facts.stages.append(
            StageTime(
                name: name,
                microseconds: UInt64(elapsed.seconds) * 1_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000_000)))
        return result
    }
}
