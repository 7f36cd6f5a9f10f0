import CActorRuntime
import CodeImage
import CodeSettings
import LLVMKit
import Metering
import Validator
import WasmFormat

/// An operand of the guest.
enum Operand {
    case value(Value)
    /// The result of a comparison, an i1 that becomes an i32 where one is wanted: next to every comparison decides a
    /// branch or a choice.
    case flag(Value)
}

/// What belongs to the body that is gone through.
struct Walk {
    let body: FunctionBody
    /// What is due where; nil without metering.
    var charges: ChargeCursor?
    /// Where the counter is charged and stored; nil without metering.
    var counter: CounterPlan?
    var passedCharges = 0
    var passedCalls = 0
    var passedStores = 0
    /// The instruction at hand.
    var position = 0
    /// Values of the locals, of a body in one straight line; nil where they are variables.
    var locals: [Value]?

    init(_ body: FunctionBody, plan: MeteringPlan.Function?, index: Int) {
        self.body = body
        charges = plan.map { ChargeCursor($0, function: UInt32(index)) }
    }
}

/// The lowering of one function body: one pass over its instructions.
final class FunctionLowering {
    let module: ModuleLowering
    let build: Builder
    let types: CommonTypes
    let index: Int
    let type: FunctionType
    let plan: MeteringPlan.Function?
    let function: Function
    let facts: FunctionFacts

    // Arguments of the internal convention.
    let convention: Convention
    let context: Context
    /// A `StackPair`; from `checkStack` on, this function's reserve is in it.
    var height: Value

    /// Types of the variables: the locals, then the gas counter.
    private(set) var variables: [IRType] = []
    /// The variables that are values; nil while they are worked on.
    private var values: Variables?
    /// Slots of the frame, for variables that are no values.
    private var slots: [Value?] = []
    /// What a slot holds, as far as the block at hand knows.
    private var known: [Int: (block: Block, value: Value)] = [:]
    var stack: [Operand] = []
    /// Of open constructs, by number; empty until the body begins.
    var frames: [Frame?] = []
    /// Where in the body this is: what cannot be reached is passed over.
    var cursor = SideTable.Cursor()
    /// Of the function itself, or of one that is lowered in place of a call.
    var walk: Walk
    /// Whether control comes to the instruction at hand from the one in front of it.
    var fallsThrough = true
    /// Where charges branch to when gas runs out.
    var exhausted: [ExhaustedEnd] = []
    /// Indices of memory that have been extended to 64 bits.
    var extensions: [Value: Value] = [:]
    /// The last access of memory that can fault.
    var lastAccess: DebugLocation?
    private let scope: DebugScope?
    let work: FunctionWork
    var body: FunctionBody { walk.body }
    var position: Int {
        get { walk.position }
        set { walk.position = newValue }
    }
    /// The structure of the function's own body.
    var structure: SideTable { work.table }

    init(
        _ module: ModuleLowering, index: Int, body: FunctionBody, plan: MeteringPlan.Function?, work: FunctionWork,
        scope: DebugScope?
    ) {
        self.work = work
        self.scope = scope
        self.module = module
        self.index = index
        self.plan = plan
        walk = Walk(body, plan: plan, index: index)
        build = module.build
        types = module.types
        type = module.functionTypes[index]
        function = module.function(index)
        convention = module.convention(type)
        context = module.context(of: function)
        height = function.argument(Convention.height)
        facts = FunctionFacts(
            index: UInt32(index), estimate: work.estimate, frameBytes: nil)
    }

    // MARK: Driver

    func lower() throws(LoweringError) {
        guard module.reserve.isCallable(index - module.importedFunctionCount) else { return lowerUncallable() }
        walk.counter = work.counter
        lowerPrologue()
        while position < body.instructions.count {
            let innermost = cursor.innermost
            let next = cursor.reachable(from: position, in: structure)
            if next != position {
                try passOver(to: next, from: innermost)
                continue
            }
            try lowerNext()
        }
        try finishWalk()
        lastAccess = nil
        build.locate(nil)
        finishExhausted()
    }

    /// The instruction at hand, with what is due in front of it.
    func lowerNext() throws(LoweringError) {
        let instruction = body.instructions[position]
        try lowerCharges(before: instruction.opcode)
        lowerCounterStore()
        // The end of an inlined body is where the caller goes on.
        if walk.locals == nil || instruction.opcode != .end { try lower(instruction) }
        position += 1
    }

    /// Nothing that was due is left over.
    func finishWalk() throws(LoweringError) {
        try charged { charges throws(PlanFault) in try charges.finish(count: body.instructions.count) }
        guard walk.passedCharges == walk.counter?.charges.count ?? 0 else { throw fail("a charge is left over") }
        guard walk.passedCalls == walk.counter?.calls.count ?? 0 else { throw fail("a call is left over") }
        guard walk.passedStores == walk.counter?.stores.count ?? 0 else {
            throw fail("a store of the counter is left over")
        }
    }

    private func lowerPrologue() {
        build.position(module.ir.addBlock(function))
        var initial = convention.parameters(of: function)
        for group in body.localGroups {
            let zero = module.ir.zero(module.type(group.type))
            initial.append(contentsOf: repeatElement(zero, count: Int(group.count)))
        }
        initial.append(function.argument(Convention.gas))
        variables = initial.map(\.type)
        slots = variables.indices.map { work.busyLocals.contains($0) ? build.alloca(variables[$0]) : nil }
        for (slot, value) in zip(slots, initial) {
            if let slot { build.store(value, slot, alignment: 8) }
        }
        values = Variables(build, initial: initial)
        checkStack()
        openFunction()
    }

    // MARK: Variables

    /// The number of the gas counter among the variables.
    var gasVariable: Int { variables.count - 1 }

