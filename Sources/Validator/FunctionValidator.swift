import WasmFormat

/// Types a function body with an operand stack and a control stack (core spec, appendix 7.3), and writes its side
/// table. Both stacks are arrays, so no nesting in the input becomes recursion here.
struct FunctionValidator {
    let context: ModuleContext
    /// nil stands for any type, as operands of unreachable code have.
    private var operands: [ValueType?] = []
    private var frames: [ControlFrame] = []
    private var locals = LocalTypes()
    private var table = SideTableBuilder()
    private var position: UInt32 = 0
    private var function: UInt32 = 0
    private var offset: UInt32 = 0

    init(context: ModuleContext) { self.context = context }

    mutating func validate(body index: Int) throws(Refusal) -> SideTable {
        let body = context.module.bodies[index]
        function = UInt32(truncatingIfNeeded: context.importedFunctions + index)
        offset = body.offset
        guard let type = context.functionType(function) else { throw refuse("function has no type") }
        try declareLocals(type, body)
        operands.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        table.begin(result: type.results.first)
        frames.append(ControlFrame(construct: 0, kind: .function, result: type.results.first, height: 0))
        for (index, instruction) in body.instructions.enumerated() {
            position = UInt32(truncatingIfNeeded: index)
            offset = instruction.offset
            guard !frames.isEmpty else { throw refuse("instruction after the function's end") }
            let row = instruction.opcode.brief
            if row.hasTypes, let effect = row.effect {
                try checkImmediates(instruction)
                var operand = Int(effect.takes)
                while operand > 0 {
                    operand -= 1
                    try pop(row.operand(operand))
                }
                if let result = row.result { push(result) }
            } else {
                try apply(instruction, in: body)
            }
            table.note(height: operands.count)
        }
        guard frames.isEmpty else { throw refuse("\(frames.count) constructs have no end") }
        return table.finish(count: UInt32(truncatingIfNeeded: body.instructions.count))
    }

    private mutating func declareLocals(_ type: FunctionType, _ body: FunctionBody) throws(Refusal) {
        locals.reset()
        for parameter in type.parameters { locals.append(1, parameter) }
        for group in body.localGroups { locals.append(group.count, group.type) }
        guard locals.count <= Limits.locals else {
            throw refuse("\(locals.count) parameters and locals, limit \(Limits.locals)")
        }
    }

    // MARK: - Stacks

    func refuse(_ rule: String) -> Refusal {
        Refusal(stage: .validate, function: function, offset: offset, rule: rule)
    }

    private mutating func push(_ type: ValueType?) { operands.append(type) }

    /// The topmost operand's type, nil for any.
    private mutating func pop() throws(Refusal) -> ValueType? {
        let top = frames[frames.count - 1]
        guard operands.count > top.height else {
            if top.isUnreachable { return nil }
            throw refuse("type mismatch: an operand is missing")
        }
        return operands.removeLast()
    }

    @discardableResult
    private mutating func pop(_ expected: ValueType) throws(Refusal) -> ValueType? {
        let found = try pop()
        if let found, found != expected { throw refuse("type mismatch: expected \(expected), found \(found)") }
        return found
    }

    private mutating func pop(_ first: ValueType?) throws(Refusal) {
        if let first { try pop(first) }
    }

    private mutating func becomeUnreachable() {
        let top = frames.count - 1
        operands.removeSubrange(frames[top].height...)
        frames[top].isUnreachable = true
        table.stop(at: position)
    }

    private func label(_ depth: UInt32) throws(Refusal) -> ControlFrame {
        guard Int(depth) < frames.count else { throw refuse("unknown label \(depth)") }
        return frames[frames.count - 1 - Int(depth)]
    }

    // MARK: - Control

    private mutating func open(_ kind: SideTable.Construct.Kind, _ instruction: Instruction) throws(Refusal) {
        let result: ValueType?
        switch instruction.blockType {
        case .empty: result = nil
        case .value(let type): result = type
        case .type(let index):
            throw refuse("block type is type index \(index), multi-value is not enabled")
        }
        let construct = table.open(
            kind, result: result, at: position, height: operands.count,
            parent: frames[frames.count - 1].construct)
        frames.append(ControlFrame(construct: construct, kind: kind, result: result, height: operands.count))
    }

