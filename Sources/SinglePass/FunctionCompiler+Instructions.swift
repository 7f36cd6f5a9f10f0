import CActorRuntime
import WasmFormat

/// Dispatch by the opcode table's recipe, and what moves operands.
extension FunctionCompiler {
    mutating func compile(_ instruction: Instruction) throws(SinglePassError) {
        let row = instruction.opcode.row
        switch row.recipe {
        case .nop: break
        case .unreachable, .block, .loop, .if, .else, .end, .branch, .branchIf, .branchTable, .return:
            try compileControl(instruction)
        case .call: try call(Int(instruction.index))
        case .callIndirect: try callIndirect(instruction.index)
        case .drop: release(try pop())
        case .select: try select()
        case .localGet:
            let local = try local(instruction.index)
            push(locals.type(local), .local(local))
        case .localSet: _ = try assign(try local(instruction.index))
        case .localTee:
            let local = try local(instruction.index)
            let value = try assign(local)
            push(locals.type(local), value)
        case .globalGet: try globalGet(Int(instruction.index))
        case .globalSet: try globalSet(Int(instruction.index))
        case .constant:
            guard let type = row.types?.results.first else { throw fail("a constant has no type") }
            let bits = type == .i32 || type == .f32 ? instruction.bits & 0xFFFF_FFFF : instruction.bits
            push(type, .constant(bits))
        case .load: try load(instruction)
        case .store: try store(instruction)
        case .memorySize: memorySize()
        case .memoryGrow, .memoryFill, .memoryCopy, .memoryInit, .dataDrop, .tableGet, .tableSet, .tableGrow,
            .tableFill, .tableCopy, .tableInit, .elementDrop, .functionReference:
            try callService(instruction)
        case .tableSize: tableSize()
        case .nullReference: push(.funcref, .constant(0))
        case .isNull, .isZero: try isZero()
        case .compare(let comparison): try compare(comparison)
        case .binary(let operation): try binary(operation)
        case .shift(let kind): try shift(kind)
        case .divide(let signed): try divide(signed: signed, remainder: false)
        case .remainder(let signed): try divide(signed: signed, remainder: true)
        case .count(let count): try countBits(count)
        case .signExtend(let bits): try signExtend(Int(bits) / 8)
        case .floatCompare(let comparison): try compareFloats(comparison)
        case .floatBinary(let operation): try floatBinary(operation)
        case .floatUnary(let function): try floatUnary(function)
        case .convert(let conversion):
            guard let types = row.types, let result = types.results.first else {
                throw fail("a conversion has no type")
            }
            try convert(conversion, to: result)
        }
    }

    private func local(_ index: UInt32) throws(SinglePassError) -> Int {
        guard Int(index) < locals.count else { throw fail("local \(index) does not exist") }
        return Int(index)
    }

    /// Assigns the operand on top to a local; where the value can be found afterwards, by whoever wants it.
    private mutating func assign(_ local: Int) throws(SinglePassError) -> Place {
        let operand = try pop()
        if operand.place == .local(local) { return .local(local) }
        detach(local)
        switch locals.place(local) {
        case .register(let register):
            load(operand, into: register)
            release(operand)
            return .local(local)
        case .frame(let offset):
            store(operand, Memory(.rsp, nil, offset))
            release(operand)
            return .local(local)
        }
    }

    private mutating func select() throws(SinglePassError) {
        let condition = try pop()
        let no = try pop()
        let yes = try pop()
        if yes.isFloat {
            let result: XMM = own(yes)
            let rest = assembler.makeLabel()
            assembler.jump(test(condition), rest)
            load(no, into: result)
            assembler.bind(rest)
            release(no)
            return push(yes.type, .xmm(result))
        }
        // A constant that is not taken needs a register, which must be loaded before the flags are set.
        let result: GP = own(yes)
        var other = no
        if case .constant = no.place { other.place = .gp(own(no) as GP) }
        let isSet = test(condition)
        assembler.moveIf(isSet.inverted, result, source(other), wide: yes.isWide)
        release(other)
        push(yes.type, .gp(result))
    }

    // MARK: Integers

    /// A value as an immediate; nil where it does not fit one.
    func immediate(_ operand: Operand) -> Int32? {
        guard case .constant(let bits) = operand.place else { return nil }
        if !operand.isWide { return Int32(bitPattern: UInt32(truncatingIfNeeded: bits)) }
        return Int32(exactly: Int64(bitPattern: bits))
    }

