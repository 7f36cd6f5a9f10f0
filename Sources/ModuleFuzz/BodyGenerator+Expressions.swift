import TestSupport
import WasmFormat

extension BodyGenerator {
    private static func producers(of type: ValueType) -> [Opcode] { plain.filter { $0.row.types?.results == [type] } }

    private static let numeric: [ValueType: [Opcode]] = [
        .i32: producers(of: .i32), .i64: producers(of: .i64), .f32: producers(of: .f32), .f64: producers(of: .f64),
    ]

    private static let accesses: [Opcode] = Opcode.allCases.filter { $0.row.accessWidth > 0 }
    static let stores: [Opcode] = accesses.filter { $0.row.types?.results.isEmpty == true }

    private static func loads(of type: ValueType) -> [Opcode] { accesses.filter { $0.row.types?.results == [type] } }

    private static let divisions: Set<Opcode> = [
        .i32DivS, .i32DivU, .i32RemS, .i32RemU, .i64DivS, .i64DivU, .i64RemS, .i64RemU,
    ]
    private static let truncations: Set<Opcode> = [
        .i32TruncF32S, .i32TruncF32U, .i32TruncF64S, .i32TruncF64U, .i64TruncF32S, .i64TruncF32U, .i64TruncF64S,
        .i64TruncF64U,
    ]

    /// A value without operands: a constant, a local or a global.
    mutating func value(_ type: ValueType) {
        let candidates = locals.indices.filter { locals[$0] == type }
        let globals = shape.globals.indices.filter { shape.globals[$0].type == type }
        if type == .funcref {
            // There is no constant; every module with references has a table.
            if let local = random.pick(candidates), random.chance(60) { return emit(.localGet, local) }
            if let global = random.pick(globals), random.chance(70) { return emit(.globalGet, global) }
            i32(random.below((shape.table?.minimum ?? 1) + (random.chance(3) ? 2 : 0)))
            return emit(.tableGet, 0)
        }
        if let local = random.pick(candidates), random.chance(65) { return emit(.localGet, local) }
        if let global = random.pick(globals), random.chance(40) { return emit(.globalGet, global) }
        constant(type, Interesting.bits(type, &random))
    }

    /// Code that leaves one value of this type.
    mutating func expression(_ type: ValueType, depth: Int) {
        guard depth < 6, budget > 0 else { return value(type) }
        let deeper = depth + 1
        switch random.below(100) {
        case 0..<18: value(type)
        case 18..<60: operation(type, deeper)
        case 60..<70: load(type, deeper)
        case 70..<74: tee(type, deeper)
        case 74..<78:
            guard type != .funcref else { return value(type) }
            expression(type, depth: deeper)
            expression(type, depth: deeper)
            expression(.i32, depth: deeper)
            emit(.select)
        case 78..<86: valuedConstruct(type, deeper)
        case 86..<92: if !call(returning: type, deeper) { operation(type, deeper) }
        case 92..<95: sizeOrGrowth(type, deeper)
        case 95..<97:
            guard let label = label(carrying: type, loops: false) else { return operation(type, deeper) }
            expression(type, depth: deeper)
            expression(.i32, depth: deeper)
            emit(.brIf, label)
        case 97:
            // A value that is dropped again lies below.
            expression(type, depth: deeper)
            _ = statement(depth: deeper + 2, divergence: false)
        case 98:
            value(random.pick([.i32, .i64, .f32, .f64]) ?? .i32)
            emit(.drop)
            expression(type, depth: deeper)
        default:
            if random.chance(30) { diverge() }
            value(type)
        }
    }

    /// A numeric operator; operands of partial ones are mostly kept where they do not trap.
    private mutating func operation(_ type: ValueType, _ depth: Int) {
        guard let opcode = random.pick(Self.numeric[type] ?? []), let types = opcode.row.types else {
            return value(type)
        }
        let isSafe = random.chance(90)
        if Self.truncations.contains(opcode), isSafe, let source = types.operands.first {
            expression(.i32, depth: depth)
            i32(random.pick([0xFF, 0xFFFF, 0x7F_FFFF]) ?? 0xFF)
            emit(.i32And)
            emit(source == .f32 ? .f32ConvertI32S : .f64ConvertI32S)
            return emit(opcode)
        }
        for operand in types.operands { expression(operand, depth: depth) }
        if Self.divisions.contains(opcode), isSafe {
            constant(type, 1)
            emit(type == .i32 ? .i32Or : .i64Or)
        }
        emit(opcode)
    }

    /// An address, mostly inside the memory.
    mutating func address(_ depth: Int) {
        switch random.below(20) {
        case 0: expression(.i32, depth: depth)
        case 1, 2: i32(max(0, shape.memoryBytes - random.below(12)))
        case 3...7: i32(random.below(300))
        case 8: i32(random.below(max(1, shape.memoryBytes)))
        default:
            expression(.i32, depth: depth)
            i32(random.pick([0x3F, 0xFFF, 0xFFF8]) ?? 0x3F)
            emit(.i32And)
        }
    }