    /// Checks the end of the innermost construct and takes it off the stack.
    private mutating func close() throws(Refusal) -> ControlFrame {
        let frame = frames[frames.count - 1]
        try pop(frame.result)
        guard operands.count == frame.height else {
            throw refuse("type mismatch: \(operands.count - frame.height) operands too many at the end of a block")
        }
        frames.removeLast()
        return frame
    }

    /// Notes the branch that the instruction is; the operands it carries are still on the stack.
    private mutating func branch(to frame: ControlFrame) {
        table.branch(at: position, height: operands.count, targetCount: 1)
        table.target(frame.construct)
    }

    private mutating func branchTable(_ labels: [UInt32]) throws(Refusal) {
        try pop(.i32)
        table.branch(at: position, height: operands.count, targetCount: labels.count)
        guard let last = labels.last else { throw refuse("br_table has no default label") }
        let expected = try label(last).labelType
        for depth in labels {
            let frame = try label(depth)
            let type = frame.labelType
            guard (type == nil) == (expected == nil) else {
                throw refuse("type mismatch: labels of br_table carry different numbers of operands")
            }
            if let type {
                let found = try pop(type)
                push(found)
            }
            table.target(frame.construct)
        }
        becomeUnreachable()
    }

    private mutating func call(_ type: FunctionType) throws(Refusal) {
        for parameter in type.parameters.reversed() { try pop(parameter) }
        for result in type.results { push(result) }
    }

    // MARK: - Instructions whose types the table does not know

    private mutating func apply(_ instruction: Instruction, in body: FunctionBody) throws(Refusal) {
        switch instruction.opcode {
        case .unreachable: becomeUnreachable()
        case .block: try open(.block, instruction)
        case .loop: try open(.loop, instruction)
        case .if:
            try pop(.i32)
            try open(.if, instruction)
        case .else:
            guard let top = frames.last, top.kind == .if, !top.hasElse else { throw refuse("else outside if") }
            var frame = try close()
            table.otherwise(of: frame.construct, at: position)
            frame.hasElse = true
            frame.isUnreachable = false
            frames.append(frame)
        case .end:
            let frame = try close()
            if frame.kind == .if, !frame.hasElse, frame.result != nil {
                throw refuse("type mismatch: if with a result has no else")
            }
            table.close(frame.construct, at: position)
            if let result = frame.result { push(result) }
        case .br:
            let target = try label(instruction.index)
            branch(to: target)
            try pop(target.labelType)
            becomeUnreachable()
        case .brIf:
            try pop(.i32)
            let target = try label(instruction.index)
            branch(to: target)
            let type = target.labelType
            try pop(type)
            if let type { push(type) }
        case .brTable: try branchTable(body.branchTables[Int(instruction.index)])
        case .return:
            branch(to: frames[0])
            try pop(frames[0].result)
            becomeUnreachable()
        case .call:
            guard let type = context.functionType(instruction.index) else {
                throw refuse("unknown function \(instruction.index)")
            }
            try call(type)
        case .callIndirect:
            let table = try table(instruction.second)
            guard table.element == .funcref else { throw refuse("type mismatch: table of \(table.element)") }
            guard let type = context.module.type(instruction.index) else {
                throw refuse("unknown type \(instruction.index)")
            }
            try pop(.i32)
            try call(type)
        case .drop: _ = try pop()
        case .select: try select()
        case .selectTyped:
            let type = try typeByte(instruction.index)
            try pop(.i32)
            try pop(type)
            try pop(type)
            push(type)
        case .localGet: push(try local(instruction.index))
        case .localSet:
            try pop(local(instruction.index))
            table.assign(instruction.index, at: position)
        case .localTee:
            let type = try local(instruction.index)
            try pop(type)
            push(type)
            table.assign(instruction.index, at: position)
        case .globalGet: push(try global(instruction.index).value)
        case .globalSet:
            let global = try global(instruction.index)
            guard global.isMutable else { throw refuse("global \(instruction.index) is immutable") }
            try pop(global.value)
        case .tableGet:
            let element = try table(instruction.index).element
            try pop(.i32)
            push(element)
        case .tableSet:
            try pop(table(instruction.index).element)
            try pop(.i32)
        case .tableGrow:
            let element = try table(instruction.index).element
            try pop(.i32)
            try pop(element)
            push(.i32)
        case .tableFill:
            let element = try table(instruction.index).element
            try pop(.i32)
            try pop(element)
            try pop(.i32)
        case .refNull: push(try typeByte(instruction.index))
        case .refIsNull:
            if let found = try pop(), found != .funcref { throw refuse("type mismatch: \(found) is no reference") }
            push(.i32)
        case .refFunc:
            guard Int(instruction.index) < context.functionTypes.count else {
                throw refuse("unknown function \(instruction.index)")
            }
            guard context.referencedFunctions.contains(instruction.index) else {
                throw refuse("undeclared function reference \(instruction.index)")
            }
            push(.funcref)
        default: throw refuse("\(instruction.opcode.name) has no typing rule")
        }
    }

