import CActorRuntime
import CodeImage
import LLVMKit
import Metering
import WasmFormat

/// The end that charges share when gas runs out.
struct ExhaustedEnd {
    let block: Block
    /// The counters that charges of one part bring.
    var incoming: [(Value, Block)] = []
    /// Charges of several parts, with what they left.
    var divided: [(block: Block, left: Value, parts: [UInt64])] = []

    var count: Int { incoming.count + divided.count }
}

/// Gas and stack height. Amounts come from the plan.
extension FunctionLowering {
    /// The counter, milligas.
    var gas: Value { variable(gasVariable) }

    func setGas(_ value: Value) { assign(gasVariable, value) }

    /// Works on what is due, where there is metering.
    func charged(_ body: (inout ChargeCursor) throws(PlanFault) -> Void) throws(LoweringError) {
        guard var taken = walk.charges.take() else { return }
        do { try body(&taken) } catch { throw LoweringError(error) }
        walk.charges = taken
    }

    /// The charges due in front of the instruction at hand: the block's, then the one by operand.
    func lowerCharges(before opcode: Opcode) throws(LoweringError) {
        var due = ChargeCursor.Due()
        try charged { charges throws(PlanFault) in
            // Where nothing comes from in front, nobody pays what stands there.
            guard fallsThrough else { return try charges.skip(position..<position + 1) }
            due = try charges.due(at: position, before: opcode, operands: operandCount)
        }
        lowerDueCharges()
        if let price = due.perUnit {
            guard let operand = stack.last else { throw fail("a charge by operand has no operand") }
            // An unsigned 32-bit operand times a price below 2^31 fits 63 bits.
            let units = build.convert(.zeroExtend, value(of: operand), to: types.i64)
            charge(build.binary(.mul, units, module.i64(price)))
        }
    }

    /// Charges what `CounterPlan` says.
    private func lowerDueCharges() {
        guard let charges = walk.counter?.charges else { return }
        while walk.passedCharges < charges.count, Int(charges[walk.passedCharges].position) == position {
            let due = charges[walk.passedCharges]
            walk.passedCharges += 1
            charge(module.i64(due.milligas), parts: due.parts)
        }
    }

    /// Subtracts, and ends the entry when the counter becomes negative: it keeps what the first of `parts` left for which
    /// it was too small.
    ///
    /// By the subtraction that also tells of overflow, which nobody asks: the code generator takes plain ones apart,
    /// keeps the counter from before and subtracts sums from it, in registers that are needed for other things.
    private func charge(_ amount: Value, parts: [UInt64] = []) {
        let subtraction = module.ir.intrinsic("llvm.ssub.with.overflow", [types.i64])
        let left = build.extract(build.call(subtraction, [gas, amount]), 0)
        setGas(left)
        if (exhausted.last?.count ?? Self.chargesPerEnd) >= Self.chargesPerEnd {
            exhausted.append(ExhaustedEnd(block: module.ir.makeBlock()))
        }
        let last = exhausted.count - 1
        var block = exhausted[last].block
        if parts.count > 1 {
            block = module.ir.makeBlock()
            exhausted[last].divided.append((block, left, parts))
        } else {
            exhausted[last].incoming.append((left, build.block))
        }
        let rest = newBlock()
        build.branch(
            build.compare(.signedLess, left, module.i64(0)), block, rest, annotation: module.unlikely)
        build.position(rest)
    }

    /// Charges that share one end when they are exhausted: a block of its own for each is code that never runs; one for
    /// all of a large function takes the register coalescer time in the square of their number.
    private static let chargesPerEnd = 16

    /// The blocks that end exhausted charges.
    func finishExhausted() {
        for end in exhausted {
            var incoming = end.incoming
            for (block, left, parts) in end.divided {
                module.ir.append(block, to: function)
                build.position(block)
                incoming.append((firstNegative(left, parts), block))
                build.branch(end.block)
            }
            module.ir.append(end.block, to: function)
            build.position(end.block)
            let counter = build.phi(types.i64)
            for (value, block) in incoming { build.addIncoming(counter, value, from: block) }
            module.raise(SMELT_RT_TRAP_OUT_OF_GAS, gas: counter, context: context)
        }
    }

    /// What the first part left that the counter was too small for, of parts that left a negative counter together.
    private func firstNegative(_ left: Value, _ parts: [UInt64]) -> Value {
        var result = left
        var behind: UInt64 = 0
        for part in parts.dropFirst().reversed() {
            behind += part
            let counter = build.binary(.add, left, module.i64(behind))
            result = build.select(build.compare(.signedLess, counter, module.i64(0)), counter, result)
        }
        return result
    }

    /// Stores the counter where `CounterPlan` says so.
    func lowerCounterStore() {
        guard let stores = walk.counter?.stores, walk.passedStores < stores.count,
            Int(stores[walk.passedStores]) == position
        else { return }
        walk.passedStores += 1
        build.locate(site)
        module.storeGas(gas, context)
        build.locate(lastAccess)
    }

    /// The counted height, then the reserves of live frames where they are added up. The caller has added this
    /// function's cost to the height, the function adds its reserve itself, since not every way to it leads through a
    /// place that knows it: both comparisons come after all charges of the call and before the function's first.
    func checkStack() {
        let limit = plan == nil ? nil : module.plan?.stackLimit
        guard module.addsReserves else {
            if let limit {
                trap(
                    SMELT_RT_TRAP_STACK_HEIGHT,
                    if: build.compare(.unsignedGreater, height, module.i64(UInt64(limit))))
            }
            return
        }
        let reserve = module.reserve.functions[index - module.importedFunctionCount]
        height = build.binary(.add, height, module.i64(UInt64(reserve) << 32))
        let isOver = build.compare(.unsignedGreater, height, module.i64(StackPair.largest))
        guard let limit else { return trap(SMELT_RT_TRAP_NATIVE_STACK, if: isOver) }
        // One cold block for both, which tells them apart.
        let counted = build.convert(.truncate, height, to: types.i32)
        let cold = newBlock()
        let second = newBlock()
        let rest = newBlock()
        build.branch(
            build.compare(.unsignedGreater, counted, module.i32(limit)), cold, second, annotation: module.unlikely)
        build.position(second)
        build.branch(isOver, cold, rest, annotation: module.unlikely)
        build.position(cold)
        module.raiseStack(gas: gas, height: height, context: context)
        build.position(rest)
    }

    /// A function whose reserve alone exceeds the budget ends every call: with its body it would have a frame.
    func lowerUncallable() {
        build.position(module.ir.addBlock(function))
        guard plan != nil else { return module.raise(SMELT_RT_TRAP_NATIVE_STACK, gas: nil, context: context) }
        module.raiseStack(gas: function.argument(Convention.gas), height: height, context: context)
    }

    /// The height to call a function with: raised by the callee's cost, which the callee compares.
    func height(calling index: Int) -> Value {
        let position = index - module.importedFunctionCount
        guard plan != nil, position >= 0, let cost = module.plan?.functions[position].stackCost else { return height }
        return build.binary(.add, height, module.i64(UInt64(cost)))
    }
}
