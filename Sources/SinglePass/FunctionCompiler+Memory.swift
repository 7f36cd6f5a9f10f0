import CActorRuntime
import CodeImage
import CodeSettings
import WasmFormat

/// Linear memory, globals and calls.
extension FunctionCompiler {
    private var checks: Bool { module.bounds == .checks }

    private func context(_ offset: UInt64) -> Memory { Memory(Convention.context, nil, Int32(offset)) }

    // MARK: Accesses

    /// The native address of an access, and the operand whose register it keeps. With guard pages it is at most 8 GiB
    /// behind the base, where the runtime's reservation faults; otherwise its end is compared with the memory's size.
    private mutating func address(
        _ index: Operand, offset: UInt64, width: UInt64
    ) -> (memory: Memory, index: (register: GP, isOwn: Bool)?) {
        let base = Convention.memoryBase
        if case .constant(let bits) = index.place {
            let address = (bits & 0xFFFF_FFFF) + offset
            assembler.move(.r11, address + (checks ? width : 0))
            if checks {
                checkEnd()
                assembler.move(.r11, address)
            }
            return (Memory(base, .r11), nil)
        }
        let read = read(index)
        let isNear = offset + width <= UInt64(Int32.max)
        if checks {
            if isNear {
                assembler.address(.r11, Memory(read.register, nil, Int32(offset + width)), wide: true)
            } else {
                assembler.move(.r11, offset + width)
                assembler.arithmetic(.add, .r11, .register(read.register.rawValue), wide: true)
            }
            checkEnd()
        }
        if isNear { return (Memory(base, read.register, Int32(offset)), read) }
        assembler.move(.r11, offset)
        assembler.arithmetic(.add, .r11, .register(read.register.rawValue), wide: true)
        return (Memory(base, .r11), read)
    }

    /// Compares the end of an access, in r11.
    private mutating func checkEnd() {
        assembler.arithmetic(.compare, .r11, .memory(context(ContextLayout.memoryBytes)), wide: true)
        trap(SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS, if: .above)
    }

    mutating func load(_ instruction: Instruction) throws(SinglePassError) {
        let row = instruction.opcode.row
        guard let type = row.types?.results.first else { throw fail("a load has no type") }
        let width = Int(row.accessWidth)
        let (memory, index) = address(
            try pop(), offset: UInt64(UInt32(truncatingIfNeeded: instruction.bits)), width: UInt64(width))
        markHere()
        if type.isFloat {
            let result = takeFloat()
            assembler.load(result, memory, double: type == .f64)
            if let index, index.isOwn { give(index.register) }
            return push(type, .xmm(result))
        }
        var result: GP
        if let index, index.isOwn { result = index.register } else { result = take() }
        if width == (type.isWide ? 8 : 4) {
            assembler.load(result, memory, wide: type.isWide)
        } else {
            assembler.load(
                extending: width, signed: row.extendsSign, result, .memory(memory), wide: type.isWide)
        }
        push(type, .gp(result))
    }

    mutating func store(_ instruction: Instruction) throws(SinglePassError) {
        let row = instruction.opcode.row
        let width = Int(row.accessWidth)
        var value = try pop()
        let place = try pop()
        let immediate = value.isFloat ? nil : self.immediate(value)
        // The scratch register belongs to the address.
        if value.isFloat {
            if case .xmm = value.place {} else { value.place = .xmm(own(value) as XMM) }
        } else if immediate == nil, register(value) == nil {
            value.place = .gp(own(value) as GP)
        }
        let (memory, index) = address(
            place, offset: UInt64(UInt32(truncatingIfNeeded: instruction.bits)), width: UInt64(width))
        markHere()
        if let immediate {
            assembler.store(immediate, width: width, memory)
        } else if case .xmm(let register) = value.place {
            assembler.store(register, memory, double: value.isDouble)
        } else if let register = register(value) {
            if width < 4 {
                assembler.store(narrow: width, register, memory)
            } else {
                assembler.store(register, memory, wide: width == 8)
            }
        }
        release(value)
        if let index, index.isOwn { give(index.register) }
    }

    mutating func memorySize() {
        let result = take()
        assembler.load(result, context(ContextLayout.memoryBytes), wide: true)
        assembler.shift(.rightUnsigned, result, by: 16, wide: true)
        push(.i32, .gp(result))
    }

    // MARK: Globals and the table

