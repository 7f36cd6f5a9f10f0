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

/// A small function whose compiled code shows something else than the interpreter.
public struct SmallFunctionFailure: Sendable, CustomStringConvertible {
    /// In the enumeration.
    public var index: Int
    public var way: EnumerationWay
    /// What differs, and the function as text.
    public var text: String

    public var description: String { "function \(index), \(way): \(text)" }
}

/// Code that small functions are compiled to.
public struct EnumerationWay: Sendable, Hashable, CustomStringConvertible {
    public var options: LoweringOptions
    public var isMetered: Bool

    public init(
        _ options: LoweringOptions = LoweringOptions(lineTables: false, budget: .unlimited), isMetered: Bool = false
    ) {
        self.options = options
        self.isMetered = isMetered
    }

    public var description: String {
        "\(options.tier) \(options.bounds) \(options.cpu)\(isMetered ? " metered" : "")"
    }

    /// What the command line calls it.
    public var name: String { isMetered ? "metered" : options.tier == .baseline ? "baseline" : "optimised" }

    /// The optimising tier with guard pages, without gas: where a wrong value would come from, at the least cost.
    public static let optimised = EnumerationWay()
    /// The tier without optimisation.
    public static let baseline = EnumerationWay(LoweringOptions(tier: .baseline, lineTables: false))
    /// The optimising tier with its charges between the operators.
    public static let metered = EnumerationWay(isMetered: true)
}

/// Compiles functions of the enumeration by thousands and compares them with the interpreter.
public struct SmallFunctionWitness {
    /// Functions of a module.
    public static let batchSize = Batch.size

    private let linker: Linker

    /// - Throws: when this machine has no linker.
    public init() throws { linker = try Linker.find() }

    /// The functions of these indices in one module.
    ///
    /// - Returns: those that failed, the first difference of each.
    /// - Throws: when a module does not compile.
    public func check(_ indices: [Int], _ way: EnumerationWay) throws -> [SmallFunctionFailure] {
        let functions = indices.map(Enumeration.function)
        return try check(functions, way).map { place, text in
            SmallFunctionFailure(index: indices[place], way: way, text: text)
        }
    }

    /// Places of the functions that failed, and the first difference of each.
    ///
    /// - Parameter others: what the interpreter runs in their place, for tests of the witness itself.
    func check(
        _ functions: [SmallFunction], _ way: EnumerationWay, against others: [SmallFunction]? = nil
    ) throws -> [(place: Int, text: String)] {
        let (module, plan) = try analyze(functions, way)
        let object = try linker.link(Lowering.lower(module, plan: plan, options: way.options).bytes)
        let compiled = try BatchRun(NativeModule(object: LoadableObject(checking: object)))
        let (source, sourcePlan) = try others.map { try analyze($0, way) } ?? (module, plan)
        let reference = try BatchRun(ReferenceModule(FlatCode(source, plan: sourcePlan)))
        var failures: [(Int, String)] = []
        for (place, function) in functions.enumerated() {
            let expected = try reference.record(place, function)
            guard try compiled.record(place, function) != expected else { continue }
            let text = try difference(place, function, compiled, reference)
            failures.append((place, text + "\n" + WatText.module(function, module.module.bodies[place])))
        }
        return failures
    }

    private func analyze(
        _ functions: [SmallFunction], _ way: EnumerationWay
    ) throws -> (ValidatedModule, MeteringPlan?) {
        let bytes = Batch.module(functions)
        if way.isMetered {
            let analyzed = try FrontEnd.analyze(bytes, profile: .fvm, prices: .fvm)
            return (analyzed.module, analyzed.plan)
        }
        return (try ValidatedModule.validate(Module.decode(bytes, profile: .fvm), profile: .fvm), nil)
    }

    /// The first input with which the engines differ.
    private func difference(
        _ place: Int, _ function: SmallFunction, _ compiled: BatchRun, _ reference: BatchRun
    ) throws -> String {
        let rows = InputTable.all[InputTable.index(of: function)].rows
        for input in rows.indices {
            let seen = try compiled.record(place, function, inputs: input..<(input + 1))
            let expected = try reference.record(place, function, inputs: input..<(input + 1))
            guard seen != expected else { continue }
            let arguments = rows[input].map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            guard seen.traps.isEmpty, expected.traps.isEmpty else {
                return "f(\(arguments)): \(Self.outcome(seen)), expected \(Self.outcome(expected))"
            }
            return "f(\(arguments)) gives another value\(seen.gas == expected.gas ? "" : " and another gas")"
        }
        return "no single input differs"
    }

    private static func outcome(_ record: FunctionRecord) -> String {
        record.traps.first.map { "trap \(Trap(rawValue: $0.trap)), \($0.gas) left" } ?? "a value, \(record.gas) left"
    }
}