    mutating func load(_ type: ValueType, _ depth: Int) {
        guard shape.memory != nil, let opcode = random.pick(Self.loads(of: type)) else {
            return operation(type, depth)
        }
        address(depth)
        access(opcode)
    }

    /// The access itself, with any alignment that validates.
    mutating func access(_ opcode: Opcode) {
        let most = opcode.row.accessWidth.trailingZeroBitCount
        let offset = Interesting.offset(memory: shape.memoryBytes, &random)
        emit(opcode, WasmBytes.unsigned(random.below(most + 1)) + WasmBytes.unsigned(Int(offset)))
    }

    private mutating func tee(_ type: ValueType, _ depth: Int) {
        let candidates = (0..<firstCounter).filter { locals[$0] == type }
        guard let local = random.pick(candidates) else { return operation(type, depth) }
        expression(type, depth: depth)
        emit(.localTee, local)
    }

    private mutating func valuedConstruct(_ type: ValueType, _ depth: Int) {
        switch random.below(4) {
        case 0:
            guard let counter = freeCounter() else { return value(type) }
            i32(1 + random.below(5))
            emit(.localSet, counter)
            construct(.loop, type, counter: counter) { body in
                _ = body.statement(depth: depth + 1, divergence: false)
                body.countDown(counter)
                body.emit(.brIf, 0)
                body.expression(type, depth: depth + 1)
            }
        case 1:
            expression(.i32, depth: depth)
            construct(.if, type) { body in
                if body.statements(depth: depth + 1) { body.deadCode() } else { body.expression(type, depth: depth) }
                body.emit(.else)
                if body.statements(depth: depth + 1) { body.deadCode() } else { body.expression(type, depth: depth) }
            }
        default:
            construct(.block, type) { body in
                if body.statements(depth: depth + 1) { body.deadCode() } else { body.expression(type, depth: depth) }
            }
        }
    }

    /// Statements; whether the last one never ends.
    mutating func statements(depth: Int) -> Bool {
        for _ in 0..<random.below(3) where budget > 0 {
            if statement(depth: depth) { return true }
        }
        return false
    }

    /// A direct or indirect call with these results; false when there is nothing to call.
    mutating func call(returning type: ValueType?, _ depth: Int) -> Bool {
        let results = type.map { [$0] } ?? []
        if shape.table != nil, random.chance(35) {
            let types = shape.types.indices.filter { shape.types[$0].results == results }
            guard let index = random.pick(types) else { return false }
            for parameter in shape.types[index].parameters { expression(parameter, depth: depth + 1) }
            let fitting = shape.slots.keys.sorted().filter { shape.functions[shape.slots[$0] ?? 0] == index }
            if let slot = random.pick(fitting), random.chance(85) {
                i32(slot)
            } else if random.chance(50) {
                i32(random.below((shape.table?.minimum ?? 0) + 2))
            } else {
                expression(.i32, depth: depth + 1)
                i32(7)
                emit(.i32And)
            }
            emit(.callIndirect, WasmBytes.unsigned(index) + [0])
            return true
        }
        // Mostly functions behind this one, so that call chains end.
        let candidates = shape.functions.indices.filter {
            shape.type(of: $0).results == results && ($0 > function || $0 < shape.importCount)
        }
        let all = shape.functions.indices.filter { shape.type(of: $0).results == results }
        guard let callee = random.chance(94) ? random.pick(candidates) : random.pick(all) else { return false }
        for parameter in shape.type(of: callee).parameters { expression(parameter, depth: depth + 1) }
        emit(.call, callee)
        return true
    }

    private mutating func sizeOrGrowth(_ type: ValueType, _ depth: Int) {
        guard type == .i32 else { return operation(type, depth) }
        switch random.below(4) {
        case 0 where shape.memory != nil: emit(.memorySize, [0])
        case 1 where shape.memory != nil:
            length(depth, most: 3)
            linear(.memoryGrow, [0])
        case 2 where shape.table != nil: emit(.tableSize, [0])
        case 3 where shape.table != nil:
            expression(.funcref, depth: depth)
            length(depth, most: 6)
            linear(.tableGrow, [0])
        default: value(.i32)
        }
    }

    /// The operand that prices a linear instruction.
    mutating func length(_ depth: Int, most: Int) {
        switch random.below(12) {
        case 0: expression(.i32, depth: depth + 2)
        case 1: constant(.i32, Interesting.bits(.i32, &random) & 0xFFFF)
        case 2...6: i32(random.below(most + 1))
        case 7:
            // Priced when it runs: the constant does not come right before.
            construct(.block, .i32) { $0.i32($0.random.below(most + 1)) }
        default:
            expression(.i32, depth: depth + 2)
            i32(most)
            emit(.i32RemU)
        }
    }
}
