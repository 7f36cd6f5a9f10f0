import CActorRuntime
import CodeSettings
import LLVMKit
import Metering
import WasmFormat

/// The lowering of one function body: one pass over its instructions.
///
/// Locals and the gas counter are stack slots, which the first pass of the optimising tier turns into values;
/// the baseline tier keeps them. The operand stack holds values.
final class FunctionLowering {
    let module: ModuleLowering
    let build: Builder
    let types: CommonTypes
    let index: Int
    let body: FunctionBody
    let type: FunctionType
    let plan: MeteringPlan.Function?
    let function: Function
    let facts: FunctionFacts

    // Arguments of the internal convention.
    let context: Value
    let memoryBase: Value
    let height: Value

    var gasSlot: Value
    var locals: [(slot: Value, type: IRType)] = []
    var stack: [Value] = []
    var frames: [Frame] = []
    /// Whether the context's counter is certainly the current one.
    var gasStored = false
    /// Whether the instruction at hand can be reached; what cannot is not lowered.
    var reachable = true
    /// Constructs opened in unreachable code.
    var deadDepth = 0
    /// The block all charges of this function branch to when gas runs out, and the counters they bring.
    var exhausted: (block: Block, incoming: [(Value, Block)])?
    /// The instruction at hand.
    var position = 0
    /// Next rows of the plan.
    var nextBlock = 0
    var nextLinear = 0
    /// The last access of memory that can fault.
    var lastAccess: DebugLocation?
    private let scope: DebugScope?

    init(
        _ module: ModuleLowering, index: Int, body: FunctionBody, plan: MeteringPlan.Function?, scope: DebugScope?
    ) {
        self.scope = scope
        self.module = module
        self.index = index
        self.body = body
        self.plan = plan
        build = module.build
        types = module.types
        type = module.functionTypes[index]
        function = module.functions[index]
        context = function.argument(0)
        memoryBase = function.argument(1)
        height = function.argument(3)
        gasSlot = function.argument(2)
        let count = body.localGroups.reduce(type.parameters.count) { $0 + Int($1.count) }
        let estimate = Estimate.make(body, localCount: count, budget: module.options.budget)
        let tier: Tier =
            module.options.tier == .optimised && module.options.budget.allows(estimate) ? .optimised : .baseline
        facts = FunctionFacts(index: UInt32(index), tier: tier, estimate: estimate, frameBytes: nil)
    }

    // MARK: Driver

    func lower() throws(LoweringError) {
        if facts.tier == .baseline {
            for attribute in module.attributes.baseline { module.ir.add(attribute, to: function) }
        }
        lowerPrologue()
        for instruction in body.instructions {
            lowerCharges()
            if reachable {
                try lower(instruction)
            } else {
                try skip(instruction)
            }
            position += 1
        }
        guard frames.isEmpty else { throw fail("the body ends inside a construct") }
        lastAccess = nil
        build.locate(nil)
        finishExhausted()
    }

    private func lowerPrologue() {
        build.position(module.ir.addBlock(function))
        gasSlot = build.alloca(types.i64)
        for (position, parameter) in type.parameters.enumerated() {
            locals.append((build.alloca(module.type(parameter)), module.type(parameter)))
            build.store(function.argument(4 + position), locals[position].slot, alignment: 8)
        }
        build.store(function.argument(2), gasSlot, alignment: 8)
        for group in body.localGroups {
            let type = module.type(group.type)
            for _ in 0..<group.count {
                let slot = build.alloca(type)
                build.store(module.ir.zero(type), slot, alignment: 8)
                locals.append((slot, type))
            }
        }
        checkStack()
        frames.append(Frame(kind: .block, base: 0, target: module.ir.makeBlock(), result: type.results.first))
    }

    // MARK: Shared helpers

    func fail(_ rule: String) -> LoweringError {
        let offset = position < body.instructions.count ? body.instructions[position].offset : body.offset
        return .inconsistent(function: UInt32(index), offset: offset, rule: rule)
    }

    func pop() throws(LoweringError) -> Value {
        guard stack.count > (frames.last?.base ?? 0), let value = stack.popLast() else {
            throw fail("an operand is missing")
        }
        return value
    }

