import ArtifactFormat
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

/// What comparing the functions of one actor in one tier came to.
public struct ActorLedger: Sendable {
    /// Functions the actor defines.
    public var functions = 0
    /// Those that were called with all inputs, directly by the witness.
    public var witnessed = 0
    /// Metered blocks that can be reached, and those that were charged for.
    public var blocks = 0
    public var reached = 0
    public var calls = 0
    /// Calls that ended without a trap.
    public var returned = 0
    /// What differed; at most a few are kept.
    public var differences: [String] = []
    public var differenceCount = 0
}

/// Compares every function of an actor, as it is compiled for shipping, with the interpreter's.
public struct ActorWitness {
    private let linker: Linker

    /// - Throws: when this machine has no linker.
    public init() throws { linker = try Linker.find() }

    /// - Parameters:
    ///   - wasm: the actor.
    ///   - inputs: calls of each function.
    ///   - functions: how many functions at most, spread over all; nil is all of them.
    ///   - seed: of arguments, memory and the host's answers.
    /// - Throws: when the actor does not compile.
    public func check(
        _ wasm: [UInt8], _ tier: Tier, inputs: Int, functions most: Int? = nil, seed: UInt64
    ) throws -> ActorLedger {
        let actor = try WitnessedActor(wasm, seed: seed)
        let options = LoweringOptions(tier: tier, lineTables: false)
        let object = try linker.link(Lowering.lower(actor.module, plan: actor.plan, options: options).bytes)
        let native = try NativeModule(object: LoadableObject(checking: object))
        let code = try FlatCode(actor.module, plan: actor.plan)
        let coverage = ChargeCoverage(code)
        let reference = ReferenceModule(code, coverage: coverage)
        let module = actor.module.module
        var ledger = ActorLedger()
        ledger.functions = module.bodies.count
        let count = min(most ?? ledger.functions, ledger.functions)
        for place in 0..<count {
            let index = module.importedFunctionCount + place * ledger.functions / count
            guard let type = module.functionType(UInt32(index)) else { continue }
            let calls = ActorCalls(actor, index, type, seed: seed, count: inputs)
            let expected = try calls.observe(reference)
            let seen = try calls.observe(native)
            ledger.witnessed += 1
            ledger.calls += inputs
            ledger.returned += expected.outcomes.dropFirst().count { if case .returned = $0 { true } else { false } }
            guard let difference = seen.difference(from: expected) else { continue }
            ledger.differenceCount += 1
            if ledger.differences.count < 5 {
                ledger.differences.append("function \(index), seed \(seed): \(difference)")
            }
        }
        ledger.blocks = coverage.total
        ledger.reached = coverage.count
        return ledger
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
