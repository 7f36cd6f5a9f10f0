import CActorRuntime
import CodeImage
import CodeSettings
import Metering
import Validator
import WasmFormat

/// One function body to machine code, in one pass over its instructions.
///
/// Operands stay in registers within a stretch of code without labels, and go to slots of the frame where code paths
/// meet. The busiest integer locals have registers of their own, all others slots. Every step takes constant time, so
/// the whole takes time in proportion to the body, whatever the body is.
struct FunctionCompiler {
    let module: ModuleCompiler
    let index: Int
    let body: FunctionBody
    let table: SideTable
    let type: FunctionType
    var assembler: Assembler
    var lines: [LineProgram.Row]

    // The frame, from the stack pointer up: arguments of calls, slots, locals, the stack pair; then what was pushed.
    let slotBase: Int
    var frameBytes = 0
    private var pairOffset = 0
    private var contextOffset = 0
    private let calls: Bool
    private var lastMark: UInt32?
    private(set) var locals: Locals
    /// Kept registers that locals have, in the order in which they were pushed.
    private var pushed: [GP] = []

    // Operands.
    var stack: [Operand] = []
    /// Operands below this height are in their slots.
    private var settled = 0
    private static let window = 16
    private var free = RegisterSet(Convention.operands)
    private var freeFloats = RegisterSet(Convention.floatOperands)

    // Where in the body this is.
    var cursor = SideTable.Cursor()
    private var charges: ChargeCursor?
    var position = 0
    /// Whether control comes to the instruction at hand from the one in front of it.
    var fallsThrough = true
    /// By construct: where branches to its label go, and where the second arm of an `if` begins.
    var labels: [Assembler.Label?] = []
    var arms: [Assembler.Label?] = []
    /// Where the result is in its register and the frame is given back.
    var exit: Assembler.Label
    var exitIsUsed = false
    var cold: [ColdCode] = []
    private var exhausted: Assembler.Label?

    /// Code that next to never runs, behind the function's.
    enum ColdCode {
        case trap(Assembler.Label, smelt_rt_trap, offset: UInt32)
        case stackTrap(Assembler.Label, offset: UInt32)
        /// Makes a NaN the canonical one, and goes back.
        case canonicalize(Assembler.Label, XMM, double: Bool, back: Assembler.Label)
        /// An i64 that is negative as a signed number, converted as unsigned.
        case convertLarge(Assembler.Label, GP, XMM, double: Bool, back: Assembler.Label)
        /// Null or of another type.
        case elementTrap(Assembler.Label, GP, offset: UInt32)
    }

    init(_ module: ModuleCompiler, position: Int, assembler: consuming Assembler, lines: consuming [LineProgram.Row]) {
        self.module = module
        index = module.image.importedFunctionCount + position
        body = module.module.bodies[position]
        table = module.validated.sideTables[position]
        type = module.image.functionTypes[index]
        self.assembler = assembler
        self.lines = lines
        let number = UInt32(index)
        charges = module.plan.map { ChargeCursor($0.functions[position], function: number) }
        exit = self.assembler.makeLabel()
        labels = Array(repeating: nil, count: table.constructs.count)
        arms = labels
        locals = Locals(type.parameters, body)
        let survey = Survey(body, table, module)
        slotBase = survey.outgoing * 8
        calls = survey.calls
        layOut(survey)
    }

    // MARK: Driver

    mutating func run() throws(SinglePassError) {
        prologue()
        let instructions = body.instructions
        while position < instructions.count {
            let next = cursor.reachable(from: position, in: table)
            if next != position {
                let passed = position..<next
                try plan { charges throws(PlanFault) in try charges.skip(passed) }
                position = next
                fallsThrough = false
                continue
            }
            let instruction = instructions[position]
            try charge(instruction.opcode)
            try compile(instruction)
            position += 1
        }
        try plan { charges throws(PlanFault) in try charges.finish(count: instructions.count) }
        finishCold()
        assembler.finishFunction()
    }

    private mutating func plan(_ body: (inout ChargeCursor) throws(PlanFault) -> Void) throws(SinglePassError) {
        guard var taken = charges.take() else { return }
        do { try body(&taken) } catch { throw .plan(error) }
        charges = taken
    }

    func fail(_ rule: String) -> SinglePassError {
        let offset = position < body.instructions.count ? body.instructions[position].offset : body.offset
        return .inconsistent(function: UInt32(index), offset: offset, rule: rule)
    }

