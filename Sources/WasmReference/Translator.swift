import Metering
import Validator
import WasmFormat

/// A body that the translator cannot translate: a fault of this program, never a property of the module.
public enum TranslationFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The charges do not fit the body.
    case plan(PlanFault)
    /// The plan is one of another module: it has charges for so many functions where the module has so many.
    case functions(planned: Int, defined: Int)
    /// The interpreter has no operation for an instruction.
    case noOperation(instruction: String)

    public var description: String {
        switch self {
        case .plan(let fault): fault.description
        case .functions(let planned, let defined): "metering plan of \(planned) functions for \(defined)"
        case .noOperation(let name): "the interpreter has no operation for \(name)"
        }
    }
}

/// Turns validated bodies into flat operations. Code that cannot be reached is left out; the heights that
/// validation established tell every branch what to keep and where.
struct Translator {
    /// Jumps of a construct whose place is not known yet.
    private struct Jumps {
        /// Index of a loop's first operation.
        var start: Int
        /// Jumps to the construct's end.
        var toEnd: [Int] = []
        /// An `if`'s jump over its first arm.
        var toElse: Int?
    }

    private let module: Module
    private let sideTables: [SideTable]
    private let plan: MeteringPlan?
    private let importedFunctions: Int
    private let functionTypes: [FunctionType]
    private let isWatched: Bool

    private(set) var operations: [Op] = []
    private(set) var offsets: [UInt32] = []

    private var cursor = SideTable.Cursor()
    /// By number of the construct; those of unreachable ones are not used.
    private var jumps: [Jumps] = []
    /// Operands on the stack.
    private var height = 0
    /// Slots of the frame below the operands.
    private var base = 0
    private var offset: UInt32 = 0

    init(_ validated: ValidatedModule, plan: MeteringPlan?, isWatched: Bool) throws(TranslationFault) {
        module = validated.module
        self.isWatched = isWatched
        sideTables = validated.sideTables
        self.plan = plan
        importedFunctions = module.importedFunctionCount
        functionTypes = module.functionTypeIndices.map { [module] in module.types[Int($0)] }
        if let plan, plan.functions.count != module.bodies.count {
            throw .functions(planned: plan.functions.count, defined: module.bodies.count)
        }
    }

    /// Translates defined function `index`.
    mutating func translate(_ index: Int) throws(TranslationFault) -> FlatCode.Function {
        let body = module.bodies[index]
        let table = sideTables[index]
        let type = functionTypes[importedFunctions + index]
        let localCount = body.localGroups.reduce(0) { $0 + Int($1.count) }
        base = type.parameters.count + localCount
        let entry = operations.count
        height = 0
        cursor = SideTable.Cursor()
        jumps.removeAll(keepingCapacity: true)
        jumps.append(contentsOf: repeatElement(Jumps(start: entry), count: table.constructs.count))
        var charges = plan.map {
            ChargeCursor($0.functions[index], function: UInt32(truncatingIfNeeded: importedFunctions + index))
        }
        try translate(body, table, &charges)
        return FlatCode.Function(
            entry: entry, parameterCount: UInt32(type.parameters.count), resultCount: UInt32(type.results.count),
            localCount: UInt32(localCount), frameSlots: UInt32(base + table.maximumHeight))
    }

    /// Charges of blocks emitted so far; each has its number.
    private(set) var chargeCount: UInt32 = 0

    private mutating func translate(
        _ body: FunctionBody, _ table: SideTable, _ charges: inout ChargeCursor?
    ) throws(TranslationFault) {
        var position = 0
        while position < body.instructions.count {
            let next = cursor.reachable(from: position, in: table)
            guard next == position else {
                try Self.checked { () throws(PlanFault) in try charges?.skip(position..<next) }
                position = next
                continue
            }
            let instruction = body.instructions[position]
            offset = instruction.offset
            let operands = height - table.constructs[cursor.innermost].height
            let due = try Self.checked { () throws(PlanFault) in
                try charges?.due(at: position, before: instruction.opcode, operands: operands)
            }
            if let milligas = due?.block {
                emit(Op(.charge, a: chargeCount, bits: milligas))
                chargeCount += 1
            }
            if let milligas = due?.perUnit { emit(Op(.chargeLinear, bits: milligas)) }
            try translate(instruction, table)
            position += 1
        }
        try Self.checked { () throws(PlanFault) in try charges?.finish(count: position) }
    }

    @discardableResult
    private static func checked<Result>(
        _ body: () throws(PlanFault) -> Result
    ) throws(TranslationFault) -> Result {
        do throws(PlanFault) { return try body() } catch { throw .plan(error) }
    }

