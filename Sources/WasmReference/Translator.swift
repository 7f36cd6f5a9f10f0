import Metering
import WasmFormat

/// Turns validated bodies into flat operations. Code that cannot be reached is left out; the heights that
/// validation established tell every branch what to keep and where.
struct Translator {
    private struct Control {
        var isLoop: Bool
        /// Slot of the frame at which the construct's results start.
        var slot: Int
        var resultCount: Int
        /// Index of a loop's first operation.
        var start: Int
        /// Jumps to the construct's end.
        var toEnd: [Int] = []
        /// An `if`'s jump over its first arm.
        var toElse: Int?
    }

    private let module: Module
    private let plan: MeteringPlan?
    private let importedFunctions: Int
    private let functionTypes: [FunctionType]
    private let globalCount: Int

    private(set) var operations: [Op] = []
    private(set) var offsets: [UInt32] = []

    private var controls: [Control] = []
    private var height = 0
    private var peak = 0
    private var offset: UInt32 = 0

    init(module: Module, plan: MeteringPlan?) {
        self.module = module
        self.plan = plan
        var types: [FunctionType] = []
        var globals = module.globals.count
        for entry in module.imports {
            switch entry.kind {
            case .function(let index): types.append(module.types[Int(index)])
            case .global: globals += 1
            case .table, .memory: break
            }
        }
        importedFunctions = types.count
        globalCount = globals
        functionTypes = types + module.functions.map { module.types[Int($0)] }
    }

    /// Translates defined function `index`.
    mutating func translate(_ index: Int) -> FlatCode.Function {
        let body = module.bodies[index]
        let type = functionTypes[importedFunctions + index]
        let localCount = body.localGroups.reduce(0) { $0 + Int($1.count) }
        let base = type.parameters.count + localCount
        let entry = operations.count
        height = base
        peak = base
        controls = [Control(isLoop: false, slot: base, resultCount: type.results.count, start: entry)]
        translate(body, charges: plan?.functions[index])
        return FlatCode.Function(
            entry: entry, parameterCount: UInt32(type.parameters.count), resultCount: UInt32(type.results.count),
            localCount: UInt32(localCount), frameSlots: UInt32(peak))
    }

    private mutating func translate(_ body: FunctionBody, charges: MeteringPlan.Function?) {
        let blocks = charges?.blocks ?? []
        let linear = charges?.linear ?? []
        var nextBlock = 0
        var nextLinear = 0
        // Constructs opened in code that cannot be reached.
        var skipped = 0
        var isDead = false
        for (position, instruction) in body.instructions.enumerated() {
            var blockCharge: UInt64?
            var linearCharge: UInt64?
            if nextBlock < blocks.count, blocks[nextBlock].position == UInt32(position) {
                blockCharge = blocks[nextBlock].milligas
                nextBlock += 1
            }
            if nextLinear < linear.count, linear[nextLinear].position == UInt32(position) {
                linearCharge = linear[nextLinear].milligasPerUnit
                nextLinear += 1
            }
            if isDead {
                switch instruction.opcode {
                case .block, .loop, .if:
                    skipped += 1
                    continue
                case .end where skipped > 0:
                    skipped -= 1
                    continue
                case .else where skipped == 0, .end:
                    break
                default:
                    continue
                }
            }
            offset = instruction.offset
            if !isDead {
                if let blockCharge { emit(Op(.charge, bits: blockCharge)) }
                if let linearCharge { emit(Op(.chargeLinear, bits: linearCharge)) }
            }
            isDead = translate(instruction, in: body, isDead: isDead)
        }
    }

    /// - Returns: whether what follows cannot be reached.
    private mutating func translate(_ instruction: Instruction, in body: FunctionBody, isDead: Bool) -> Bool {
        let a = instruction.index
        switch instruction.opcode {
        case .nop:
            break
        case .block, .loop:
            open(instruction, isLoop: instruction.opcode == .loop)
        case .if:
            height -= 1
            open(instruction, isLoop: false)
            controls[controls.count - 1].toElse = emit(Op(.jumpIfZero))
        case .else:
            startElse(isDead: isDead)
        case .end:
            end()
        case .br:
            branch(a, conditional: false)
            return true
        case .brIf:
            height -= 1
            branch(a, conditional: true)
        case .brTable:
            height -= 1
            let labels = body.branchTables[Int(a)]
            emit(Op(.jumpTable, a: UInt32(labels.count - 1)))
            for label in labels { branch(label, conditional: false) }
            return true
        case .return:
            emit(Op(functionReturn))
            return true
        case .unreachable:
            emit(Op(.unreachable))
            return true
        case .call:
            call(a)
        case .callIndirect:
            let type = module.types[Int(a)]
            emit(Op(.callIndirect, a: a, bits: UInt64(instruction.second)))
            adjust(pops: 1 + type.parameters.count, pushes: type.results.count)
        default:
            plain(instruction)
        }
        return false
    }