    private mutating func binary(_ operation: Recipe.IntegerOperation) throws(SinglePassError) {
        var right = try pop()
        var left = try pop()
        let wide = left.isWide
        if operation != .subtract {
            if case .constant = left.place {
                swap(&left, &right)
            }
            // A register of its own on the right saves a move.
            else if case .gp = right.place, !isOwn(left) {
                swap(&left, &right)
            }
        }
        if let value = immediate(right), operation == .add || operation == .subtract, value != .min,
            !isOwn(left), let source = register(left)
        {
            let result = take()
            assembler.address(result, Memory(source, nil, operation == .add ? value : -value), wide: wide)
            return push(left.type, .gp(result))
        }
        if operation == .multiply, let value = immediate(right), !isOwn(left) {
            let result = take()
            assembler.multiply(result, source(left), by: value, wide: wide)
            return push(left.type, .gp(result))
        }
        let result: GP = own(left)
        if let value = immediate(right) {
            switch operation {
            case .multiply: assembler.multiply(result, .register(result.rawValue), by: value, wide: wide)
            default: assembler.arithmetic(operation.encoding, .register(result.rawValue), value, wide: wide)
            }
        } else {
            let place = source(right)
            switch operation {
            case .multiply: assembler.multiply(result, place, wide: wide)
            default: assembler.arithmetic(operation.encoding, result, place, wide: wide)
            }
        }
        release(right)
        push(left.type, .gp(result))
    }

    private func isOwn(_ operand: Operand) -> Bool { if case .gp = operand.place { true } else { false } }

    /// Whether the instruction behind the one at hand takes flags, with nothing in between.
    private var nextTakesFlags: Bool {
        let next = position + 1
        guard next < body.instructions.count, !isCharged(next) else { return false }
        switch body.instructions[next].opcode {
        case .if, .brIf, .i32Eqz: return true
        default: return false
        }
    }

    /// Pushes the result of a comparison: as flags where the next instruction takes them.
    private mutating func pushCondition(_ condition: Condition) {
        if nextTakesFlags {
            // Not by `push`, which may touch other operands; the next instruction takes it off.
            stack.append(Operand(type: .i32, place: .flags(condition)))
            return
        }
        let result = take()
        assembler.set(condition, result)
        assembler.load(extending: 1, signed: false, result, .register(result.rawValue), wide: false)
        push(.i32, .gp(result))
    }

    private mutating func compare(_ comparison: Recipe.IntegerComparison) throws(SinglePassError) {
        var right = try pop()
        var left = try pop()
        var condition = comparison.condition
        if case .constant = left.place {
            swap(&left, &right)
            condition = condition.swapped
        }
        let wide = left.isWide
        if let value = immediate(right) {
            if let memory = memory(left) {
                assembler.arithmetic(.compare, .memory(memory), value, wide: wide)
            } else {
                let read = read(left)
                assembler.arithmetic(.compare, .register(read.register.rawValue), value, wide: wide)
                if read.isOwn { give(read.register) }
            }
        } else {
            let read = read(left)
            assembler.arithmetic(.compare, read.register, source(right), wide: wide)
            if read.isOwn { give(read.register) }
            release(right)
        }
        pushCondition(condition)
    }

    private mutating func isZero() throws(SinglePassError) {
        let operand = try pop()
        if case .flags(let condition) = operand.place { return pushCondition(condition.inverted) }
        if let memory = memory(operand) {
            assembler.arithmetic(.compare, .memory(memory), 0, wide: operand.isWide)
        } else {
            let read = read(operand)
            assembler.test(read.register, read.register, wide: operand.isWide)
            if read.isOwn { give(read.register) }
        }
        pushCondition(.equal)
    }

    private mutating func shift(_ kind: Recipe.Shift) throws(SinglePassError) {
        let amount = try pop()
        var value = try pop()
        let wide = value.isWide
        if case .constant(let bits) = amount.place {
            let result: GP = own(value)
            assembler.shift(kind.encoding, result, by: UInt8(bits & (wide ? 63 : 31)), wide: wide)
            return push(value.type, .gp(result))
        }
        // The amount is taken from cl.
        if value.place == .gp(.rcx) {
            let other = take()
            assembler.move(other, .rcx, wide: true)
            give(GP.rcx)
            value.place = .gp(other)
        }
        if amount.place != .gp(.rcx) {
            take(.rcx)
            load(amount, into: GP.rcx)
            release(amount)
        }
        let result: GP = own(value)
        assembler.shift(kind.encoding, result, wide: wide)
        give(GP.rcx)
        push(value.type, .gp(result))
    }

