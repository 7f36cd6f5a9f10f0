import CActorRuntime
import CodeImage
import CodeSettings
import LLVMKit
import Metering
import WasmFormat

/// The lowering of one part of a module: what its functions share.
final class ModuleLowering {
    let module: WasmFormat.Module
    let plan: MeteringPlan?
    var reserve: StackReserve { work.reserve }
    let options: LoweringOptions
    let work: ModuleWork
    let ir: IRModule
    let types: CommonTypes
    let build: Builder

    // Index spaces, imports first.
    let functionTypes: [FunctionType]
    let globalTypes: [GlobalType]
    let importedFunctionCount: Int
    let importedGlobalCount: Int
    /// By type index: what `call_indirect` compares.
    let typeNumbers: [UInt32]
    let image: DescriptorImage
    let names: SymbolNames

    // Shared pieces of IR.
    let unlikely: Annotation
    let invariant: Annotation
    let attributes: Attributes

    let part: Part
    /// Code of functions and entries through tables, those of other parts when something refers to them.
    private var functions: [Function?]
    private var entries: [Int: Function] = [:]
    /// The end of this part's code, and of the whole in the last part.
    private(set) var end: Function?
    var trapHelpers = TrapHelpers()
    private var conventions: [FunctionType: Convention] = [:]

    /// A stretch of the index space of functions that becomes an object.
    struct Part: Sendable {
        let number: Int
        let count: Int
        let functions: Range<Int>

        /// Whether the entries and all tables but the functions' own are in it.
        var isLast: Bool { number == count - 1 }
    }

    struct Attributes {
        let function: [Attribute]
        let raise: [Attribute]
        /// Of a call of a service, which may trap: one for two arms would be at neither's place.
        let service: [Attribute]
        let noUnwind: Attribute
        /// Of a parameter: the register that is kept for the context.
        let context: Attribute
    }

    init(
        _ module: WasmFormat.Module, plan: MeteringPlan?, options: LoweringOptions, work: ModuleWork,
        image: DescriptorImage, part: Part, machine: borrowing TargetMachine
    ) {
        self.module = module
        self.plan = plan
        self.options = options
        self.work = work
        self.image = image
        self.part = part
        names = SymbolNames(module)
        ir = IRModule(name: "module", machine: machine)
        types = ir.types
        build = ir.builder
        unlikely = ir.unlikely()
        invariant = ir.invariantLoad()
        attributes = Attributes(
            function: [
                ir.attribute("nounwind"), ir.attribute("no-builtins", value: ""),
                ir.attribute("probe-stack", value: "inline-asm"),
                ir.attribute("warn-stack-size", value: "0"),
                // A CPU level names instructions; the tuning LLVM ties to it is that of a processor of 2011.
                ir.attribute("tune-cpu", value: "generic"),
            ],
            raise: [
                ir.attribute("noreturn"), ir.attribute("nounwind"), ir.attribute("cold"), ir.attribute("nomerge"),
            ],
            service: [ir.attribute("nounwind"), ir.attribute("nomerge")], noUnwind: ir.attribute("nounwind"),
            context: ir.attribute("swiftself"))

        functionTypes = image.functionTypes
        importedFunctionCount = image.importedFunctionCount
        typeNumbers = image.typeNumbers
        globalTypes = module.globalTypes
        importedGlobalCount = module.importedGlobalCount
        functions = Array(repeating: nil, count: image.functionTypes.count)
    }

    // MARK: Types and constants

    func type(_ type: ValueType) -> IRType {
        switch type {
        case .i32: types.i32
        case .i64: types.i64
        case .f32: types.f32
        case .f64: types.f64
        case .funcref: types.pointer
        }
    }

    /// Whether calls add up reserves: not where the counted height ends every chain of calls first.
    var addsReserves: Bool { !reserve.isBounded }

    /// How functions of a type are called.
    func convention(_ type: FunctionType) -> Convention {
        if let known = conventions[type] { return known }
        let convention = Convention(type, self)
        conventions[type] = convention
        return convention
    }

    func i32(_ value: UInt32) -> Value { ir.constant(types.i32, UInt64(value)) }
    func i64(_ value: UInt64) -> Value { ir.constant(types.i64, value) }

    // MARK: The context

    func field(_ base: Value, _ offset: UInt64) -> Value {
        offset == 0 ? base : build.address(base, i64(offset), byte: types.i8)
    }

