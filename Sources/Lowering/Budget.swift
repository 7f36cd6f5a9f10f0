import CodeSettings
import Metering
import WasmFormat

/// What the pre-pass found in one function: figures that grow with what optimising it would cost.
public struct Estimate: Sendable, Hashable {
    /// Instructions and labels of branch tables.
    public var length: UInt64 = 0
    /// Locals assigned inside, summed over loops, `if`s and blocks: an upper bound of the phis that promoting
    /// locals to values makes.
    public var phis: UInt64 = 0
    /// Targets of `br_table`s times locals that are ever assigned.
    public var edges: UInt64 = 0
    /// Most locals that one loop assigns: values that live through it together.
    public var loopLocals: UInt64 = 0
    /// Most loops inside each other.
    public var loopDepth: UInt64 = 0
    /// Operators of the longest run without a branch or a target of one.
    public var longestBlock: UInt64 = 0
    /// Basic blocks that the lowering makes: of control, of charges, and of whatever can trap or becomes a branch.
    public var blocks: UInt64 = 0
}

/// Up to which estimates the optimising tier takes time in proportion to a module's size; the single pass takes what is
/// above.
///
/// Figures with their reason: a phi or an edge costs some 50 microseconds (LLVM 19.1), so besides a limit for one
/// function there is one in proportion to its length. Time grows with the square of a block's length, of the values that
/// a loop keeps, and of a function's blocks. Largest figures of the built-in actors (bundles v10 to v18): 20,729 phis,
/// 14,625 edges, 75 locals of a loop, a block of 6,592 operators; 27,712 basic blocks of a function, 427 for every
/// 1,000 instructions of a module.
public struct Budget: Sendable, Hashable {
    public var phis: UInt64
    public var edges: UInt64
    /// Most phis, and most edges, for every hundred of a function's length, beyond `free`.
    public var joinsPerHundred: UInt64
    /// What every function may have.
    public var free: UInt64
    public var loopLocals: UInt64
    /// Every pass that knows loops does something for each of them at each level.
    public var loopDepth: UInt64
    public var longestBlock: UInt64
    /// Blocks of one function.
    public var blocks: UInt64
    /// Blocks of a module for every 1,000 of its functions' lengths, beyond `freeBlocks`.
    public var blocksPerThousand: UInt64
    public var freeBlocks: UInt64

    public init(
        phis: UInt64, edges: UInt64, joinsPerHundred: UInt64, free: UInt64, loopLocals: UInt64, longestBlock: UInt64,
        loopDepth: UInt64 = Budget.standard.loopDepth, blocks: UInt64 = Budget.standard.blocks,
        blocksPerThousand: UInt64 = Budget.standard.blocksPerThousand,
        freeBlocks: UInt64 = Budget.standard.freeBlocks
    ) {
        self.phis = phis
        self.edges = edges
        self.joinsPerHundred = joinsPerHundred
        self.free = free
        self.loopLocals = loopLocals
        self.longestBlock = longestBlock
        self.loopDepth = loopDepth
        self.blocks = blocks
        self.blocksPerThousand = blocksPerThousand
        self.freeBlocks = freeBlocks
    }

    public static let standard = Budget(
        phis: 25_000, edges: 20_000, joinsPerHundred: 150, free: 100, loopLocals: 150, longestBlock: 8_000,
        loopDepth: 50, blocks: 40_000, blocksPerThousand: 480, freeBlocks: 2_000)

    func allows(_ estimate: Estimate) -> Bool {
        // Each counts at least a byte of a binary of less than 4 GiB: no overflow.
        let most = free + estimate.length * joinsPerHundred / 100
        return estimate.phis <= min(phis, most) && estimate.edges <= min(edges, most)
            && estimate.loopLocals <= loopLocals && estimate.loopDepth <= loopDepth
            && estimate.longestBlock <= longestBlock && estimate.blocks <= blocks
    }

    /// Whether the optimising tier compiles a module of these functions.
    func allows(_ functions: [Estimate]) -> Bool {
        let length = functions.reduce(0) { $0 + $1.length }
        let blocks = functions.reduce(0) { $0 + $1.blocks }
        return functions.allSatisfy(allows) && blocks <= freeBlocks + length * blocksPerThousand / 1_000
    }
}

/// What is known about the work that one function is before it is lowered.
struct FunctionWork {
    var estimate: Estimate
    /// Per `loop` of the body, in order, the locals assigned in it.
    var loopLocals: [[Int]]
    /// Locals that are read too often for one value. The register coalescer takes time in proportion to a value's uses
    /// for each place that computes with it, and a function of 1,000 blocks gives every block the stack pointer in
    /// memory plus a constant. Loaded from a slot once in each block, there are many short values.
    var busyLocals: Set<Int>

    init(_ body: FunctionBody, localCount: Int, charges: Int, options: LoweringOptions) {
        (estimate, loopLocals) = Estimate.make(body, localCount: localCount, charges: charges, budget: options.budget)
        busyLocals = Self.busyLocals(body, count: localCount)
    }

