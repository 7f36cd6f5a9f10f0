import CActorRuntime
import LLVMKit
import Metering
import WasmFormat

extension Inlining {
    /// What a call adds to the estimate of the function it is in.
    struct Size {
        var length: UInt64
        var blocks: UInt64
    }

    /// - Parameter function: in the index space; nil if calls of it are calls.
    func size(of function: Int) -> Size? {
        guard let body = callee(function)?.body else { return nil }
        // The tests of height and charge, and those of the instructions.
        let blocks = body.instructions.reduce(4) { $0 + $1.opcode.brief.recipe.blocks }
        return Size(length: UInt64(body.instructions.count), blocks: blocks)
    }
}

extension FunctionLowering {
    /// Lowers the body of a defined function in place of the call at hand.
    func lowerInlined(_ index: Int, _ callee: Inlining.Callee, _ type: FunctionType) throws(LoweringError) {
        guard let calls = walk.counter?.calls, walk.passedCalls < calls.count,
            Int(calls[walk.passedCalls].position) == self.position, let plan = module.plan
        else { throw fail("function \(index) is inlined where nobody said so") }
        let call = calls[walk.passedCalls]
        walk.passedCalls += 1
        let position = index - module.importedFunctionCount
        let arguments = try popArguments(type)
        if call.isTested {
            trap(
                SMELT_RT_TRAP_STACK_HEIGHT,
                if: build.compare(
                    .unsignedGreater, height, module.i64(UInt64(plan.stackLimit - callee.stackCost))))
        }
        let own = walk
        walk = Walk(callee.body, plan: plan.functions[position], index: index)
        walk.counter = module.work.functions[position].counter
        if !call.chargesItself { walk.passedCharges = walk.counter?.charges.count ?? 0 }
        walk.locals = arguments
        for group in callee.body.localGroups {
            let zero = module.ir.zero(module.type(group.type))
            walk.locals?.append(contentsOf: repeatElement(zero, count: Int(group.count)))
        }
        while self.position < callee.body.instructions.count { try lowerNext() }
        try finishWalk()
        walk = own
    }
}