    private mutating func select() throws(Refusal) {
        try pop(.i32)
        let first = try pop()
        let second = try pop()
        if first == .funcref || second == .funcref {
            throw refuse("type mismatch: select without types takes numbers only")
        }
        if let first, let second, first != second {
            throw refuse("type mismatch: select of \(second) and \(first)")
        }
        push(first ?? second)
    }

    // MARK: - Immediates

    /// Indices and alignments of instructions whose types are fixed.
    private func checkImmediates(_ instruction: Instruction) throws(Refusal) {
        switch instruction.opcode.immediates {
        case .none, .i32, .i64: break
        case .memoryArgument:
            try memory(0)
            let row = instruction.opcode.brief
            guard UInt64(1) << UInt64(instruction.index) <= UInt64(row.accessWidth) else {
                throw refuse("alignment 2^\(instruction.index) is larger than natural, \(row.accessWidth) bytes")
            }
        case .zeroByte: try memory(0)
        case .memory: try memory(instruction.index)
        case .twoMemories:
            try memory(instruction.index)
            try memory(instruction.second)
        case .data: try dataSegment(instruction.index)
        case .dataAndMemory:
            try memory(instruction.second)
            try dataSegment(instruction.index)
        case .table: _ = try table(instruction.index)
        case .element: _ = try elementType(instruction.index)
        case .elementAndTable:
            guard try elementType(instruction.index) == table(instruction.second).element else {
                throw refuse("type mismatch between segment \(instruction.index) and table \(instruction.second)")
            }
        case .twoTables:
            guard try table(instruction.index).element == table(instruction.second).element else {
                throw refuse("type mismatch between tables \(instruction.index) and \(instruction.second)")
            }
        default: break
        }
    }

    private func memory(_ index: UInt32) throws(Refusal) {
        guard Int(index) < context.memoryTypes.count else { throw refuse("unknown memory \(index)") }
    }

    private func table(_ index: UInt32) throws(Refusal) -> TableType {
        guard Int(index) < context.tableTypes.count else { throw refuse("unknown table \(index)") }
        return context.tableTypes[Int(index)]
    }

    private func global(_ index: UInt32) throws(Refusal) -> GlobalType {
        guard Int(index) < context.globalTypes.count else { throw refuse("unknown global \(index)") }
        return context.globalTypes[Int(index)]
    }

    private func local(_ index: UInt32) throws(Refusal) -> ValueType {
        guard let type = locals[index] else { throw refuse("unknown local \(index)") }
        return type
    }

    private func dataSegment(_ index: UInt32) throws(Refusal) {
        guard let count = context.module.dataCount, index < count else { throw refuse("unknown data segment \(index)") }
    }

    private func elementType(_ index: UInt32) throws(Refusal) -> ValueType {
        guard Int(index) < context.module.elements.count else { throw refuse("unknown element segment \(index)") }
        return context.module.elements[Int(index)].type
    }

    private func typeByte(_ index: UInt32) throws(Refusal) -> ValueType {
        guard let type = ValueType(rawValue: UInt8(truncatingIfNeeded: index)) else {
            throw refuse("malformed value type 0x\(String(index, radix: 16))")
        }
        return type
    }
}
