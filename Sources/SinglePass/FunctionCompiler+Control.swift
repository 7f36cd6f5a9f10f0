import CActorRuntime
import Validator
import WasmFormat

/// Constructs and branches. Where code paths meet, every operand is in its slot; the function's own result is in its
/// register at `exit`.
extension FunctionCompiler {
    mutating func compileControl(_ instruction: Instruction) throws(SinglePassError) {
        switch instruction.opcode.row.recipe {
        case .unreachable: raise(SMELT_RT_TRAP_UNREACHABLE)
        case .block:
            settleAll()
            cursor.open()
            labels[cursor.innermost] = assembler.makeLabel()
        case .loop:
            settleAll()
            cursor.open()
            let head = assembler.makeLabel()
            labels[cursor.innermost] = head
            assembler.bind(head)
        case .if:
            let condition = try popCondition()
            settleAll()
            cursor.open()
            labels[cursor.innermost] = assembler.makeLabel()
            let arm = assembler.makeLabel()
            arms[cursor.innermost] = arm
            assembler.jump(condition.inverted, arm)
        case .else: try beginSecondArm()
        case .end: try end()
        case .branch, .return:
            let branch = cursor.branch(in: table)
            try leave(to: table.lastTarget(of: branch))
        case .branchIf:
            let condition = try popCondition()
            let branch = cursor.branch(in: table)
            try branchIf(condition, to: table.lastTarget(of: branch))
        case .branchTable:
            let selector = try pop()
            let branch = cursor.branch(in: table)
            try branchTable(selector, table.targets(of: branch))
        default: break
        }
        switch instruction.opcode {
        case .unreachable, .br, .brTable, .return: fallsThrough = false
        default: fallsThrough = true
        }
    }

    /// The operand on top as a condition; see `test`.
    mutating func popCondition() throws(SinglePassError) -> Condition { test(try pop()) }

    /// An i32 as a condition: flags that hold when it is not zero. The operand is used up.
    mutating func test(_ operand: Operand) -> Condition {
        if case .flags(let condition) = operand.place { return condition }
        if case .constant(let bits) = operand.place {
            assembler.move(.r11, bits & 0xFFFF_FFFF)
            assembler.test(.r11, .r11, wide: false)
        } else if let memory = memory(operand) {
            assembler.arithmetic(.compare, .memory(memory), 0, wide: false)
        } else if let register = register(operand) {
            assembler.test(register, register, wide: false)
        }
        release(operand)
        return .notEqual
    }

    private func label(_ construct: Int) throws(SinglePassError) -> Assembler.Label {
        guard let label = labels[construct] else { throw fail("construct \(construct) has no label") }
        return label
    }

    /// Branches, whatever is on the stack; control does not come back.
    private mutating func leave(to construct: Int) throws(SinglePassError) {
        if construct == 0 {
            try moveResult()
            exitIsUsed = true
            return assembler.jump(exit)
        }
        if table.constructs[construct].carried != nil { try carry(to: construct) }
        assembler.jump(try label(construct))
    }

    /// Puts the value that a branch carries where the construct's end expects it; the operand stays what it is.
    private mutating func carry(to construct: Int) throws(SinglePassError) {
        guard let operand = stack.last else { throw fail("a branch has no value") }
        store(operand, slot(table.constructs[construct].height))
    }

    /// Puts the function's result into its register. Moves only.
    private mutating func moveResult() throws(SinglePassError) {
        guard let result = type.results.first else { return }
        guard let operand = stack.last else { throw fail("a result is missing") }
        if result.isFloat { load(operand, into: XMM.zero) } else { load(operand, into: GP.rax) }
    }

    private mutating func branchIf(_ condition: Condition, to construct: Int) throws(SinglePassError) {
        let target = table.constructs[construct]
        guard construct == 0 ? !type.results.isEmpty : target.carried != nil else {
            if construct == 0 { exitIsUsed = true }
            return assembler.jump(condition, construct == 0 ? exit : try label(construct))
        }
        // The operand stays on the stack where the branch is not taken. Only where it is in its place already need
        // nothing be moved.
        if construct != 0, let operand = stack.last, stack.count - 1 == target.height {
            if case .slot(target.height) = operand.place {} else { settleTop() }
            return assembler.jump(condition, try label(construct))
        }
        let rest = assembler.makeLabel()
        assembler.jump(condition.inverted, rest)
        try leave(to: construct)
        assembler.bind(rest)
    }

