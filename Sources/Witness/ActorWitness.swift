import ArtifactFormat
import Captures
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

/// Compares every function of an actor, as it is compiled for shipping, with the interpreter's.
public struct ActorWitness {
    private let linker: Linker

    /// - Throws: when this machine has no linker.
    public init() throws { linker = try Linker.find() }

    /// - Parameters:
    ///   - wasm: the actor.
    ///   - tiers: with which the interpreter is compared.
    ///   - effort: how much is tried.
    ///   - calls: out of replayed messages.
    ///   - seed: of arguments, memory and the host's answers.
    /// - Throws: when the actor does not compile.
    public func check(
        _ wasm: [UInt8], _ tiers: [Tier], effort: WitnessEffort, calls: [CapturedCall] = [], seed: UInt64
    ) throws -> ActorLedger {
        let actor = try WitnessedActor(wasm, seed: seed)
        return try check(actor, compiledFrom: actor, tiers, effort: effort, calls: calls, seed: seed)
    }

    /// - Parameter source: what is compiled; another one than the interpreter runs is for testing the witness.
    func check(
        _ actor: WitnessedActor, compiledFrom source: WitnessedActor, _ tiers: [Tier], effort: WitnessEffort,
        calls: [CapturedCall] = [], seed: UInt64
    ) throws -> ActorLedger {
        let compiled = try tiers.map { tier in
            let options = LoweringOptions(tier: tier, lineTables: false)
            let object = try linker.link(Lowering.lower(source.module, plan: source.plan, options: options).bytes)
            return CompiledActor(tier, try NativeModule(object: LoadableObject(checking: object)), of: source)
        }
        let code = try FlatCode(actor.module, plan: actor.plan, isWatched: true)
        let coverage = ChargeCoverage(code)
        let engines = ActorEngines(
            actor: actor, reference: ReferenceModule(code, coverage: coverage), compiled: compiled,
            answers: AnswerPool(calls))
        var search = try ActorSearch(engines, coverage, calls, effort, seed: seed)
        return try search.run()
    }

    /// Whether the code of all functions is that of the actor as it is shipped: line by line of assembly, or of the
    /// tier without assembly byte by byte.
    func hasShippedCode(_ wasm: [UInt8], _ tier: Tier) throws -> Bool {
        let actor = try WitnessedActor(wasm, seed: 0)
        let options = LoweringOptions(tier: tier, lineTables: false)
        let shipped = try FrontEnd.analyze(wasm, profile: .fvm, prices: .fvm)
        if tier == .baseline {
            func text(_ module: ValidatedModule, _ plan: MeteringPlan) throws -> ArraySlice<UInt8> {
                try Self.text(Lowering.lower(module, plan: plan, options: options).bytes)
            }
            let code = try text(shipped.module, shipped.plan)
            // What is around the functions comes behind them: here more entries.
            return try code.count > 1_000 && text(actor.module, actor.plan).starts(with: code.dropLast(1_024))
        }
        func functions(_ module: ValidatedModule, _ plan: MeteringPlan) throws -> [Substring] {
            let output = try Lowering.lower(module, plan: plan, options: options, product: .assembly)
            let lines = String(decoding: output.bytes, as: UTF8.self).split(separator: "\n")
            // Functions come first, in their order; what stands between them and the host follows.
            let last = "f\(module.module.functionCount - 1)"
            let start = lines.firstIndex { $0.hasPrefix("\(last):") || $0.hasPrefix("\(last).") } ?? lines.startIndex
            return Array(lines[..<(lines[start...].firstIndex { $0.contains("-- End function") } ?? start)])
        }
        let here = try functions(actor.module, actor.plan)
        return try here.count > shipped.module.module.bodies.count && here == functions(shipped.module, shipped.plan)
    }

    /// The first section of a relocatable object, which is its code.
    private static func text(_ object: [UInt8]) -> ArraySlice<UInt8> {
        func number(_ offset: Int) -> Int {
            object[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let header = number(0x28) + 64
        return object[number(header + 0x18)...].prefix(number(header + 0x20))
    }
}
