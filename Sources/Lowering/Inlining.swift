import CActorRuntime
import LLVMKit
import Metering
import Validator
import WasmFormat

/// Which functions are lowered in place of the calls of them: those of a few instructions in one straight line that
/// call nothing. Producers that save space leave many, and a call costs more than what they do.
///
/// What such a call does stays as it is and in the order it has: the callee's height is compared with the limit, its
/// block is charged, then its instructions follow. A property of the WASM and the plan.
struct Inlining {
    /// What a call adds to the estimate of the function it is in.
    struct Size {
        var length: UInt64
        var blocks: UInt64
    }

    /// Of defined functions; nil for those that are called.
    private let sizes: [Size?]
    private let imported: Int

    init(_ module: Module, plan: MeteringPlan?, reserve: StackReserve) {
        imported = module.importedFunctionCount
        // Where reserves are added up, every function tests its own.
        guard let plan, reserve.isBounded else {
            sizes = []
            return
        }
        sizes = zip(module.bodies, plan.functions).map { body, function in
            guard function.linear.isEmpty, function.blocks.count <= 1, function.blocks.allSatisfy({ $0.position == 0 }),
                function.stackCost <= plan.stackLimit, Self.isShort(body)
            else { return nil }
            // The tests of height and charge, and those of the instructions.
            let blocks = body.instructions.reduce(4) { $0 + $1.opcode.brief.recipe.blocks }
            return Size(length: UInt64(body.instructions.count), blocks: blocks)
        }
    }

    /// - Parameter function: in the index space; nil if calls of it are calls.
    func size(of function: Int) -> Size? {
        sizes.indices.contains(function - imported) ? sizes[function - imported] : nil
    }

    /// The largest reserve of a function that is inlined in `body`, bytes: the frame of who inlines has its room too,
    /// for the chain of calls was counted with both.
    func reserve(in body: FunctionBody, _ reserve: StackReserve) -> UInt64 {
        body.instructions.lazy.filter { $0.opcode == .call && size(of: Int($0.index)) != nil }
            .map { reserve.bytes(ofFunction: Int($0.index) - imported) }.max() ?? 0
    }

    private static func isShort(_ body: FunctionBody) -> Bool {
        body.instructions.count <= mostInstructions
            && body.localGroups.reduce(0) { $0 + Int($1.count) } <= mostLocals
            && body.instructions.dropLast().allSatisfy(\.opcode.brief.recipe.isPlain)
    }

    /// The final `end` included. Bodies of this size are hardly larger than a call with its arguments.
    private static let mostInstructions = 24
    private static let mostLocals = 4
}

extension Recipe {
    /// Whether an instruction neither moves control nor has a service of the runtime do its work.
    fileprivate var isPlain: Bool {
        switch self {
        case .nop, .drop, .select, .localGet, .localSet, .localTee, .globalGet, .globalSet, .constant, .load, .store,
            .isZero, .compare, .binary, .shift, .count, .signExtend, .convert(.wrap), .convert(.extend):
            true
        default: false
        }
    }
}

extension FunctionLowering {
    /// Lowers the body of a defined function in place of a call of it.
    func lowerInlined(_ index: Int, _ type: FunctionType, plan: MeteringPlan) throws(LoweringError) {
        let position = index - module.importedFunctionCount
        let callee = module.module.bodies[position]
        let arguments = try popArguments(type)
        testHeight(plan.functions[position].stackCost, limit: plan.stackLimit)
        let own = walk
        walk = Walk(callee, plan: plan.functions[position], index: index)
        walk.counter = module.work.functions[position].counter
        walk.locals = arguments
        for group in callee.localGroups {
            let zero = module.ir.zero(module.type(group.type))
            walk.locals?.append(contentsOf: repeatElement(zero, count: Int(group.count)))
        }
        while self.position < callee.instructions.count { try lowerNext() }
        try finishWalk()
        walk = own
    }

    /// The comparison of the height at the beginning of a function of this cost, unless one that is passed on every way
    /// here has told as much: the height is one number throughout the caller.
    private func testHeight(_ cost: UInt32, limit: UInt32) {
        guard cost > testedCost else { return }
        testedCost = cost
        trap(
            SMELT_RT_TRAP_STACK_HEIGHT,
            if: build.compare(.unsignedGreater, height, module.i64(UInt64(limit - cost))))
    }
}