    /// Puts the operand on top into its slot. Moves only.
    private mutating func settleTop() {
        let height = stack.count - 1
        let operand = stack[height]
        store(operand, slot(height))
        release(operand)
        stack[height].place = .slot(height)
    }

    private mutating func branchTable(_ selector: Operand, _ targets: ArraySlice<UInt32>) throws(SinglePassError) {
        guard let last = targets.last else { throw fail("a branch table is empty") }
        let register: GP = own(selector)
        // One stub for each target that wants the value elsewhere, or in the result's register.
        if let operand = stack.last, targets.contains(where: { carries(Int($0)) }) {
            if case .slot(stack.count - 1) = operand.place {} else { settleTop() }
        }
        var stubs: [UInt32: Assembler.Label] = [:]
        var order: [UInt32] = []
        var destinations: [Assembler.Label] = []
        destinations.reserveCapacity(targets.count)
        for target in targets {
            if let direct = directLabel(Int(target)) {
                destinations.append(direct)
            } else if let known = stubs[target] {
                destinations.append(known)
            } else {
                let stub = assembler.makeLabel()
                stubs[target] = stub
                order.append(target)
                destinations.append(stub)
            }
        }
        let fallback = destinations[destinations.count - 1]
        if targets.dropLast().contains(where: { $0 != last }) {
            let start = assembler.makeLabel()
            assembler.arithmetic(
                .compare, .register(register.rawValue), Int32(bitPattern: UInt32(targets.count - 1)), wide: false)
            assembler.jump(.aboveOrEqual, fallback)
            assembler.address(.r11, of: start)
            assembler.loadTableEntry(register)
            assembler.arithmetic(.add, .r11, .register(register.rawValue), wide: true)
            assembler.jump(.r11)
            assembler.bind(start)
            let origin = assembler.count
            for destination in destinations.dropLast() { assembler.tableEntry(destination, from: origin) }
        } else {
            assembler.jump(fallback)
        }
        give(register)
        for target in order {
            guard let stub = stubs[target] else { continue }
            assembler.bind(stub)
            try leave(to: Int(target))
        }
    }

    /// Whether a branch to a construct carries a value.
    private func carries(_ construct: Int) -> Bool {
        construct == 0 ? !type.results.isEmpty : table.constructs[construct].carried != nil
    }

    /// The label that a table may name itself; nil where the value has to be moved first.
    private mutating func directLabel(_ construct: Int) -> Assembler.Label? {
        if construct == 0 {
            guard type.results.isEmpty else { return nil }
            exitIsUsed = true
            return exit
        }
        let target = table.constructs[construct]
        guard target.carried == nil || target.height == stack.count - 1 else { return nil }
        return labels[construct]
    }

    private mutating func beginSecondArm() throws(SinglePassError) {
        let construct = cursor.innermost
        if fallsThrough {
            if table.constructs[construct].result != nil { try carry(to: construct) }
            assembler.jump(try label(construct))
        }
        cut(to: table.constructs[construct].height)
        guard let arm = arms[construct] else { throw fail("else without if") }
        assembler.bind(arm)
        arms[construct] = nil
    }

    private mutating func end() throws(SinglePassError) {
        let construct = cursor.close(in: table)
        let row = table.constructs[construct]
        if row.kind == .function { return try endFunction() }
        // A loop's label is its start: nothing but what falls through reaches its end.
        if row.kind == .loop { return }
        if fallsThrough, row.result != nil { try carry(to: construct) }
        if let arm = arms[construct] { assembler.bind(arm) }
        assembler.bind(try label(construct))
        cut(to: row.height)
        if let result = row.result { pushSettled(result) }
    }

    private mutating func endFunction() throws(SinglePassError) {
        if fallsThrough { try moveResult() }
        if exitIsUsed { assembler.bind(exit) }
        cut(to: 0)
        epilogue()
    }
}
