import TestSupport
import WasmFormat

extension BodyGenerator {
    private mutating func someType() -> ValueType {
        random.pick(shape.table == nil ? [.i32, .i64, .f32, .f64] : [.i32, .i64, .f32, .f64, .i32, .i64, .funcref])
            ?? .i32
    }

    /// Code that leaves the stack as it was; whether it never ends.
    mutating func statement(depth: Int, divergence: Bool = true) -> Bool {
        guard depth < 7, budget > 0 else { return false }
        let deeper = depth + 1
        switch random.below(100) {
        case 0..<10:
            expression(someType(), depth: deeper)
            emit(.drop)
        case 10..<28: assignLocal(deeper)
        case 28..<34: assignGlobal(deeper)
        case 34..<36: writeTwice(deeper)
        case 36..<52: store(deeper)
        case 52..<58: bulkMemory(deeper)
        case 58..<62: tableOperation(deeper)
        case 62..<70: conditional(deeper)
        case 70..<76: loop(deeper)
        case 76..<82: construct(.block, nil) { if $0.statements(depth: deeper) { $0.deadCode() } }
        case 82..<87: if !call(returning: nil, deeper) { assignLocal(deeper) }
        case 87..<92: branchIf(deeper)
        case 92..<95: table(deeper)
        case 95: emit(.nop)
        default:
            guard divergence, depth > 0 || random.chance(30) else { return false }
            diverge()
            return true
        }
        return false
    }

    private mutating func assignLocal(_ depth: Int) {
        guard firstCounter > 0 else { return }
        let local = random.below(firstCounter)
        expression(locals[local], depth: depth)
        emit(.localSet, local)
    }

    private mutating func assignGlobal(_ depth: Int) {
        guard let global = random.pick(shape.globals.indices.filter { shape.globals[$0].isMutable }) else { return }
        expression(shape.globals[global].type, depth: depth)
        emit(.globalSet, global)
    }

    /// The same place written twice, with an access between that may trap: what the first wrote is seen then.
    private mutating func writeTwice(_ depth: Int) {
        guard shape.memory != nil,
            let global = random.pick(
                shape.globals.indices.filter { shape.globals[$0].isMutable && shape.globals[$0].type != .funcref })
        else { return store(depth) }
        let type = shape.globals[global].type
        value(type)
        emit(.globalSet, global)
        if random.chance(40) { store(depth) }
        load(type, depth)
        if random.chance(30) {
            emit(.drop)
            value(type)
        }
        emit(.globalSet, global)
    }

    private mutating func store(_ depth: Int) {
        guard shape.memory != nil, let opcode = random.pick(Self.stores), let types = opcode.row.types else { return }
        address(depth)
        if let value = types.operands.last { expression(value, depth: depth) }
        access(opcode)
    }

    private mutating func bulkMemory(_ depth: Int) {
        guard shape.memory != nil else { return }
        address(depth)
        switch random.below(4) {
        case 0:
            address(depth)
            length(depth, most: 70)
            linear(.memoryCopy, [0, 0])
        case 1:
            expression(.i32, depth: depth)
            length(depth, most: 70)
            linear(.memoryFill, [0])
        case 2 where !shape.dataSizes.isEmpty:
            let segment = random.below(shape.dataSizes.count)
            i32(random.below(shape.dataSizes[segment] + 2))
            length(depth, most: max(1, shape.dataSizes[segment]))
            linear(.memoryInit, WasmBytes.unsigned(segment) + [0])
        default:
            emit(.drop)
            if !shape.dataSizes.isEmpty, random.chance(20) {
                emit(.dataDrop, random.below(shape.dataSizes.count))
            }
        }
    }

    private mutating func tableOperation(_ depth: Int) {
        guard let table = shape.table else { return }
        i32(random.below(table.minimum + (random.chance(10) ? 3 : 0)))
        switch random.below(5) {
        case 0:
            expression(.funcref, depth: depth)
            emit(.tableSet, 0)
        case 1:
            expression(.funcref, depth: depth)
            length(depth, most: max(1, table.minimum / 2))
            linear(.tableFill, [0])
        case 2:
            i32(random.below(table.minimum + 1))
            length(depth, most: max(1, table.minimum / 2))
            linear(.tableCopy, [0, 0])
        case 3 where !shape.elementSizes.isEmpty:
            let segment = random.below(shape.elementSizes.count)
            i32(random.below(shape.elementSizes[segment] + 1))
            length(depth, most: max(1, shape.elementSizes[segment]))
            linear(.tableInit, WasmBytes.unsigned(segment) + [0])
        default:
            emit(.drop)
            if !shape.elementSizes.isEmpty, random.chance(20) {
                emit(.elemDrop, random.below(shape.elementSizes.count))
            }
        }
    }

    private mutating func conditional(_ depth: Int) {
        expression(.i32, depth: depth)
        construct(.if, nil) { body in
            if body.statements(depth: depth) { body.deadCode() }
            if body.random.chance(60) {
                body.emit(.else)
                if body.statements(depth: depth) { body.deadCode() }
            }
        }
    }

    private mutating func loop(_ depth: Int) {
        guard let counter = freeCounter() else { return }
        i32(1 + random.below(7))
        emit(.localSet, counter)
        construct(.loop, nil, counter: counter) { body in
            if body.statements(depth: depth) { return body.deadCode() }
            body.countDown(counter)
            body.emit(.brIf, 0)
        }
    }

    private mutating func branchIf(_ depth: Int) {
        guard let label = label(carrying: nil, loops: true) else { return }
        if let counter = self.label(at: label).counter, random.chance(95) {
            // Going on with the next round counts it, or loops would not end before the gas does.
            countDown(counter)
        } else {
            expression(.i32, depth: depth)
        }
        emit(.brIf, label)
    }

    /// A switch: nested blocks and a `br_table` into them.
    private mutating func table(_ depth: Int) {
        let ways = 1 + random.below(5)
        for _ in 0..<ways {
            emit(.block, [0x40])
            labels.append(Label(carries: nil))
        }
        expression(.i32, depth: depth)
        i32(random.pick([1, 3, 7, 15]) ?? 7)
        emit(.i32And)
        branchTable(carrying: nil)
        deadCode()
        for _ in 0..<ways {
            emit(.end)
            labels.removeLast()
            if statements(depth: depth + 1) { emit(.unreachable) }
        }
    }

    /// A `br_table` over labels that carry `type`; the selector is on the stack.
    private mutating func branchTable(carrying type: ValueType?) {
        guard let first = label(carrying: type, loops: type == nil && random.chance(5)) else {
            emit(.drop)
            return emit(.unreachable)
        }
        let count = random.chance(3) ? random.below(3_000) : random.below(6)
        let targets = (0..<count).map { _ in label(carrying: type, loops: false) ?? first }
        emit(.brTable, WasmBytes.vector(targets.map(WasmBytes.unsigned)) + WasmBytes.unsigned(first))
    }

    /// Code that never ends: a branch, a return, or `unreachable`.
    mutating func diverge() {
        let target = labels.indices.filter { labels[$0].counter == nil || random.chance(5) }
        switch random.below(10) {
        case 0: emit(.unreachable)
        case 1...3:
            if let result = labels[0].carries { expression(result, depth: 5) }
            emit(.return)
        case 4, 5:
            let type = random.pick(target).flatMap { labels[$0].carries }
            if let type { expression(type, depth: 5) }
            value(.i32)
            branchTable(carrying: type)
        default:
            guard let label = random.pick(target) else { return emit(.unreachable) }
            if let type = labels[label].carries { expression(type, depth: 5) }
            emit(.br, labels.count - 1 - label)
        }
    }
}
