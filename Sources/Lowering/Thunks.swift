import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// The small functions around bodies: imports, trampolines, entries from the host.
extension ModuleLowering {
    /// A value as the 64 bits of a slot: i32 and f32 zero-extended.
    func slotBits(_ value: Value, _ type: ValueType) -> Value {
        switch type {
        case .i32: build.convert(.zeroExtend, value, to: types.i64)
        case .i64: value
        case .f32: build.convert(.zeroExtend, build.convert(.bitcast, value, to: types.i32), to: types.i64)
        case .f64: build.convert(.bitcast, value, to: types.i64)
        case .funcref: build.convert(.pointerToInteger, value, to: types.i64)
        }
    }

    private func slot(_ slots: Value, _ index: Int) -> Value {
        field(slots, UInt64(index * MemoryLayout<UInt64>.stride))
    }

    /// An import, callable with the internal convention: the counter is in the context while the host works, and
    /// is read again because the host charges it.
    func lowerImport(_ index: Int) {
        let function = self.function(index)
        let type = functionTypes[index]
        build.position(ir.addBlock(function))
        let convention = convention(type)
        let context = context(of: function)
        let slots = build.alloca(ir.arrayType(types.i64, count: max(1, type.parameters.count)))
        for (position, argument) in convention.parameters(of: function).enumerated() {
            build.store(slotBits(argument, type.parameters[position]), slot(slots, position), alignment: 8)
        }
        storeGas(function.argument(Convention.gas), context)
        callService(Service.callImport, context, [i32(UInt32(index)), slots])
        // Volatile: the handler wrote it behind the compiler's back.
        let gas = build.load(types.i64, field(context, ContextLayout.gas), alignment: 8, volatile: true)
        let value = type.results.first.map { build.load(self.type($0), slots, alignment: 8) }
        convention.return(value, gas: gas, self)
    }

    /// What the reference puts in front of functions that are reached from outside or through a table: its own
    /// charge, then the height, which the function compares.
    func lowerTrampoline(_ index: Int, charge: UInt64) {
        let function = tableEntry(index)
        let convention = convention(functionTypes[index])
        let start = ir.addBlock(function)
        let exhausted = ir.addBlock(function)
        let rest = ir.addBlock(function)
        let context = context(of: function)
        build.position(start)
        let left = build.binary(.sub, function.argument(Convention.gas), i64(charge))
        build.branch(build.compare(.signedLess, left, i64(0)), exhausted, rest, annotation: unlikely)
        build.position(exhausted)
        raise(SMELT_RT_TRAP_OUT_OF_GAS, gas: left, context: context)
        build.position(rest)
        let position = index - importedFunctionCount
        let cost = plan?.functions[position].stackCost ?? 0
        let height = build.binary(.add, function.argument(Convention.height), i64(UInt64(cost)))
        let returned = callGuest(
            self.function(index).value, convention,
            convention.arguments(
                context: context, gas: left, height: height, convention.parameters(of: function)))
        build.markTail(returned)
        build.return(returned)
    }

    /// Calls a function from outside: the counter comes from the context and goes back there; nothing is on the stack
    /// yet.
    private func callFromOutside(_ index: Int, _ context: Context, _ arguments: [Value]) -> Value? {
        let convention = convention(functionTypes[index])
        let returned = callGuest(
            tableEntry(index).value, convention,
            convention.arguments(context: context, gas: loadGas(context), height: i64(0), arguments))
        storeGas(convention.gas(of: returned, build), context)
        return functionTypes[index].results.isEmpty ? nil : convention.value(of: returned, build)
    }

    /// `void (context, arguments, results)`, 64-bit slots.
    func lowerUniformEntry(_ index: Int) -> Function {
        let type = functionTypes[index]
        let signature = ir.functionType([types.pointer, types.pointer, types.pointer], types.void)
        let function = addFunction("uniform\(index)", signature, convention: .c)
        build.position(ir.addBlock(function))
        let arguments = type.parameters.enumerated().map { position, parameter in
            build.load(self.type(parameter), slot(function.argument(1), position), alignment: 8)
        }
        let result = callFromOutside(index, context(at: function.argument(0)), arguments)
        if let result, let resultType = type.results.first {
            build.store(slotBits(result, resultType), function.argument(2), alignment: 8)
        }
        build.return()
        return function
    }

    /// The function's own C signature behind the context.
    func lowerTypedEntry(_ index: Int) -> Function {
        let type = functionTypes[index]
        let result = type.results.first.map { self.type($0) } ?? types.void
        let signature = ir.functionType([types.pointer] + type.parameters.map { self.type($0) }, result)
        let function = addFunction("typed\(index)", signature, convention: .c)
        build.position(ir.addBlock(function))
        let arguments = type.parameters.indices.map { function.argument(1 + $0) }
        build.return(callFromOutside(index, context(at: function.argument(0)), arguments))
        return function
    }

    /// A function that only marks the end of the code.
    func lowerEmpty(_ function: Function) {
        build.position(ir.addBlock(function))
        build.return()
    }
}