    func loadGas(_ context: Context) -> Value {
        build.load(types.i64, field(context, ContextLayout.gas), alignment: 8)
    }

    /// Volatile, so that it stays in front of the accesses and calls that follow.
    func storeGas(_ gas: Value, _ context: Context) {
        build.store(gas, field(context, ContextLayout.gas), alignment: 8, volatile: true)
    }

    /// Calls a service with the C convention.
    @discardableResult
    func callService(_ service: UInt64, _ context: Context, _ arguments: [Value], result: IRType? = nil) -> Value {
        let callee = constantField(types.pointer, context, service)
        let type = ir.functionType([types.pointer] + arguments.map(\.type), result ?? types.void)
        return build.call(callee, type, [address(of: context)] + arguments, attributes: attributes.service)
    }

    // MARK: Functions

    /// Adds a function with the attributes all have.
    func addFunction(
        _ name: String, _ type: IRType, convention: CallingConvention, _ visibility: Visibility = .own
    ) -> Function {
        let function = ir.addFunction(name, type, convention: convention, visibility)
        for attribute in attributes.function { ir.add(attribute, to: function) }
        return function
    }

    /// Who refers to functions and to the table of their rows.
    var shared: Visibility { part.count == 1 ? .own : .linked }

    /// What a direct call of a function calls: its code, or an import's thunk.
    func function(_ index: Int) -> Function {
        if let known = functions[index] { return known }
        let function = addGuestFunction(names.symbol(UInt32(index)), functionTypes[index])
        functions[index] = function
        return function
    }

    /// What a reference through a table, an export or the start section calls.
    func tableEntry(_ index: Int) -> Function {
        guard index >= importedFunctionCount, trampolineCharge(index) != nil else { return function(index) }
        if let known = entries[index] { return known }
        let entry = addGuestFunction("entry\(index)", functionTypes[index])
        entries[index] = entry
        return entry
    }

    /// Whether entries of a function have something to do before its code runs.
    private func trampolineCharge(_ index: Int) -> UInt64? {
        guard let plan, index < plan.trampolines.count else { return nil }
        return plan.trampolines[index]
    }

    /// Declares what the part defines, then lowers bodies, entries and tables, in the order of the index space.
    ///
    /// - Returns: facts of the part's functions.
    func lower() throws(LoweringError) -> [FunctionFacts] {
        for index in part.functions { _ = function(index) }
        if part.isLast {
            for index in functionTypes.indices { if trampolineCharge(index) != nil { _ = tableEntry(index) } }
        } else {
            end = addEnd()
        }
        let facts = try lowerBodies()
        for index in part.functions where index < importedFunctionCount { lowerImport(index) }
        if part.isLast {
            for index in functionTypes.indices.dropFirst(importedFunctionCount) {
                if let charge = trampolineCharge(index) { lowerTrampoline(index, charge: charge) }
            }
        }
        lowerTrapHelpers()
        let entries = part.isLast ? lowerHostEntries() : HostEntries()
        if part.isLast { end = addEnd() }
        if let end {
            emitItems(entries, end: end)
            lowerEmpty(end)
        }
        return facts
    }

    private func addEnd() -> Function {
        addFunction(
            part.isLast ? "text_end" : "text_end\(part.number)", ir.functionType([], types.void), convention: .c)
    }

    private func lowerBodies() throws(LoweringError) -> [FunctionFacts] {
        guard options.lineTables else {
            return try lowerBodies { _, _ in nil }
        }
        let lines = LineTables(ir, fileName: "module.wasm", producer: "smelt")
        let facts = try lowerBodies { index, body in
            let name = module.functionNames[UInt32(index)] ?? "f\(index)"
            return lines.add(function(index), name: name, line: body.offset)
        }
        lines.finish()
        return facts
    }

    private func lowerBodies(scope: (Int, FunctionBody) -> DebugScope?) throws(LoweringError) -> [FunctionFacts] {
        var facts: [FunctionFacts] = []
        for index in part.functions where index >= importedFunctionCount {
            let position = index - importedFunctionCount
            let body = module.bodies[position]
            guard plan.map({ position < $0.functions.count }) ?? true else {
                throw .inconsistent(function: UInt32(index), offset: body.offset, rule: "body without a function")
            }
            let function = FunctionLowering(
                self, index: index, body: body, plan: plan?.functions[position],
                work: work.functions[position], scope: scope(index, body))
            try function.lower()
            facts.append(function.facts)
        }
        return facts
    }
}
