import WasmFormat

@testable import Validator

/// The facts of a side table, computed again in another way: nesting by a stack of its own, reachability and heights
/// by following control from instruction to instruction.
struct RecomputedTable {
    struct Construct: Equatable {
        var kind: SideTable.Construct.Kind
        var result: ValueType?
        var opening: Int
        var `else`: Int?
        var end = 0
        var parent: Int
        /// Nil where control does not come.
        var height: Int?
        var isEndReachable = false
        var firstArmFallsThrough = false
        var branchCount = 0
    }

    struct Branch: Equatable {
        var position: Int
        var targets: [Int]
        /// Nil where control does not come.
        var height: Int?
    }

    private let module: Module
    private let body: FunctionBody
    private(set) var constructs: [Construct] = []
    private(set) var branches: [Branch] = []
    /// Operands before each instruction; nil where control does not come.
    private(set) var heights: [Int?]
    private(set) var peak = 0
    /// The innermost construct of each instruction before it acts.
    private(set) var innermost: [Int] = []
    private var openedAt: [Int: Int] = [:]
    private var branchAt: [Int: Int] = [:]
    private var pending: [Int] = []

    init(_ module: Module, body index: Int) {
        self.module = module
        body = module.bodies[index]
        heights = [Int?](repeating: nil, count: body.instructions.count)
        let type = module.functionType(UInt32(module.importedFunctionCount + index))
        nest(result: type?.results.first)
        constructs[0].height = 0
        flow(to: 0, height: 0)
        while let position = pending.popLast() { follow(position) }
        for number in constructs.indices { constructs[number].isEndReachable = heights[constructs[number].end] != nil }
    }

    private mutating func nest(result: ValueType?) {
        constructs.append(Construct(kind: .function, result: result, opening: 0, parent: 0))
        var open = [0]
        for (position, instruction) in body.instructions.enumerated() {
            innermost.append(open.last ?? 0)
            let labels: [UInt32]
            switch instruction.opcode {
            case .block, .loop, .if:
                let kinds: [Opcode: SideTable.Construct.Kind] = [.block: .block, .loop: .loop, .if: .if]
                var type: ValueType?
                if case .value(let value) = instruction.blockType { type = value }
                openedAt[position] = constructs.count
                constructs.append(
                    Construct(
                        kind: kinds[instruction.opcode]!, result: type, opening: position, parent: open.last!))
                open.append(constructs.count - 1)
                continue
            case .else:
                constructs[open.last!].else = position
                continue
            case .end:
                constructs[open.removeLast()].end = position
                continue
            case .br, .brIf: labels = [instruction.index]
            case .brTable: labels = body.branchTables[Int(instruction.index)]
            case .return: labels = [UInt32(open.count - 1)]
            default: continue
            }
            branchAt[position] = branches.count
            branches.append(Branch(position: position, targets: labels.map { open[open.count - 1 - Int($0)] }))
        }
    }

    private mutating func flow(to position: Int, height: Int) {
        peak = max(peak, height)
        if body.instructions[position].opcode == .else {
            let number = innermost[position]
            constructs[number].firstArmFallsThrough = true
            return flow(to: constructs[number].end, height: height)
        }
        if heights[position] == nil {
            heights[position] = height
            pending.append(position)
        } else {
            precondition(heights[position] == height, "two heights at \(position)")
        }
    }

    private func outer(_ number: Int) -> Int { constructs[number].height! + (constructs[number].result == nil ? 0 : 1) }

    private mutating func leave(_ position: Int, height: Int) {
        let number = branchAt[position]!
        branches[number].height = height
        for target in branches[number].targets {
            constructs[target].branchCount += 1
            if constructs[target].kind == .loop {
                flow(to: constructs[target].opening + 1, height: constructs[target].height!)
            } else {
                flow(to: constructs[target].end, height: outer(target))
            }
        }
    }

    private mutating func follow(_ position: Int) {
        let instruction = body.instructions[position]
        let height = heights[position]!
        let number = innermost[position]
        switch instruction.opcode {
        case .block, .loop:
            constructs[openedAt[position]!].height = height
            flow(to: position + 1, height: height)
        case .if:
            let opened = openedAt[position]!
            constructs[opened].height = height - 1
            flow(to: position + 1, height: height - 1)
            if let second = constructs[opened].else {
                // Not by `flow`, which takes the end of the first arm to the `end`.
                heights[second] = heights[second] ?? height - 1
                flow(to: second + 1, height: height - 1)
            } else {
                flow(to: constructs[opened].end, height: height - 1)
            }
        case .else: break
        case .end:
            if number != 0 { flow(to: position + 1, height: outer(number)) }
        case .br, .return: leave(position, height: height)
        case .brIf:
            leave(position, height: height - 1)
            flow(to: position + 1, height: height - 1)
        case .brTable: leave(position, height: height - 1)
        case .unreachable: break
        default:
            flow(to: position + 1, height: height + effect(of: instruction))
        }
    }

    private func effect(of instruction: Instruction) -> Int {
        func call(_ type: FunctionType?) -> Int { type!.results.count - type!.parameters.count }
        switch instruction.opcode {
        case .call: return call(module.functionType(instruction.index))
        case .callIndirect: return call(module.type(instruction.index)) - 1
        case .drop, .localSet, .globalSet: return -1
        case .select, .selectTyped, .tableSet: return -2
        case .localGet, .globalGet, .refNull, .refFunc: return 1
        case .localTee, .tableGet, .refIsNull: return 0
        case .tableGrow: return -1
        case .tableFill: return -3
        default:
            let types = instruction.opcode.row.types!
            return types.results.count - types.operands.count
        }
    }
}