    // MARK: Frame

    private mutating func layOut(_ survey: Survey) {
        let parameters = ArgumentPlaces(type.parameters)
        let registers = survey.busiest(locals)
        pushed = Convention.kept.filter { register in registers.contains { $0.register == register } }
        var offset = slotBase + 8 * table.maximumHeight
        locals.layOut(at: offset, registers: registers)
        offset += 8 * locals.count
        pairOffset = offset
        if survey.calls { offset += 8 }
        contextOffset = offset
        if survey.calls, module.linksEverything { offset += 8 }
        // At a call the stack pointer is a multiple of 16; above the frame are the pushed registers and the return
        // address.
        frameBytes = (offset + 8 * pushed.count + 8 + 15) / 16 * 16 - 8 * pushed.count - 8
        for (local, place) in parameters.places.enumerated() {
            if case .stack(let place) = place { locals.leave(local, at: incoming(place)) }
        }
    }

    /// Where the caller put an argument, bytes above the stack pointer.
    private func incoming(_ place: Int) -> Int32 { Int32(frameBytes + 8 * pushed.count + 8 + 8 * place) }

    /// All bytes of stack it takes, the return address included.
    var stackBytes: Int { frameBytes + 8 * pushed.count + 8 }

    private mutating func prologue() {
        mark(body.offset)
        for register in pushed { assembler.push(register) }
        if frameBytes >= 4_096 { probe() }
        if frameBytes > 0 { assembler.arithmetic(.subtract, .register(GP.rsp.rawValue), Int32(frameBytes), wide: true) }
        checkStack()
        moveParameters()
        clearLocals()
    }

    /// Touches every page of a large frame on the way down, so that the guard below the stack is not jumped over.
    private mutating func probe() {
        let again = assembler.makeLabel()
        assembler.address(.r10, Memory(.rsp, nil, Int32(-frameBytes)), wide: true)
        assembler.move(.r11, .rsp, wide: true)
        assembler.bind(again)
        assembler.arithmetic(.subtract, .register(GP.r11.rawValue), 4_096, wide: true)
        assembler.arithmetic(.or, .memory(Memory(.r11)), 0, wide: false)
        assembler.arithmetic(.compare, .r11, .register(GP.r10.rawValue), wide: true)
        assembler.jump(.above, again)
    }

    /// The counted height, then the reserves of live frames where they are added up; see `StackReserve`.
    private mutating func checkStack() {
        let pair = Convention.stackPair
        let limit = module.plan?.stackLimit
        let over = assembler.makeLabel()
        if module.addsReserves {
            let reserve = module.reserve.functions[index - module.image.importedFunctionCount]
            assembler.move(.r11, UInt64(reserve) << 32)
            assembler.arithmetic(.add, pair, .register(GP.r11.rawValue), wide: true)
        }
        if let limit {
            assembler.arithmetic(.compare, .register(pair.rawValue), Int32(bitPattern: limit), wide: false)
            assembler.jump(.above, over)
        }
        if module.addsReserves {
            assembler.move(.r11, StackPair.largest)
            assembler.arithmetic(.compare, pair, .register(GP.r11.rawValue), wide: true)
            assembler.jump(.above, over)
        }
        if limit != nil || module.addsReserves { cold.append(.stackTrap(over, offset: body.offset)) }
        if calls { assembler.store(pair, pairSlot, wide: true) }
    }

    var pairSlot: Memory { Memory(.rsp, nil, Int32(pairOffset)) }
    /// Where a context waits while another instance's function runs.
    var contextSlot: Memory { Memory(.rsp, nil, Int32(contextOffset)) }

    private mutating func moveParameters() {
        let places = ArgumentPlaces(type.parameters).places
        for (local, place) in places.enumerated() {
            switch (place, locals.place(local)) {
            case (.gp(let from), .register(let to)): assembler.move(to, from, wide: locals.type(local).isWide)
            case (.gp(let from), .frame(let to)): assembler.store(from, Memory(.rsp, nil, to), wide: true)
            case (.xmm(let from), .frame(let to)): assembler.store(from, Memory(.rsp, nil, to), double: true)
            case (.stack(let from), .register(let to)):
                assembler.load(to, Memory(.rsp, nil, incoming(from)), wide: locals.type(local).isWide)
            case (.stack, .frame), (.xmm, .register): break
            }
        }
    }