    // MARK: Control

    private var functionReturn: Operation { controls[0].resultCount == 0 ? .returnNone : .returnOne }

    private mutating func open(_ instruction: Instruction, isLoop: Bool) {
        let results =
            switch instruction.blockType {
            case .empty: 0
            case .value: 1
            case .type(let index): module.types[Int(index)].results.count
            }
        controls.append(
            Control(isLoop: isLoop, slot: height, resultCount: results, start: operations.count))
    }

    private mutating func startElse(isDead: Bool) {
        let top = controls.count - 1
        if !isDead { controls[top].toEnd.append(emit(Op(.jump))) }
        if let jump = controls[top].toElse { patch(jump) }
        controls[top].toElse = nil
        height = controls[top].slot
    }

    private mutating func end() {
        let control = controls.removeLast()
        if let jump = control.toElse { patch(jump) }
        for jump in control.toEnd { patch(jump) }
        height = control.slot + control.resultCount
        if controls.isEmpty { emit(Op(control.resultCount == 0 ? .returnNone : .returnOne)) }
    }

    private mutating func branch(_ label: UInt32, conditional: Bool) {
        let index = controls.count - 1 - Int(label)
        let target = controls[index]
        let kept = target.isLoop ? 0 : target.resultCount
        let operation: Operation =
            if height == target.slot + kept {
                conditional ? .jumpIf : .jump
            } else if kept == 0 {
                conditional ? .jumpIfKeepingNone : .jumpKeepingNone
            } else {
                conditional ? .jumpIfKeepingOne : .jumpKeepingOne
            }
        let jump = emit(Op(operation, bits: UInt64(target.slot)))
        if target.isLoop {
            operations[jump].a = UInt32(bitPattern: Int32(truncatingIfNeeded: target.start - jump - 1))
        } else {
            controls[index].toEnd.append(jump)
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
        adjust(pops: type.parameters.count, pushes: type.results.count)
    }

    // MARK: Everything else

    private mutating func plain(_ instruction: Instruction) {
        let (pops, pushes) = Self.effect(of: instruction.opcode)
        switch instruction.opcode {
        case .i32Const, .i64Const, .f32Const, .f64Const:
            emit(Op(.constant, bits: instruction.bits))
        case .refNull:
            emit(Op(.constant, bits: 0))
        case .selectTyped:
            emit(Op(.select))
        case .tableInit, .tableCopy:
            emit(operation(instruction, bits: UInt64(instruction.second)))
        default:
            emit(operation(instruction, bits: instruction.bits))
        }
        adjust(pops: pops, pushes: pushes)
    }

    private func operation(_ instruction: Instruction, bits: UInt64) -> Op {
        let raw = instruction.opcode.rawValue
        let operation = Operation(rawValue: raw >= 0xFC00 ? 0x100 | raw & 0xFF : raw)
        // Every opcode has a case or was treated above; `unreachable` is what a forgotten one would become.
        return Op(operation ?? .unreachable, a: instruction.index, bits: bits)
    }

    @discardableResult
    private mutating func emit(_ operation: Op) -> Int {
        operations.append(operation)
        offsets.append(offset)
        return operations.count - 1
    }

    private mutating func adjust(pops: Int, pushes: Int) {
        height += pushes - pops
        peak = max(peak, height)
    }

    /// How many operands an operator without immediate types takes and gives.
    static func effect(of opcode: Opcode) -> (pops: Int, pushes: Int) {
        switch opcode.rawValue {
        case 0x1A, 0x21, 0x24: (1, 0)  // drop, local.set, global.set
        case 0x1B, 0x1C: (3, 1)  // select
        case 0x20, 0x23, 0x3F, 0x41...0x44, 0xD0, 0xD2, 0xFC10: (0, 1)  // get, size, const, ref
        case 0x26, 0x36...0x3E: (2, 0)  // stores, table.set
        case 0x46...0x4F, 0x51...0x66, 0x6A...0x78, 0x7C...0x8A, 0x92...0x98, 0xA0...0xA6: (2, 1)
        case 0x22, 0x25, 0x28...0x35, 0x40, 0x45...0xC4, 0xD1, 0xFC00...0xFC07: (1, 1)
        case 0xFC08, 0xFC0A, 0xFC0B, 0xFC0C, 0xFC0E, 0xFC11: (3, 0)  // init, copy, fill
        case 0xFC0F: (2, 1)  // table.grow
        default: (0, 0)  // data.drop, elem.drop
        }
    }
}