    private mutating func divide(signed: Bool, remainder: Bool) throws(SinglePassError) {
        let divisor = try pop()
        let dividend = try pop()
        let wide = dividend.isWide
        load(divisor, into: Convention.scratch)
        release(divisor)
        if dividend.place != .gp(.rax) {
            take(.rax)
            load(dividend, into: GP.rax)
            release(dividend)
        }
        take(.rdx)
        markHere()
        var isHarmless = false
        if case .constant(let bits) = divisor.place {
            let minusOne: UInt64 = wide ? .max : 0xFFFF_FFFF
            isHarmless = bits != 0 && bits != minusOne
        }
        if !isHarmless {
            assembler.test(.r11, .r11, wide: wide)
            trap(SMELT_RT_TRAP_INTEGER_DIVIDE_BY_ZERO, if: .equal)
        }
        guard signed else {
            assembler.arithmetic(.xor, .rdx, .register(GP.rdx.rawValue), wide: false)
            assembler.divide(signed: false, by: .r11, wide: wide)
            return finishDivision(dividend.type, remainder: remainder)
        }
        let rest = assembler.makeLabel()
        let divides = assembler.makeLabel()
        if !isHarmless {
            assembler.arithmetic(.compare, .register(GP.r11.rawValue), -1, wide: wide)
            assembler.jump(.notEqual, divides)
            if remainder {
                // By -1 it is 0, also of the lowest number, whose quotient does not fit.
                assembler.arithmetic(.xor, .rdx, .register(GP.rdx.rawValue), wide: false)
                assembler.jump(rest)
            } else {
                assembler.move(.rdx, wide ? 1 << 63 : 1 << 31)
                assembler.arithmetic(.compare, .rax, .register(GP.rdx.rawValue), wide: wide)
                trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: .equal)
            }
        }
        assembler.bind(divides)
        assembler.extendForDivision(wide: wide)
        assembler.divide(signed: true, by: .r11, wide: wide)
        assembler.bind(rest)
        finishDivision(dividend.type, remainder: remainder)
    }

    private mutating func finishDivision(_ type: ValueType, remainder: Bool) {
        give(remainder ? GP.rax : GP.rdx)
        push(type, .gp(remainder ? .rdx : .rax))
    }

    private mutating func countBits(_ count: Recipe.BitCount) throws(SinglePassError) {
        let operand = try pop()
        let wide = operand.isWide
        let place = source(operand)
        let result = take()
        switch count {
        case .ones: assembler.popcount(result, place, wide: wide)
        case .trailingZeros:
            let none = take()
            assembler.move(none, wide ? 64 : 32)
            assembler.scanBits(highest: false, result, place, wide: wide)
            assembler.moveIf(.equal, result, .register(none.rawValue), wide: false)
            give(none)
        case .leadingZeros:
            let none = take()
            assembler.move(none, wide ? 127 : 63)
            assembler.scanBits(highest: true, result, place, wide: wide)
            assembler.moveIf(.equal, result, .register(none.rawValue), wide: false)
            assembler.arithmetic(.xor, .register(result.rawValue), wide ? 63 : 31, wide: false)
            give(none)
        }
        release(operand)
        push(operand.type, .gp(result))
    }

    private mutating func signExtend(_ width: Int) throws(SinglePassError) {
        let operand = try pop()
        let result: GP = own(operand)
        assembler.load(
            extending: width, signed: true, result, .register(result.rawValue), wide: operand.isWide)
        push(operand.type, .gp(result))
    }
}

extension Recipe.IntegerOperation {
    var encoding: Assembler.Arithmetic {
        switch self {
        case .add, .multiply: .add
        case .subtract: .subtract
        case .and: .and
        case .or: .or
        case .xor: .xor
        }
    }
}

extension Recipe.Shift {
    var encoding: Assembler.Shift {
        switch self {
        case .left: .left
        case .rightSigned: .rightSigned
        case .rightUnsigned: .rightUnsigned
        case .rotateLeft: .rotateLeft
        case .rotateRight: .rotateRight
        }
    }
}

extension Recipe.IntegerComparison {
    var condition: Condition {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .signedLess: .less
        case .unsignedLess: .below
        case .signedGreater: .greater
        case .unsignedGreater: .above
        case .signedLessEqual: .lessOrEqual
        case .unsignedLessEqual: .belowOrEqual
        case .signedGreaterEqual: .greaterOrEqual
        case .unsignedGreaterEqual: .aboveOrEqual
        }
    }
}