    private mutating func clearLocals() {
        let first = type.parameters.count
        guard locals.count > first else { return }
        for (local, register) in locals.kept where local >= first {
            assembler.arithmetic(.xor, register, .register(register.rawValue), wide: false)
        }
        // Their slots lie side by side, those that registers stand in for included.
        guard locals.count - first > 12 else {
            for local in first..<locals.count {
                if case .frame(let offset) = locals.place(local) {
                    assembler.store(0, width: 8, Memory(.rsp, nil, offset))
                }
            }
            return
        }
        // Parameters are where they belong already.
        assembler.arithmetic(.xor, .rax, .register(GP.rax.rawValue), wide: false)
        assembler.address(.rdi, Memory(.rsp, nil, locals.slot(first)), wide: true)
        assembler.move(.rcx, UInt64(locals.count - first))
        assembler.fill()
    }

    mutating func epilogue() {
        if frameBytes > 0 { assembler.arithmetic(.add, .register(GP.rsp.rawValue), Int32(frameBytes), wide: true) }
        for register in pushed.reversed() { assembler.pop(register) }
        assembler.return()
    }

    // MARK: Gas

    /// What is due in front of the instruction at hand. The counter is in the context, where it is always current.
    private mutating func charge(_ opcode: Opcode) throws(SinglePassError) {
        guard charges != nil else { return }
        let position = position
        let operands = stack.count
        var due = ChargeCursor.Due()
        try plan { charges throws(PlanFault) in due = try charges.due(at: position, before: opcode, operands: operands)
        }
        if let block = due.block { subtract(block) }
        if let price = due.perUnit {
            guard let units = stack.last else { throw fail("a charge by operand has no operand") }
            load(units, into: Convention.scratch)
            if price <= UInt64(Int32.max) {
                assembler.multiply(.r11, .register(GP.r11.rawValue), by: Int32(price), wide: true)
            } else {
                let register = take()
                assembler.move(register, price)
                assembler.multiply(.r11, .register(register.rawValue), wide: true)
                give(register)
            }
            assembler.subtract(.r11, gas)
            jumpIfExhausted()
        }
    }

    /// Whether a charge stands in front of an instruction, which takes the flags.
    func isCharged(_ position: Int) -> Bool { charges?.hasCharge(at: position) ?? false }

    var gas: Memory { Memory(Convention.context, nil, Int32(ContextLayout.gas)) }

    private mutating func subtract(_ milligas: UInt64) {
        if milligas <= UInt64(Int32.max) {
            assembler.arithmetic(.subtract, .memory(gas), Int32(milligas), wide: true)
        } else {
            assembler.move(.r11, milligas)
            assembler.subtract(.r11, gas)
        }
        jumpIfExhausted()
    }

    private mutating func jumpIfExhausted() {
        let label = exhausted ?? assembler.makeLabel()
        exhausted = label
        assembler.jump(.sign, label)
    }

    // MARK: Traps and places

    /// The code from here on comes from the byte `offset` of the binary.
    mutating func mark(_ offset: UInt32) {
        guard lastMark != offset else { return }
        lastMark = offset
        lines.append(LineProgram.Row(address: assembler.count, line: offset))
    }

    /// Marks the instruction at hand, which can trap or call.
    mutating func markHere() { mark(body.instructions[position].offset) }

    mutating func trap(_ trap: smelt_rt_trap, if condition: Condition) {
        let label = assembler.makeLabel()
        cold.append(.trap(label, trap, offset: body.instructions[position].offset))
        assembler.jump(condition, label)
    }

    /// Ends the entry. The helper is called, not jumped to: the place it was called from is the trap's.
    mutating func raise(_ trap: smelt_rt_trap) {
        markHere()
        module.callHelper(.trap(trap), &assembler)
    }

    private mutating func finishCold() {
        for piece in cold {
            switch piece {
            case .trap(let label, let trap, let offset):
                assembler.bind(label)
                mark(offset)
                module.callHelper(.trap(trap), &assembler)
            case .stackTrap(let label, let offset):
                assembler.bind(label)
                mark(offset)
                module.callHelper(.stack, &assembler)
            case .canonicalize(let label, let register, let double, let back):
                assembler.bind(label)
                assembler.move(.r11, double ? 0x7FF8_0000_0000_0000 : 0x7FC0_0000)
                assembler.move(register, .r11, wide: double)
                assembler.jump(back)
            case .convertLarge(let label, let from, let to, let double, let back):
                assembler.bind(label)
                finishLarge(from, to, double)
                assembler.jump(back)
            case .elementTrap(let label, let number, let offset):
                assembler.bind(label)
                mark(offset)
                let other = assembler.makeLabel()
                assembler.test(number, number, wide: true)
                assembler.jump(.notEqual, other)
                module.callHelper(.trap(SMELT_RT_TRAP_UNINITIALIZED_ELEMENT), &assembler)
                assembler.bind(other)
                module.callHelper(.trap(SMELT_RT_TRAP_INDIRECT_CALL_TYPE), &assembler)
            }
        }
        if let exhausted {
            assembler.bind(exhausted)
            mark(0)
            module.callHelper(.trap(SMELT_RT_TRAP_OUT_OF_GAS), &assembler)
        }
    }