    /// The cell of a global: behind the context, or r11 and a displacement.
    private mutating func cell(_ index: Int) throws(SinglePassError) -> (memory: Memory, type: ValueType) {
        guard index < module.globalTypes.count else { throw fail("global \(index) does not exist") }
        let offset = UInt64(index * MemoryLayout<UInt64>.stride)
        var memory = context(UInt64(SMELT_RT_GLOBALS) + offset)
        if module.globalTypes.count > SMELT_RT_NEAR_GLOBALS {
            assembler.load(.r11, context(ContextLayout.globals), wide: true)
            memory = Memory(.r11, nil, Int32(offset))
        }
        if index < module.importedGlobalCount {
            assembler.load(.r11, memory, wide: true)
            memory = Memory(.r11)
        }
        return (memory, module.globalTypes[index].value)
    }

    mutating func globalGet(_ index: Int) throws(SinglePassError) {
        // Taking a register may settle another operand, but never uses the scratch register.
        let (memory, type) = try cell(index)
        if type.isFloat {
            let result = takeFloat()
            assembler.load(result, memory, double: type == .f64)
            push(type, .xmm(result))
        } else {
            let result = take()
            assembler.load(result, memory, wide: type.isWide)
            push(type, .gp(result))
        }
    }

    /// A cell always holds all of its 64 bits.
    mutating func globalSet(_ index: Int) throws(SinglePassError) {
        let operand = try pop()
        let read: (register: GP, isOwn: Bool)
        if operand.isFloat {
            let register = take()
            load(operand, into: register)
            release(operand)
            read = (register, true)
        } else {
            read = self.read(operand)
        }
        assembler.store(read.register, try cell(index).memory, wide: true)
        if read.isOwn { give(read.register) }
    }

    mutating func tableSize() {
        let result = take()
        assembler.load(result, context(ContextLayout.table), wide: true)
        assembler.load(result, Memory(result, nil, Int32(ContextLayout.tableSize)), wide: false)
        push(.i32, .gp(result))
    }

    // MARK: Services

    /// Calls a service with the C convention; it keeps the registers of locals and of the context.
    mutating func callService(_ instruction: Instruction) throws(SinglePassError) {
        guard let service = ServiceCall(instruction.opcode.row.recipe) else {
            throw fail("\(instruction.opcode.name) has no service")
        }
        var registers = Convention.arguments[1...]
        if service.passesIndex { registers = registers.dropFirst() }
        try passOperands(registers.prefix(service.operands).map { .gp($0) }, count: service.operands)
        if service.passesIndex { assembler.move(Convention.arguments[1], UInt64(instruction.index)) }
        assembler.move(Convention.arguments[0], Convention.context, wide: true)
        markHere()
        assembler.call(context(service.place))
        try takeResult(service.result)
    }

    // MARK: Calls

    mutating func call(_ callee: Int) throws(SinglePassError) {
        guard callee < module.image.functionTypes.count else { throw fail("function \(callee) does not exist") }
        let type = module.image.functionTypes[callee]
        let places = ArgumentPlaces(type.parameters)
        try passOperands(places.places, count: type.parameters.count)
        passPair(cost: module.stackCost(of: callee))
        markHere()
        module.callFunction(callee, &assembler)
        try takeResult(type.results.first)
    }

    /// The height to call a function with: raised by the callee's cost, which the callee compares.
    private mutating func passPair(cost: UInt32) {
        assembler.load(Convention.stackPair, pairSlot, wide: true)
        if cost > 0 {
            assembler.arithmetic(
                .add, .register(Convention.stackPair.rawValue), Int32(truncatingIfNeeded: cost), wide: true)
        }
    }

    mutating func callIndirect(_ typeIndex: UInt32) throws(SinglePassError) {
        guard let type = module.module.type(typeIndex), type.results.count <= 1 else {
            throw fail("type \(typeIndex) is unusable")
        }
        let offset = body.instructions[position].offset
        let index: GP = own(try pop())
        // Into a register that no argument is passed in.
        let element: GP
        if index == .r10 || index == .rax {
            element = index
        } else {
            take(.r10)
            assembler.move(.r10, index, wide: true)
            give(index)
            element = .r10
        }
        assembler.load(.r11, context(ContextLayout.table), wide: true)
        assembler.arithmetic(
            .compare, element, .memory(Memory(.r11, nil, Int32(ContextLayout.tableSize))), wide: true)
        trap(SMELT_RT_TRAP_UNDEFINED_ELEMENT, if: .aboveOrEqual)
        assembler.load(.r11, Memory(.r11, nil, Int32(ContextLayout.tableElements)), wide: true)
        assembler.multiply(
            element, .register(element.rawValue), by: Int32(ContextLayout.referenceSize), wide: true)
        assembler.arithmetic(.add, .r11, .register(element.rawValue), wide: true)
        assembler.load(element, Memory(.r11, nil, Int32(ContextLayout.referenceType)), wide: true)
        let number = module.image.typeNumbers[Int(typeIndex)]
        let differs = assembler.makeLabel()
        compareTypeNumber(element, number)
        cold.append(.elementTrap(differs, element, offset: offset))
        assembler.jump(.notEqual, differs)
        give(element)
        // The code's address waits where arguments are not passed: in the frame's last argument place, or, as the
        // operands are moved by r11 too, in r10.
        take(.r10)
        assembler.load(.r10, Memory(.r11, nil, Int32(ContextLayout.referenceCode)), wide: true)
        if module.linksEverything {
            assembler.load(.r11, Memory(.r11, nil, Int32(ContextLayout.referenceContext)), wide: true)
            assembler.store(.r11, contextSlot, wide: true)
        }
        let places = ArgumentPlaces(type.parameters)
        try passOperands(places.places, count: type.parameters.count)
        passPair(cost: 0)
        markHere()
        guard module.linksEverything else {
            assembler.call(.r10)
            give(GP.r10)
            return try takeResult(type.results.first)
        }
        // Into another instance, and back: its context and memory stand in for this one's, and the counter goes along.
        assembler.load(.r11, contextSlot, wide: true)
        assembler.store(Convention.context, contextSlot, wide: true)
        changeContext()
        assembler.call(.r10)
        assembler.load(.r11, contextSlot, wide: true)
        changeContext()
        give(GP.r10)
        try takeResult(type.results.first)
    }

