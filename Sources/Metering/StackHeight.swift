import WasmFormat

/// The stack limiter's height analysis of one body, with all its peculiarities (fvm-wasm-instrument 0.4.0,
/// `stack_limiter/max_height.rs`). They are consensus: a textbook analysis gives other stack costs.
struct StackHeight {
    /// What a function costs before it has any operand.
    private static let overhead: UInt64 = 2

    private struct Frame {
        /// The height at the start; the function's own is 0 although its height starts at the overhead.
        var floor: UInt64
        /// Operands after the end.
        var ends: UInt64
        /// Operands a branch to it carries.
        var carries: UInt64
        var isDead = false
    }

    private let module: Module
    private let functionTypes: [UInt32]
    private let importedFunctions: Int
    private var function: UInt32 = 0
    private var offset: UInt32 = 0
    private var height: UInt64 = 0
    private var frames: [Frame] = []

    init(_ module: Module) {
        self.module = module
        functionTypes = module.functionTypeIndices
        importedFunctions = module.importedFunctionCount
    }

    /// Runs of locals as encoded, empty and repeated ones included, plus the highest operand height seen;
    /// parameters do not count.
    mutating func stackCost(ofBody index: Int) throws(Refusal) -> UInt32 {
        let body = module.bodies[index]
        function = UInt32(truncatingIfNeeded: importedFunctions + index)
        offset = body.offset
        let results = UInt64(type(functionTypes, function)?.results.count ?? 0)
        height = Self.overhead
        frames.removeAll(keepingCapacity: true)
        frames.append(Frame(floor: 0, ends: results, carries: results))
        var peak: UInt64 = 0
        for instruction in body.instructions {
            offset = instruction.offset
            guard let top = frames.last else { throw refuse("code after the function's end") }
            // Looked at before the instruction acts, so what the last one leaves is never seen.
            if height > peak, !top.isDead { peak = height }
            try apply(instruction, in: body, results)
        }
        let cost = peak + UInt64(body.localGroups.count)
        guard cost <= UInt64(UInt32.max) else { throw refuse("stack cost \(cost) does not fit 32 bits") }
        return UInt32(cost)
    }

    private func refuse(_ rule: String) -> Refusal {
        Refusal(stage: .stackLimiter, function: function, offset: offset, rule: rule)
    }

    private func type(_ indices: [UInt32], _ function: UInt32) -> FunctionType? {
        Int(function) < indices.count ? module.type(indices[Int(function)]) : nil
    }

    /// Pops a group of operands as a whole: in dead code at the floor it vanishes as a whole.
    private mutating func pop(_ count: UInt64) throws(Refusal) {
        guard count > 0, let top = frames.last else { return }
        if height == top.floor {
            guard top.isDead else { throw refuse("operand stack is empty") }
            return
        }
        guard height >= count else { throw refuse("operand stack of \(height) has not the \(count) operands to pop") }
        height -= count
    }

    private mutating func die() { frames[frames.count - 1].isDead = true }

    private func carried(_ depth: UInt32) throws(Refusal) -> UInt64 {
        guard Int(depth) < frames.count else { throw refuse("unknown label \(depth)") }
        return frames[frames.count - 1 - Int(depth)].carries
    }

    private mutating func open(_ instruction: Instruction) {
        let arity: UInt64 = instruction.blockType == .empty ? 0 : 1
        frames.append(Frame(floor: height, ends: arity, carries: instruction.opcode == .loop ? 0 : arity))
    }

    private mutating func apply(
        _ instruction: Instruction, in body: FunctionBody, _ results: UInt64
    ) throws(Refusal) {
        switch instruction.opcode {
        case .block, .loop: open(instruction)
        case .if:
            try pop(1)
            open(instruction)
        case .else: break  // Neither height nor deadness is reset: the second arm goes on where the first ended.
        case .end:
            guard let frame = frames.popLast() else { return }
            height = frame.floor + frame.ends
        case .unreachable: die()
        case .br:
            try pop(carried(instruction.index))
            die()
        case .brIf:
            let carried = try carried(instruction.index)
            try pop(carried)
            try pop(1)
            height += carried
        case .brTable:
            let labels = body.branchTables[Int(instruction.index)]
            guard let last = labels.last else { throw refuse("br_table has no default label") }
            let carried = try carried(last)
            for label in labels where try self.carried(label) != carried {
                throw refuse("labels of br_table carry different numbers of operands")
            }
            try pop(carried)  // The selector itself stays.
            die()
        case .return:
            try pop(results)
            die()
        case .call: try call(type(functionTypes, instruction.index))
        case .callIndirect:
            try pop(1)
            try call(module.type(instruction.index))
        case .drop, .localSet, .globalSet: try pop(1)
        case .select:
            try pop(2)
            try pop(1)
            height += 1
        case .localGet, .globalGet: height += 1
        case .localTee, .tableGet:
            try pop(1)
            height += 1
        case .tableSet: try pop(2)
        case .tableGrow:
            try pop(2)
            height += 1
        case .tableFill: try pop(3)
        default:
            let row = instruction.opcode.row
            guard row.refusedBy == nil, let types = row.types else {
                throw refuse("\(instruction.opcode.name) is not supported")
            }
            try pop(UInt64(types.operands.count))
            height += UInt64(types.results.count)
        }
    }

    private mutating func call(_ type: FunctionType?) throws(Refusal) {
        guard let type else { throw refuse("call of an unknown type") }
        try pop(UInt64(type.parameters.count))
        height += UInt64(type.results.count)
    }
}