    func variable(_ number: Int) -> Value {
        guard let slot = slots[number] else {
            return withValues { $0.value(of: number) } ?? function.argument(Convention.gas)
        }
        if let known = known[number], known.block == build.block { return known.value }
        let value = build.load(variables[number], slot, alignment: 8)
        known[number] = (build.block, value)
        return value
    }

    func assign(_ number: Int, _ value: Value) {
        guard let slot = slots[number] else {
            withValues { $0.assign(number, value) }
            return
        }
        build.store(value, slot, alignment: 8)
        known[number] = (build.block, value)
    }

    /// Works on the variables in place, where they are values.
    @discardableResult
    func withValues<R>(_ body: (inout Variables) -> R) -> R? {
        guard var taken = values.take() else { return nil }
        defer { values = taken }
        return body(&taken)
    }

    // MARK: Shared helpers

    func fail(_ rule: String) -> LoweringError {
        let offset = position < body.instructions.count ? body.instructions[position].offset : body.offset
        return .inconsistent(function: UInt32(index), offset: offset, rule: rule)
    }

    /// Operands on the stack inside the innermost construct.
    var operandCount: Int { stack.count - structure.constructs[cursor.innermost].height }

    func popOperand() throws(LoweringError) -> Operand {
        guard operandCount > 0, let operand = stack.popLast() else {
            throw fail("an operand is missing")
        }
        return operand
    }

    func pop() throws(LoweringError) -> Value { value(of: try popOperand()) }

    /// The operand as a value of the guest.
    func value(of operand: Operand) -> Value {
        switch operand {
        case .value(let value): value
        case .flag(let flag): build.convert(.zeroExtend, flag, to: types.i32)
        }
    }

    func push(_ value: Value) { stack.append(.value(value)) }

    func pushFlag(_ condition: Value) { stack.append(.flag(condition)) }

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

    // MARK: Dispatch

    /// By the recipe of the opcode table.
    private func lower(_ instruction: Instruction) throws(LoweringError) {
        let opcode = instruction.opcode
        switch opcode.brief.recipe {
        case .nop: break
        case .unreachable, .block, .loop, .if, .else, .end, .branch, .branchIf, .branchTable, .return:
            try lowerControl(opcode.brief.recipe)
        case .call: try lowerCall(Int(instruction.index))
        case .callIndirect: try lowerCallIndirect(Int(instruction.index))
        case .drop: _ = try popOperand()
        case .select:
            let condition = try popCondition()
            let no = try pop()
            push(build.select(condition, try pop(), no))
        case .localGet: push(try local(instruction.index))
        case .localSet: try setLocal(instruction.index, try pop())
        case .localTee:
            let value = try pop()
            try setLocal(instruction.index, value)
            push(value)
        case .globalGet: try lowerGlobalGet(instruction.index)
        case .globalSet: try lowerGlobalSet(instruction.index)
        case .constant:
            guard let type = opcode.brief.result else { throw fail("a constant has no type") }
            push(constant(instruction.bits, module.type(type)))
        case .load: try lowerLoad(instruction)
        case .store: try lowerStore(instruction)
        case .memorySize: lowerMemorySize()
        case .memoryCopy:
            if let count = body.inlineCount(at: position) { try copy(count) } else { try callService(instruction) }
        case .memoryGrow, .memoryFill, .memoryInit, .dataDrop, .tableGet, .tableSet, .tableGrow, .tableFill,
            .tableCopy, .tableInit, .elementDrop, .functionReference:
            try callService(instruction)
        case .tableSize: push(build.convert(.truncate, tableSize, to: types.i32))
        case .nullReference: push(module.ir.zero(types.pointer))
        case .isNull, .isZero: try lowerIsZero()
        case .compare(let comparison): try compare(comparison.predicate)
        case .binary(let operation): try binary(operation.operation)
        case .shift(let shift): try lowerShift(shift)
        case .divide(let signed): try divide(signed: signed)
        case .remainder(let signed): try remainder(signed: signed)
        case .count(let count): try lowerCount(count)
        case .signExtend(let bits): try signExtend(from: bits == 8 ? types.i8 : bits == 16 ? types.i16 : types.i32)
        case .floatCompare(let comparison): try compare(comparison.predicate)
        case .floatBinary(let operation): try floatBinary(operation)
        case .floatUnary(let function): try floatUnary(function)
        case .convert(let conversion):
            guard let result = opcode.brief.result else { throw fail("a conversion has no type") }
            try convert(conversion, to: module.type(result))
        }
    }

    /// A constant of the guest, by its bits.
    func constant(_ bits: UInt64, _ type: IRType) -> Value {
        switch type {
        case types.i32: module.i32(UInt32(truncatingIfNeeded: bits))
        case types.i64: module.i64(bits)
        default: module.ir.floatConstant(type, bits: bits)
        }
    }

    func bitcast(_ value: Value, _ type: IRType) -> Value { build.convert(.bitcast, value, to: type) }

    /// An i32 operand as a condition.
    func popCondition() throws(LoweringError) -> Value {
        switch try popOperand() {
        case .flag(let flag): flag
        case .value(let value): build.compare(.notEqual, value, module.i32(0))
        }
    }

    private func localNumber(_ index: UInt32) throws(LoweringError) -> Int {
        guard Int(index) < walk.locals?.count ?? gasVariable else { throw fail("local \(index) does not exist") }
        return Int(index)
    }

    private func local(_ index: UInt32) throws(LoweringError) -> Value {
        let number = try localNumber(index)
        return walk.locals?[number] ?? variable(number)
    }

    private func setLocal(_ index: UInt32, _ value: Value) throws(LoweringError) {
        let number = try localNumber(index)
        if walk.locals == nil { assign(number, value) } else { walk.locals?[number] = value }
    }
}