    /// To the one in r11.
    private mutating func changeContext() {
        let base = Convention.memoryBase
        assembler.load(base, gas, wide: true)
        assembler.store(base, Memory(.r11, nil, Int32(ContextLayout.gas)), wide: true)
        assembler.move(Convention.context, .r11, wide: true)
        assembler.load(base, context(ContextLayout.memoryBase), wide: true)
    }

    private mutating func compareTypeNumber(_ register: GP, _ number: UInt32) {
        if number <= UInt32(Int32.max) {
            assembler.arithmetic(.compare, .register(register.rawValue), Int32(number), wide: true)
        } else {
            let other = take()
            assembler.move(other, UInt64(number))
            assembler.arithmetic(.compare, register, .register(other.rawValue), wide: true)
            give(other)
        }
    }

    /// Takes the topmost operands off and puts them where a call expects them; all others that are in registers go to
    /// their slots, since the callee may use these.
    private mutating func passOperands(
        _ places: [ArgumentPlaces.Place], count: Int
    ) throws(SinglePassError) {
        guard stack.count >= count else { throw fail("an argument is missing") }
        let first = stack.count - count
        settleRegisters(below: first)
        var moves: [(from: GP, to: GP)] = []
        var floatMoves: [(from: XMM, to: XMM)] = []
        var rest: [(operand: Operand, to: ArgumentPlaces.Place)] = []
        // The stack's places first: nothing reads them, and storing needs no register but the scratch.
        for (number, place) in places.enumerated() {
            let operand = stack[first + number]
            switch (place, operand.place) {
            case (.stack(let place), _): store(operand, Memory(.rsp, nil, Int32(8 * place)))
            case (.gp(let to), .gp(let from)): moves.append((from, to))
            case (.xmm(let to), .xmm(let from)): floatMoves.append((from, to))
            default: rest.append((operand, place))
            }
        }
        moveAll(moves)
        moveAll(floatMoves)
        for (operand, place) in rest {
            switch place {
            case .gp(let register): load(operand, into: register)
            case .xmm(let register): load(operand, into: register)
            case .stack: break
            }
        }
        cut(to: first)
    }

    /// Moves between registers as if all at once.
    private mutating func moveAll(_ moves: [(from: GP, to: GP)]) {
        var pending = moves.filter { $0.from != $0.to }
        while !pending.isEmpty {
            if let next = pending.firstIndex(where: { move in !pending.contains { $0.from == move.to } }) {
                let move = pending.remove(at: next)
                assembler.move(move.to, move.from, wide: true)
            } else {
                // A ring: one value steps aside.
                assembler.move(.r11, pending[0].from, wide: true)
                pending[0].from = .r11
            }
        }
    }

    private mutating func moveAll(_ moves: [(from: XMM, to: XMM)]) {
        var pending = moves.filter { $0.from != $0.to }
        while !pending.isEmpty {
            if let next = pending.firstIndex(where: { move in !pending.contains { $0.from == move.to } }) {
                let move = pending.remove(at: next)
                assembler.move(move.to, move.from)
            } else {
                assembler.move(Convention.scratchFloat, pending[0].from)
                pending[0].from = Convention.scratchFloat
            }
        }
    }

    /// Pushes what a call returned.
    private mutating func takeResult(_ type: ValueType?) throws(SinglePassError) {
        guard let type else { return }
        if type.isFloat {
            takeFloat(.zero)
            push(type, .xmm(.zero))
        } else {
            take(.rax)
            push(type, .gp(.rax))
        }
    }
}