    private mutating func translate(_ instruction: Instruction, _ table: SideTable) throws(TranslationFault) {
        switch instruction.opcode {
        case .nop:
            break
        case .block, .loop:
            open()
        case .if:
            height -= 1
            open()
            jumps[cursor.innermost].toElse = emit(Op(.jumpIfZero))
        case .else:
            startElse(table)
        case .end:
            end(table)
        case .br, .brIf:
            let branch = cursor.branch(in: table)
            height = branch.height
            self.branch(to: table.lastTarget(of: branch), conditional: instruction.opcode == .brIf, table)
        case .brTable:
            let branch = cursor.branch(in: table)
            height = branch.height
            let targets = table.targets(of: branch)
            emit(Op(.jumpTable, a: UInt32(targets.count - 1)))
            for target in targets { self.branch(to: Int(target), conditional: false, table) }
        case .return:
            _ = cursor.branch(in: table)
            emitReturn(table)
        case .unreachable:
            emit(Op(.unreachable))
        case .call:
            call(instruction.index)
        case .callIndirect:
            let type = module.types[Int(instruction.index)]
            emit(Op(.callIndirect, a: instruction.index, bits: UInt64(instruction.second)))
            height += type.results.count - type.parameters.count - 1
        default:
            try plain(instruction)
        }
    }

    // MARK: Control

    private mutating func emitReturn(_ table: SideTable) {
        emit(Op(table.constructs[0].resultCount == 0 ? .returnNone : .returnOne))
    }

    private mutating func open() {
        cursor.open()
        jumps[cursor.innermost].start = operations.count
    }

    private mutating func startElse(_ table: SideTable) {
        let number = cursor.innermost
        let construct = table.constructs[number]
        if construct.firstArmFallsThrough { jumps[number].toEnd.append(emit(Op(.jump))) }
        if let jump = jumps[number].toElse { patch(jump) }
        jumps[number].toElse = nil
        height = construct.height
    }

    private mutating func end(_ table: SideTable) {
        let number = cursor.close(in: table)
        if let jump = jumps[number].toElse { patch(jump) }
        for jump in jumps[number].toEnd { patch(jump) }
        height = table.constructs[number].height + table.constructs[number].resultCount
        if number == 0 { emitReturn(table) }
    }

    private mutating func branch(to number: Int, conditional: Bool, _ table: SideTable) {
        let target = table.constructs[number]
        let kept = target.carriedCount
        let operation: Operation =
            if height == target.height + kept {
                conditional ? .jumpIf : .jump
            } else if kept == 0 {
                conditional ? .jumpIfKeepingNone : .jumpKeepingNone
            } else {
                conditional ? .jumpIfKeepingOne : .jumpKeepingOne
            }
        let jump = emit(Op(operation, bits: UInt64(base + target.height)))
        if target.kind == .loop {
            operations[jump].a = UInt32(bitPattern: Int32(truncatingIfNeeded: jumps[number].start - jump - 1))
        } else {
            jumps[number].toEnd.append(jump)
        }
    }

    /// Makes a jump lead to the operation that comes next.
    private mutating func patch(_ jump: Int) {
        operations[jump].a = UInt32(truncatingIfNeeded: operations.count - jump - 1)
    }

    private mutating func call(_ index: UInt32) {
        let type = functionTypes[Int(index)]
        let defined = Int(index) - importedFunctions
        if let plan, defined >= 0 {
            emit(Op(.guardedCall, a: index, bits: UInt64(plan.functions[defined].stackCost)))
        } else {
            emit(Op(.call, a: index))
        }
        height += type.results.count - type.parameters.count
    }

    // MARK: Everything else

    private mutating func plain(_ instruction: Instruction) throws(TranslationFault) {
        guard let effect = instruction.opcode.brief.effect else {
            throw .noOperation(instruction: instruction.opcode.name)
        }
        switch instruction.opcode.row.recipe {
        case .constant: emit(Op(.constant, bits: instruction.bits))
        case .nullReference: emit(Op(.constant, bits: 0))
        case .select: emit(Op(.select))
        case .tableInit, .tableCopy: emit(try operation(instruction, bits: UInt64(instruction.second)))
        default:
            let operation = try operation(instruction, bits: instruction.bits)
            if isWatched, let kind = Watched.kind(of: operation.operation) {
                emit(Op(.watch, a: kind, bits: operation.bits))
            }
            emit(operation)
        }
        height += effect.change
    }

    private func operation(_ instruction: Instruction, bits: UInt64) throws(TranslationFault) -> Op {
        let raw = instruction.opcode.rawValue
        guard let operation = Operation(rawValue: raw >= 0xFC00 ? 0x100 | raw & 0xFF : raw) else {
            throw .noOperation(instruction: instruction.opcode.name)
        }
        return Op(operation, a: instruction.index, bits: bits)
    }

    @discardableResult
    private mutating func emit(_ operation: Op) -> Int {
        operations.append(operation)
        offsets.append(offset)
        return operations.count - 1
    }
}
