import Validator
import WasmFormat

/// The stack limiter's height analysis of one body, with all its peculiarities (fvm-wasm-instrument 0.4.0,
/// `stack_limiter/max_height.rs`). They are consensus: a textbook analysis gives other stack costs.
struct StackHeight {
    /// What a function costs before it has any operand.
    private static let overhead: UInt64 = 2

    /// What the analysis knows of a construct.
    private struct Frame {
        /// The height at the start; the function's own is 0 although its height starts at the overhead.
        var floor: UInt64
        var isDead = false
    }

    /// Operands that calls of a type take and give.
    private struct Arity {
        var parameters: UInt64
        var results: UInt64
    }

    private let module: Module
    private let sideTables: [SideTable]
    private let types: [Arity]
    private let functionTypes: [UInt32]
    private let importedFunctions: Int
    private var function: UInt32 = 0
    private var offset: UInt32 = 0
    private var height: UInt64 = 0
    private var cursor = SideTable.Cursor()
    /// By number of the construct, those opened so far.
    private var frames: [Frame] = []

    init(_ validated: ValidatedModule) {
        module = validated.module
        sideTables = validated.sideTables
        types = module.types.map {
            Arity(parameters: UInt64($0.parameters.count), results: UInt64($0.results.count))
        }
        functionTypes = module.functionTypeIndices
        importedFunctions = module.importedFunctionCount
    }

    /// Runs of locals as encoded, empty and repeated ones included, plus the highest operand height seen;
    /// parameters do not count.
    mutating func stackCost(ofBody index: Int) throws(ChargeError) -> UInt32 {
        let body = module.bodies[index]
        let table = sideTables[index]
        function = UInt32(truncatingIfNeeded: importedFunctions + index)
        offset = body.offset
        height = Self.overhead
        cursor = SideTable.Cursor()
        frames.removeAll(keepingCapacity: true)
        frames.append(Frame(floor: 0))
        var peak: UInt64 = 0
        for (position, instruction) in body.instructions.enumerated() {
            offset = instruction.offset
            // Looked at before the instruction acts, so what the last one leaves is never seen.
            if height > peak, !frames[cursor.innermost].isDead { peak = height }
            try apply(instruction, at: position, table)
        }
        let cost = peak + UInt64(body.localGroups.count)
        guard cost <= UInt64(UInt32.max) else { throw refuse("stack cost \(cost) does not fit 32 bits") }
        return UInt32(cost)
    }

    private func refuse(_ rule: String) -> ChargeError {
        .refused(Refusal(stage: .stackLimiter, function: function, offset: offset, rule: rule))
    }

    /// Pops a group of operands as a whole: in dead code at the floor it vanishes as a whole.
    private mutating func pop(_ count: UInt64) throws(ChargeError) {
        guard count > 0 else { return }
        let top = frames[cursor.innermost]
        if height == top.floor {
            guard top.isDead else { throw refuse("operand stack is empty") }
            return
        }
        guard height >= count else { throw refuse("operand stack of \(height) has not the \(count) operands to pop") }
        height -= count
    }

    private mutating func die() { frames[cursor.innermost].isDead = true }

    private mutating func open() {
        cursor.open()
        frames.append(Frame(floor: height))
    }

    /// Operands that the next branch carries. All labels of a `br_table` carry as many, or validation would have
    /// refused it.
    private mutating func carried(_ table: SideTable) -> UInt64 {
        UInt64(table.constructs[table.lastTarget(of: cursor.branch(in: table))].carriedCount)
    }

    private mutating func apply(
        _ instruction: Instruction, at position: Int, _ table: SideTable
    ) throws(ChargeError) {
        switch instruction.opcode {
        case .block, .loop: open()
        case .if:
            try pop(1)
            open()
        case .else: break  // Neither height nor deadness is reset: the second arm goes on where the first ended.
        case .end:
            let closed = cursor.close(in: table)
            height = frames[closed].floor + UInt64(table.constructs[closed].resultCount)
        case .unreachable: die()
        case .br, .return:
            try pop(carried(table))
            die()
        case .brIf:
            let carried = carried(table)
            try pop(carried)
            try pop(1)
            height += carried
        case .brTable:
            try pop(carried(table))  // The selector itself stays.
            die()
        case .call: try call(functionTypes[Int(instruction.index)])
        case .callIndirect:
            try pop(1)
            try call(instruction.index)
        case .select:
            // Two groups, which vanish one by one.
            try pop(2)
            try pop(1)
            height += 1
        default:
            let row = instruction.opcode.brief
            guard !row.isRefused else { throw refuse("\(instruction.opcode.name) is not supported") }
            guard let effect = row.effect else {
                throw .fault(
                    PlanFault(
                        function: function, position: position,
                        rule: .withoutEffect(instruction: instruction.opcode.name)))
            }
            try pop(UInt64(effect.takes))
            height += UInt64(effect.gives)
        }
    }

    private mutating func call(_ type: UInt32) throws(ChargeError) {
        try pop(types[Int(type)].parameters)
        height += types[Int(type)].results
    }
}
