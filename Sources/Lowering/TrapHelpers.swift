import CActorRuntime
import CodeImage
import LLVMKit

/// The cold end of a trap, once for a module: stores the counter and goes on to the runtime's `raise` by a jump, so
/// that `raise` still sees the place it was called from. A place of a trap is then one call, which is what its block
/// costs in every pass of LLVM.
struct TrapHelpers {
    /// By trap number, in the order of first use.
    private(set) var plain: [(trap: smelt_rt_trap, function: Function)] = []
    /// Of the test at a function's start.
    private(set) var stack: Function?

    /// `void (anchor of the context, counter)`.
    mutating func plain(_ trap: smelt_rt_trap, make: (String) -> Function) -> Function {
        if let known = plain.first(where: { $0.trap == trap }) { return known.function }
        let function = make("trap\(trap.rawValue)")
        plain.append((trap, function))
        return function
    }

    /// `void (anchor of the context, counter, height)`.
    mutating func stack(make: (String) -> Function) -> Function {
        if let stack { return stack }
        let function = make("trap_stack")
        stack = function
        return function
    }
}

extension ModuleLowering {
    private var plainType: IRType { ir.functionType([types.pointer, types.i64], types.void) }
    private var stackType: IRType { ir.functionType([types.pointer, types.i64, types.i64], types.void) }

    /// Ends the block: gas goes to the context, the runtime ends the entry.
    func raise(_ trap: smelt_rt_trap, gas: Value?, context: Context) {
        if let gas {
            let helper = trapHelpers.plain(trap) { addFunction($0, plainType, convention: .c) }
            build.call(helper.value, helper.type, [context.anchor, gas], attributes: attributes.raise)
        } else {
            let callee = constantField(types.pointer, context, ContextLayout.raise)
            let type = ir.functionType([types.pointer, types.i32], types.void)
            build.call(callee, type, [address(of: context), i32(trap.rawValue)], attributes: attributes.raise)
        }
        build.unreachable()
    }

    /// Ends the block with the trap of the counted height if that is above the limit, else with the one of the
    /// reserves.
    ///
    /// - Parameter height: a `StackPair`.
    func raiseStack(gas: Value, height: Value, context: Context) {
        let helper = trapHelpers.stack { addFunction($0, stackType, convention: .c) }
        build.call(helper.value, helper.type, [context.anchor, gas, height], attributes: attributes.raise)
        build.unreachable()
    }

    /// The bodies of the helpers in use.
    func lowerTrapHelpers() {
        for (trap, function) in trapHelpers.plain {
            build.position(ir.addBlock(function))
            let context = Context(anchor: function.argument(0))
            storeGas(function.argument(1), context)
            jumpToRaise(plainType, context, [i64(UInt64(trap.rawValue))])
        }
        guard let function = trapHelpers.stack, let plan else { return }
        build.position(ir.addBlock(function))
        let context = Context(anchor: function.argument(0))
        let height = function.argument(2)
        storeGas(function.argument(1), context)
        let trap = build.select(
            build.compare(.unsignedGreater, build.convert(.truncate, height, to: types.i32), i32(plan.stackLimit)),
            i64(UInt64(SMELT_RT_TRAP_STACK_HEIGHT.rawValue)), i64(UInt64(SMELT_RT_TRAP_NATIVE_STACK.rawValue)))
        jumpToRaise(stackType, context, [trap, height])
    }

    /// `raise` is called with the helper's own type, as a call that must become a jump demands: its number is the
    /// low half of a register, and further arguments are ones it does not look at.
    private func jumpToRaise(_ type: IRType, _ context: Context, _ arguments: [Value]) {
        let callee = constantField(types.pointer, context, ContextLayout.raise)
        let all = [address(of: context)] + arguments
        build.markMustTail(build.call(callee, type, all, attributes: [attributes.noUnwind]))
        build.return()
    }
}