    func push(_ value: Value) { stack.append(value) }

    /// The place of the instruction at hand; none in the prologue.
    var site: DebugLocation? {
        frames.isEmpty ? nil : scope?.location(line: body.instructions[position].offset)
    }

    /// Runs `emit` with the place of the instruction at hand on what it builds: for calls that can trap or fault.
    ///
    /// Everything else has the place of the last access of memory: the code generator folds a load into the
    /// instruction that uses it and gives the pair the place of the latter.
    func atSite<R>(_ emit: () throws(LoweringError) -> R) throws(LoweringError) -> R {
        build.locate(site)
        defer { build.locate(lastAccess) }
        return try emit()
    }

    /// A new block at the end of the function.
    func newBlock() -> Block { module.ir.addBlock(function) }

    /// The rest of the current block is taken when `condition` holds next to never.
    func trap(_ trap: smelt_rt_trap, if condition: Value) {
        let cold = newBlock()
        let rest = newBlock()
        build.branch(condition, cold, rest, annotation: module.unlikely)
        build.position(cold)
        raise(trap)
        build.position(rest)
    }

    /// Ends the block with a trap of the instruction at hand.
    func raise(_ trap: smelt_rt_trap) {
        build.locate(site)
        module.raise(trap, gas: plan == nil ? nil : gas, context: context)
        build.locate(lastAccess)
    }

    /// The code after the instruction at hand cannot be reached.
    func becomeUnreachable() {
        reachable = false
        deadDepth = 0
        stack.removeLast(stack.count - (frames.last?.base ?? 0))
    }

    // MARK: Dispatch

    private func lower(_ instruction: Instruction) throws(LoweringError) {
        switch instruction.opcode {
        case .unreachable, .nop, .block, .loop, .if, .else, .end, .br, .brIf, .brTable, .return:
            try lowerControl(instruction)
        case .call: try lowerCall(instruction)
        case .callIndirect: try lowerCallIndirect(instruction)
        case .drop: _ = try pop()
        case .select, .selectTyped:
            let condition = try popCondition()
            let no = try pop()
            push(build.select(condition, try pop(), no))
        case .localGet:
            let local = try local(instruction.index)
            push(build.load(local.type, local.slot, alignment: 8))
        case .localSet: build.store(try pop(), try local(instruction.index).slot, alignment: 8)
        case .localTee:
            let value = try pop()
            build.store(value, try local(instruction.index).slot, alignment: 8)
            push(value)
        case .globalGet: try lowerGlobalGet(instruction.index)
        case .globalSet: try lowerGlobalSet(instruction.index)
        case .tableGet, .tableSet, .tableSize, .tableGrow, .tableFill, .tableCopy, .tableInit, .elemDrop, .refNull,
            .refIsNull, .refFunc:
            try lowerReference(instruction)
        case .i32Const: push(module.i32(UInt32(truncatingIfNeeded: instruction.bits)))
        case .i64Const: push(module.i64(instruction.bits))
        case .f32Const: push(bitcast(module.i32(UInt32(truncatingIfNeeded: instruction.bits)), types.f32))
        case .f64Const: push(bitcast(module.i64(instruction.bits), types.f64))
        case .memorySize, .memoryGrow, .memoryFill, .memoryCopy, .memoryInit, .dataDrop:
            try lowerMemory(instruction)
        default:
            if instruction.opcode.row.accessWidth > 0 {
                try lowerAccess(instruction)
            } else if try !lowerInteger(instruction.opcode), try !lowerFloat(instruction.opcode) {
                throw fail("\(instruction.opcode.name) has no lowering")
            }
        }
    }

    func bitcast(_ value: Value, _ type: IRType) -> Value { build.convert(.bitcast, value, to: type) }

    /// An i32 operand as a condition.
    func popCondition() throws(LoweringError) -> Value {
        build.compare(.notEqual, try pop(), module.i32(0))
    }

    private func local(_ index: UInt32) throws(LoweringError) -> (slot: Value, type: IRType) {
        guard Int(index) < locals.count else { throw fail("local \(index) does not exist") }
        return locals[Int(index)]
    }
}