    // MARK: Operands

    func slot(_ height: Int) -> Memory { Memory(.rsp, nil, Int32(slotBase + 8 * height)) }

    mutating func push(_ type: ValueType, _ place: Place) {
        stack.append(Operand(type: type, place: place))
        // Few operands wait outside of their slots: whoever looks for one finds it in constant time.
        if stack.count - settled > Self.window {
            settle(settled)
            settled += 1
        }
    }

    mutating func pop() throws(SinglePassError) -> Operand {
        guard let operand = stack.popLast() else { throw fail("an operand is missing") }
        settled = min(settled, stack.count)
        return operand
    }

    /// Puts the operand at a height into its slot. Moves only, so the flags stay.
    private mutating func settle(_ height: Int) {
        store(stack[height], slot(height))
        release(stack[height])
        stack[height].place = .slot(height)
    }

    /// Puts all operands below a height into their slots: code paths meet, or a call takes the registers.
    mutating func settleAll(below height: Int? = nil) {
        let end = height ?? stack.count
        while settled < end {
            settle(settled)
            settled += 1
        }
    }

    /// Puts those that are in registers into their slots.
    mutating func settleRegisters(below end: Int) {
        for height in min(settled, end)..<end {
            switch stack[height].place {
            case .gp, .xmm: settle(height)
            case .constant, .local, .slot, .flags: break
            }
        }
    }

    /// The stack is cut to a height, below which all is settled.
    mutating func cut(to height: Int) {
        while stack.count > height { release(stack.removeLast()) }
        settled = min(settled, stack.count)
    }

    /// Says that the operand on top is in its slot.
    mutating func pushSettled(_ type: ValueType) {
        stack.append(Operand(type: type, place: .slot(stack.count)))
        settled = stack.count
    }

    /// A local is about to change: operands that are its present value take it along.
    mutating func detach(_ local: Int) {
        for height in settled..<max(settled, stack.count) where stack[height].place == .local(local) { settle(height) }
    }

    // MARK: Registers

    /// A register for operands, taken from the deepest operand that has one when none is free.
    mutating func take() -> GP {
        if let number = free.popFirst(), let register = GP(rawValue: number) { return register }
        for height in settled..<stack.count {
            if case .gp(let register) = stack[height].place {
                settle(height)
                free.remove(register.rawValue)
                return register
            }
        }
        preconditionFailure("an instruction holds all registers")
    }

    mutating func takeFloat() -> XMM {
        if let number = freeFloats.popFirst() { return XMM(number) }
        for height in settled..<stack.count {
            if case .xmm(let register) = stack[height].place {
                settle(height)
                freeFloats.remove(register.number)
                return register
            }
        }
        preconditionFailure("an instruction holds all registers of floats")
    }

    /// A certain register, for instructions that know no other.
    mutating func take(_ register: GP) {
        if !free.contains(register.rawValue) {
            for height in settled..<stack.count where stack[height].place == .gp(register) { settle(height) }
        }
        free.remove(register.rawValue)
    }

    mutating func takeFloat(_ register: XMM) {
        if !freeFloats.contains(register.number) {
            for height in settled..<stack.count where stack[height].place == .xmm(register) { settle(height) }
        }
        freeFloats.remove(register.number)
    }

    mutating func give(_ register: GP) {
        if Convention.operands.contains(register) { free.insert(register.rawValue) }
    }

    mutating func give(_ register: XMM) {
        if register != Convention.scratchFloat { freeFloats.insert(register.number) }
    }

    /// An operand is used up.
    mutating func release(_ operand: Operand) {
        switch operand.place {
        case .gp(let register): give(register)
        case .xmm(let register): give(register)
        case .constant, .local, .slot, .flags: break
        }
    }

    // MARK: Getting at operands

