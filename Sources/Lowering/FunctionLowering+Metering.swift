import CActorRuntime
import LLVMKit
import Metering
import WasmFormat

/// Gas and stack height. Amounts come from the plan.
extension FunctionLowering {
    /// The counter, milligas.
    var gas: Value { build.load(types.i64, gasSlot, alignment: 8) }

    func setGas(_ value: Value, stored: Bool) {
        build.store(value, gasSlot, alignment: 8)
        gasStored = stored
    }

    /// The charges due in front of the instruction at hand: the block's, then the one by operand.
    func lowerCharges() {
        guard let plan else { return }
        if nextBlock < plan.blocks.count, Int(plan.blocks[nextBlock].position) == position {
            if reachable { charge(module.i64(plan.blocks[nextBlock].milligas)) }
            nextBlock += 1
        }
        if nextLinear < plan.linear.count, Int(plan.linear[nextLinear].position) == position {
            if reachable, let operand = stack.last {
                // An unsigned 32-bit operand times a price below 2^31 fits 63 bits.
                let units = build.convert(.zeroExtend, operand, to: types.i64)
                charge(build.binary(.mul, units, module.i64(plan.linear[nextLinear].milligasPerUnit)))
            }
            nextLinear += 1
        }
    }

    /// Subtracts, and ends the entry when the counter becomes negative: it keeps what this charge left.
    private func charge(_ amount: Value) {
        let left = build.binary(.sub, gas, amount)
        setGas(left, stored: false)
        let block: Block
        if let exhausted {
            block = exhausted.block
        } else {
            block = module.ir.makeBlock()
            exhausted = (block, [])
        }
        exhausted?.incoming.append((left, build.block))
        let rest = newBlock()
        build.branch(
            build.compare(.signedLess, left, module.i64(0)), block, rest, annotation: module.unlikely)
        build.position(rest)
    }

    /// One block of the function ends all its exhausted charges.
    func finishExhausted() {
        guard let exhausted else { return }
        module.ir.append(exhausted.block, to: function)
        build.position(exhausted.block)
        let counter = build.phi(types.i64)
        for (value, block) in exhausted.incoming { build.addIncoming(counter, value, from: block) }
        module.raise(SMELT_RT_TRAP_OUT_OF_GAS, gas: counter, context: context)
    }

    /// Makes the context's counter current before something that can end the entry or look at it.
    func storeGasIfNeeded() {
        guard plan != nil, !gasStored else { return }
        module.storeGas(gas, context)
        gasStored = true
    }

    /// The counted height, then the native stack. The caller has added this function's cost to the height: the
    /// comparison comes after all its charges and before this function's first.
    func checkStack() {
        let isTooHigh =
            plan == nil ? nil : module.plan.map { build.compare(.unsignedGreater, height, module.i32($0.stackLimit)) }
        // A function that calls nothing needs at most its frame, for which the runtime leaves room (or, above
        // that, a guard that its probes find).
        guard callsSomething else {
            if let isTooHigh { trap(SMELT_RT_TRAP_STACK_HEIGHT, if: isTooHigh) }
            return
        }
        guard let isTooHigh else { return trap(SMELT_RT_TRAP_NATIVE_STACK, if: isBelowNativeLimit()) }
        // One cold block for both, which tells them apart.
        let cold = newBlock()
        let second = newBlock()
        let rest = newBlock()
        build.branch(isTooHigh, cold, second, annotation: module.unlikely)
        build.position(second)
        build.branch(isBelowNativeLimit(), cold, rest, annotation: module.unlikely)
        build.position(cold)
        module.raiseStack(gas: gas, height: height, context: context)
        build.position(rest)
    }

    private func isBelowNativeLimit() -> Value {
        let intrinsic = module.ir.intrinsic("llvm.stacksave", [types.pointer])
        let pointer = build.convert(.pointerToInteger, build.call(intrinsic, []), to: types.i64)
        let limit = build.load(types.i64, module.field(context, ContextLayout.nativeLimit), alignment: 8)
        return build.compare(.unsignedLess, pointer, limit)
    }

    private var callsSomething: Bool {
        body.instructions.contains { $0.opcode == .call || $0.opcode == .callIndirect }
    }

    /// The height to call a function with: raised by the callee's cost, which the callee compares.
    func height(calling index: Int) -> Value {
        let position = index - module.importedFunctionCount
        guard plan != nil, position >= 0, let cost = module.plan?.functions[position].stackCost else { return height }
        return build.binary(.add, height, module.i32(cost))
    }
}