    private static func busyLocals(_ body: FunctionBody, count: Int) -> Set<Int> {
        let limit = 400
        guard body.instructions.count > limit else { return [] }
        var reads = [Int](repeating: 0, count: count)
        for instruction in body.instructions where instruction.opcode == .localGet {
            if Int(instruction.index) < count { reads[Int(instruction.index)] += 1 }
        }
        return Set(reads.indices.filter { reads[$0] > limit })
    }
}

/// What is known about the work that a module is, and the tier that follows: a property of the WASM and the options.
///
/// One function that exceeds the budget takes the whole module to the baseline tier: an actor of whose functions none
/// does is what people write.
struct ModuleWork {
    var functions: [FunctionWork]
    var tier: Tier
    let reserve: StackReserve

    init(_ module: WasmFormat.Module, plan: MeteringPlan?, options: LoweringOptions) {
        let imported = module.importedFunctionCount
        functions = module.bodies.enumerated().map { position, body in
            let parameters = module.functionType(UInt32(imported + position))?.parameters.count ?? 0
            var charges = 0
            if let plan, position < plan.functions.count {
                charges = plan.functions[position].blocks.count + plan.functions[position].linear.count
            }
            return FunctionWork(
                body, localCount: body.localGroups.reduce(parameters) { $0 + Int($1.count) }, charges: charges,
                options: options)
        }
        let isBounded = options.budget.allows(functions.map(\.estimate))
        // Modules that are linked to each other call with one convention.
        tier = options.tier == .optimised && (isBounded || options.linksEverything) ? .optimised : .baseline
        reserve = StackReserve(module, plan: plan, isLinked: options.linksEverything)
    }
}

extension Estimate {
    /// Estimates `body` in time linear in its length and in the figure itself, which is not followed beyond
    /// what `budget` allows. Also gives, per `loop` in order, the locals assigned in it, as far as they were followed.
    static func make(_ body: FunctionBody, localCount: Int, charges: Int, budget: Budget) -> (Estimate, loops: [[Int]])
    {
        var estimate = Estimate()
        estimate.length = UInt64(body.instructions.count)
        estimate.blocks = 4 + UInt64(charges)
        // Open constructs: the position that opened them, the loop, and the locals assigned inside so far.
        var open: [(position: Int, loop: Int?, locals: UInt64)] = []
        var loops: [[Int]] = []
        // Position after the last assignment of a local; 0 for none.
        var assigned: [Int: Int] = [:]
        var assignedLocals: UInt64 = 0
        var targets: UInt64 = 0
        var depth: UInt64 = 0
        var run: UInt64 = 0
        for (position, instruction) in body.instructions.enumerated() {
            run += 1
            estimate.blocks += Self.blocks(of: instruction.opcode)
            switch instruction.opcode {
            case .block, .loop, .if:
                let isLoop = instruction.opcode == .loop
                if isLoop {
                    depth += 1
                    estimate.loopDepth = max(estimate.loopDepth, depth)
                }
                open.append((position, isLoop ? loops.count : nil, 0))
                if isLoop { loops.append([]) }
                run = 0
            case .end:
                if open.popLast()?.loop != nil { depth -= 1 }
                run = 0
            case .else, .br, .brIf, .return, .unreachable:
                run = 0
            case .brTable:
                run = 0
                let table = Int(instruction.index)
                if table < body.branchTables.count { targets += UInt64(body.branchTables[table].count) }
            case .localSet, .localTee:
                let local = Int(instruction.index)
                guard local < localCount else { break }
                let last = assigned[local] ?? 0
                if last == 0 { assignedLocals += 1 }
                // Constructs opened before the last assignment have counted this local already.
                var index = open.count - 1
                while index >= 0, open[index].position >= last, estimate.phis <= budget.phis {
                    estimate.phis += 1
                    open[index].locals += 1
                    if let loop = open[index].loop {
                        loops[loop].append(local)
                        estimate.loopLocals = max(estimate.loopLocals, open[index].locals)
                    }
                    index -= 1
                }
                assigned[local] = position + 1
            default: break
            }
            estimate.longestBlock = max(estimate.longestBlock, run)
        }
        estimate.length += targets
        let (edges, overflow) = targets.multipliedReportingOverflow(by: max(1, assignedLocals))
        estimate.edges = overflow ? .max : edges
        return (estimate, loops)
    }

    /// Basic blocks that an instruction adds, in the bounds mode that makes more of them.
    private static func blocks(of opcode: Opcode) -> UInt64 {
        switch opcode {
        case .block, .loop, .brIf, .unreachable: 1
        case .if: 3
        case .callIndirect: 6
        case .i32DivU, .i64DivU, .i32RemU, .i64RemU, .i32RemS, .i64RemS: 2
        case .i32DivS, .i64DivS: 4
        case .i32TruncF32S, .i32TruncF32U, .i32TruncF64S, .i32TruncF64U, .i64TruncF32S, .i64TruncF32U, .i64TruncF64S,
            .i64TruncF64U:
            4
        default:
            // Results of float arithmetic are compared with themselves; checked accesses with the memory's size.
            switch opcode.row.gas {
            case .load, .store: 2
            case .math where opcode.row.types?.results.first.map { $0 == .f32 || $0 == .f64 } ?? false: 2
            default: 0
            }
        }
    }
}