    /// Where an operand is in memory; nil when it is not.
    func memory(_ operand: Operand) -> Memory? {
        switch operand.place {
        case .slot(let height): return slot(height)
        case .local(let local):
            if case .frame(let offset) = locals.place(local) { return Memory(.rsp, nil, offset) }
            return nil
        case .constant, .gp, .xmm, .flags: return nil
        }
    }

    /// The register an operand is in, be it its own or a local's; nil when it is in none.
    func register(_ operand: Operand) -> GP? {
        switch operand.place {
        case .gp(let register): return register
        case .local(let local):
            if case .register(let register) = locals.place(local) { return register }
            return nil
        case .constant, .slot, .xmm, .flags: return nil
        }
    }

    /// Copies an integer operand, or the bits of a float, into a register. Moves only.
    mutating func load(_ operand: Operand, into target: GP) {
        switch operand.place {
        case .constant(let bits): assembler.move(target, operand.isWide || operand.isDouble ? bits : bits & 0xFFFF_FFFF)
        case .xmm(let from): assembler.move(target, from, wide: operand.isDouble)
        case .flags(let condition):
            assembler.set(condition, target)
            assembler.load(extending: 1, signed: false, target, .register(target.rawValue), wide: false)
        case .gp, .local, .slot:
            if let from = register(operand) {
                if from != target { assembler.move(target, from, wide: operand.isWide) }
            } else if let memory = memory(operand) {
                assembler.load(target, memory, wide: operand.isWide || operand.isDouble)
            }
        }
    }

    /// Copies a float operand into a register.
    mutating func load(_ operand: Operand, into target: XMM) {
        switch operand.place {
        case .constant(let bits):
            if bits == 0 {
                assembler.bits(0x57, target, target)
            } else {
                assembler.move(.r11, bits)
                assembler.move(target, .r11, wide: operand.isDouble)
            }
        case .xmm(let from): if from != target { assembler.move(target, from) }
        case .gp, .local, .slot, .flags:
            if let memory = memory(operand) { assembler.load(target, memory, double: operand.isDouble) }
        }
    }

    /// Stores an operand; all 64 bits of an integer. Moves only.
    mutating func store(_ operand: Operand, _ to: Memory) {
        if let from = memory(operand) {
            if from == to { return }
            assembler.load(.r11, from, wide: operand.isWide || operand.isDouble)
            return assembler.store(.r11, to, wide: true)
        }
        switch operand.place {
        case .constant(let bits):
            if bits <= UInt64(Int32.max) || (operand.isWide && bits >= UInt64(bitPattern: Int64(Int32.min))) {
                assembler.store(Int32(truncatingIfNeeded: bits), width: 8, to)
            } else {
                assembler.move(.r11, bits)
                assembler.store(.r11, to, wide: true)
            }
        case .xmm(let from): assembler.store(from, to, double: operand.isDouble)
        case .flags:
            load(operand, into: .r11)
            assembler.store(.r11, to, wide: true)
        case .gp, .local, .slot:
            if let from = register(operand) { assembler.store(from, to, wide: true) }
        }
    }

    /// The operand in a register that may be changed.
    mutating func own(_ operand: Operand) -> GP {
        if case .gp(let register) = operand.place { return register }
        let register = take()
        load(operand, into: register)
        return register
    }

    mutating func own(_ operand: Operand) -> XMM {
        if case .xmm(let register) = operand.place { return register }
        let register = takeFloat()
        load(operand, into: register)
        return register
    }

    /// The operand in a register that may be read; give it back with `give` when `isOwn`.
    mutating func read(_ operand: Operand) -> (register: GP, isOwn: Bool) {
        if let known = register(operand) {
            if case .gp = operand.place { return (known, true) }
            return (known, false)
        }
        return (own(operand), true)
    }

    /// The operand where an instruction can take it: a register or memory, or `scratch` for a constant.
    mutating func source(_ operand: Operand) -> Assembler.Place {
        if let register = register(operand) { return .register(register.rawValue) }
        if let memory = memory(operand) { return .memory(memory) }
        load(operand, into: Convention.scratch)
        return .register(Convention.scratch.rawValue)
    }

    mutating func floatSource(_ operand: Operand) -> Assembler.Place {
        if case .xmm(let register) = operand.place { return .register(register.number) }
        if let memory = memory(operand) { return .memory(memory) }
        load(operand, into: Convention.scratchFloat)
        return .register(Convention.scratchFloat.number)
    }
}
