import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// Globals, tables and references. A reference is the address of a record of the runtime, or null.
extension FunctionLowering {
    private func global(_ index: UInt32) throws(LoweringError) -> (slot: Value, type: ValueType) {
        guard Int(index) < module.globalTypes.count else { throw fail("global \(index) does not exist") }
        let slots =
            module.globalTypes.count <= SMELT_RT_NEAR_GLOBALS
            ? module.field(context, UInt64(SMELT_RT_GLOBALS))
            : module.constantField(types.pointer, context, ContextLayout.globals)
        var slot = module.field(slots, UInt64(index) * UInt64(MemoryLayout<UInt64>.stride))
        if Int(index) < module.importedGlobalCount {
            slot = build.load(types.pointer, slot, alignment: 8, annotation: module.invariant)
        }
        return (slot, module.globalTypes[Int(index)].value)
    }

    func lowerGlobalGet(_ index: UInt32) throws(LoweringError) {
        let (slot, type) = try global(index)
        push(build.load(module.type(type), slot, alignment: 8))
    }

    /// A slot always holds all of its 64 bits. Volatile where an access may fault: the next store would make this one
    /// look useless, and the code generator would leave it out from in front of the fault.
    func lowerGlobalSet(_ index: UInt32) throws(LoweringError) {
        let (slot, type) = try global(index)
        build.store(module.slotBits(try pop(), type), slot, alignment: 8, volatile: !checks)
    }

    /// The table's record, which stays; its elements move when it grows.
    private var table: Value { module.constantField(types.pointer, context, ContextLayout.table) }

    var tableSize: Value {
        if let size = module.work.fixedTableSize { return module.i64(UInt64(size)) }
        return build.load(types.i64, module.field(table, ContextLayout.tableSize), alignment: 8)
    }

    /// What no running code changes is loaded once and used again.
    private func loadOfTable(_ type: IRType, _ place: Value) -> Value {
        build.load(
            type, place, alignment: 8, annotation: module.work.fixedTableSize == nil ? nil : module.invariant)
    }

    // MARK: Calls

    func popArguments(_ type: FunctionType) throws(LoweringError) -> [Value] {
        guard operandCount >= type.parameters.count else {
            throw fail("an argument is missing")
        }
        let arguments = stack.suffix(type.parameters.count).map(value(of:))
        stack.removeLast(type.parameters.count)
        return arguments
    }

    /// Takes apart what a function of the internal convention returned.
    private func finishCall(_ returned: Value, _ convention: Convention, hasResult: Bool) {
        if hasResult { push(convention.value(of: returned, build)) }
        setGas(convention.gas(of: returned, build))
    }

    func lowerCall(_ callee: Int) throws(LoweringError) {
        guard callee < module.functionTypes.count else { throw fail("function \(callee) does not exist") }
        let type = module.functionTypes[callee]
        if let inlined = module.work.inlining.callee(callee) { return try lowerInlined(callee, inlined, type) }
        try atSite { () throws(LoweringError) in
            let convention = module.convention(type)
            let arguments = convention.arguments(
                context: context, gas: gas, height: height(calling: callee), try popArguments(type))
            let returned = module.callGuest(module.function(callee).value, convention, arguments)
            finishCall(returned, convention, hasResult: !type.results.isEmpty)
        }
    }

    func lowerCallIndirect(_ index: Int) throws(LoweringError) {
        guard let type = module.module.type(UInt32(index)), type.results.count <= 1 else {
            throw fail("type \(index) is unusable")
        }
        let position = build.convert(.zeroExtend, try pop(), to: types.i64)
        trap(SMELT_RT_TRAP_UNDEFINED_ELEMENT, if: build.compare(.unsignedGreaterEqual, position, tableSize))
        let elements = loadOfTable(types.pointer, module.field(table, ContextLayout.tableElements))
        let offset = build.binary(.mul, position, module.i64(UInt64(ContextLayout.referenceSize)))
        let element = build.address(elements, offset, byte: types.i8)
        checkType(of: element, module.typeNumbers[index])
        let code = loadOfTable(types.pointer, module.field(element, ContextLayout.referenceCode))
        var owner = context
        if module.options.linksEverything {
            owner = module.context(
                at: build.load(types.pointer, module.field(element, ContextLayout.referenceContext), alignment: 8))
        }
        let convention = module.convention(type)
        let arguments = convention.arguments(context: owner, gas: gas, height: height, try popArguments(type))
        let returned = try atSite { () throws(LoweringError) in module.callGuest(code, convention, arguments) }
        finishCall(returned, convention, hasResult: !type.results.isEmpty)
    }

    /// A null element has type number 0, so one comparison finds both faults.
    private func checkType(of element: Value, _ expected: UInt32) {
        let number = loadOfTable(types.i64, module.field(element, ContextLayout.referenceType))
        let cold = newBlock()
        let rest = newBlock()
        let differs = build.compare(.notEqual, number, module.i64(UInt64(expected)))
        build.branch(differs, cold, rest, annotation: module.unlikely)
        build.position(cold)
        trap(SMELT_RT_TRAP_UNINITIALIZED_ELEMENT, if: build.compare(.equal, number, module.i64(0)))
        raise(SMELT_RT_TRAP_INDIRECT_CALL_TYPE)
        build.position(rest)
    }
}
