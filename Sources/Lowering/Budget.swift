import CodeSettings
import Metering
import Validator
import WasmFormat

/// What the pre-pass found in one function: figures that grow with what optimising it would cost.
public struct Estimate: Sendable, Hashable {
    /// Instructions that can be reached and labels of branch tables.
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

    /// Of whoever tests the optimising tier and must get it, whatever the module.
    public static let unlimited = Budget(
        phis: .max, edges: .max, joinsPerHundred: 0, free: .max, loopLocals: .max, longestBlock: .max, loopDepth: .max,
        blocks: .max, blocksPerThousand: 0, freeBlocks: .max)

    func allows(_ estimate: Estimate) -> Bool {
        // Each counts at least a byte of a binary of less than 4 GiB: no overflow.
        let most = free + estimate.length * joinsPerHundred / 100
        return estimate.phis <= min(phis, most) && estimate.edges <= min(edges, most)
            && estimate.loopLocals <= loopLocals && estimate.loopDepth <= loopDepth
            && estimate.longestBlock <= longestBlock && estimate.blocks <= blocks
    }

    /// Whether the optimising tier compiles a module of these functions.
    ///
    /// - Parameter around: blocks' worth of what is made around the functions.
    func allows(_ functions: [Estimate], around: UInt64) -> Bool {
        let length = functions.reduce(0) { $0 + $1.length }
        let blocks = functions.reduce(around) { $0 + $1.blocks }
        return functions.allSatisfy(allows) && blocks <= freeBlocks + length * blocksPerThousand / 1_000
    }
}

/// What is known about one function before it is lowered.
struct FunctionWork {
    let table: SideTable
    var estimate: Estimate
    /// Where the counter is charged and stored; nil without metering, and where it is in the context all the time.
    let counter: CounterPlan?
    /// Locals that are read too often for one value. The register coalescer takes time in proportion to a value's uses
    /// for each place that computes with it, and a function of 1,000 blocks gives every block the stack pointer in
    /// memory plus a constant. Loaded from a slot once in each block, there are many short values.
    var busyLocals: Set<Int> = []

    /// - Parameters:
    ///   - localCount: parameters and declared locals.
    ///   - charges: by operand, for this function.
    init(
        _ body: FunctionBody, _ table: SideTable, localCount: Int, counter: CounterPlan? = nil, charges: Int = 0,
        options: LoweringOptions, inlining: Inlining
    ) {
        self.table = table
        self.counter = counter
        var survey = Survey(table, budget: options.budget)
        survey.estimate.blocks = Estimate.fixedBlocks + UInt64(charges) + (counter?.blocks ?? 0)
        // What has fewer instructions has no local with more reads.
        let counts = body.instructions.count > Self.busyReads
        var reads = [Int](repeating: 0, count: counts ? localCount : 0)
        survey.go(through: body, inlining) { local in
            if counts, Int(local) < localCount { reads[Int(local)] += 1 }
        }
        estimate = survey.estimate
        busyLocals = Set(reads.indices.filter { reads[$0] > Self.busyReads })
    }

    private static let busyReads = 400
}

/// What is known about the work that a module is, and the tier that follows: a property of the WASM and the options.
///
/// One function that exceeds the budget takes the whole module to the baseline tier: an actor of whose functions none
/// does is what people write.
struct ModuleWork {
    var functions: [FunctionWork]
    var tier: Tier
    let reserve: StackReserve
    let inlining: Inlining
    /// What the thunks, entries and constants around the functions cost, as so many blocks.
    let around: UInt64
    /// Elements of the module's own table where nothing changes it once code runs: no instruction, and nobody it is
    /// exported to.
    let fixedTableSize: UInt32?

    init(_ validated: ValidatedModule, plan: MeteringPlan?, options: LoweringOptions) throws(LoweringError) {
        let module = validated.module
        let imported = module.importedFunctionCount
        let reserve = StackReserve(module, plan: plan, isLinked: options.linksEverything)
        let inlining = Inlining(module, plan: plan, reserve: reserve)
        var counters: [CounterPlan] = []
        if let plan, options.tier == .optimised {
            do {
                counters = try CounterPlan.all(
                    validated, plan: plan, inlining: inlining, readers: options.counterReaders)
            } catch { throw LoweringError(error) }
        }
        functions = module.bodies.enumerated().map { position, body in
            let parameters = module.functionType(UInt32(imported + position))?.parameters.count ?? 0
            let isPlanned = counters.indices.contains(position)
            return FunctionWork(
                body, validated.sideTables[position],
                localCount: body.localGroups.reduce(parameters) { $0 + Int($1.count) },
                counter: isPlanned ? counters[position] : nil,
                charges: isPlanned ? plan?.functions[position].linear.count ?? 0 : 0,
                options: options, inlining: inlining)
        }
        around = Self.around(module, plan: plan)
        fixedTableSize = options.linksEverything ? nil : Self.fixedTableSize(module)
        let isBounded = options.budget.allows(functions.map(\.estimate), around: around)
        // Modules that are linked to each other call with one convention.
        tier = options.tier == .optimised && (isBounded || options.linksEverything) ? .optimised : .baseline
        self.reserve = reserve
        self.inlining = inlining
    }

    /// Nobody but other modules has a use for an exported table, and only modules that are linked to each other meet
    /// there.
    private static func fixedTableSize(_ module: Module) -> UInt32? {
        guard module.tables.count == 1, module.tableTypes.count == 1 else { return nil }
        let changes = module.bodies.contains { body in
            body.instructions.contains { $0.opcode.brief.recipe.changesTable }
        }
        return changes ? nil : UInt32(truncatingIfNeeded: module.tables[0].limits.minimum)
    }

    /// A thunk for each imported function, an entry through tables for each that has something to do there, two from
    /// the host for each export; a function of a few instructions costs what its fixed blocks say. And the constants
    /// that the descriptor refers to: names and signatures of imports and exports, and the segments.
    private static func around(_ module: Module, plan: MeteringPlan?) -> UInt64 {
        let imported = module.importedFunctionCount
        let entries = plan?.trampolines.dropFirst(imported).count { $0 != nil } ?? 0
        let exported = module.exports.count { $0.kind == .function }
        let constants = 3 * module.imports.count + 2 * module.exports.count + module.data.count + module.elements.count
        return Estimate.fixedBlocks * UInt64(imported + entries + 2 * exported) + UInt64(constants)
    }
}

/// The one walk through a body from which all that is known of it before lowering comes. It goes by the side table, so
/// only what is lowered counts.
private struct Survey {
    var estimate = Estimate()
    private let table: SideTable
    private let budget: Budget
    private var cursor = SideTable.Cursor()
    /// By number of the construct: loops open inside it, itself included, and locals assigned in it so far.
    private var loops: [UInt64]
    private var locals: [UInt64]
    private var nextAssignment = 0
    /// Targets of branch tables.
    private var targets: UInt64 = 0
    /// Instructions since the last border of a block.
    private var run: UInt64 = 0

    init(_ table: SideTable, budget: Budget) {
        self.table = table
        self.budget = budget
        loops = Array(repeating: 0, count: table.constructs.count)
        locals = loops
    }

    /// Takes time linear in the body's length and in the figure of phis, which is not followed beyond the budget.
    ///
    /// - Parameter read: told the local of each `local.get`.
    mutating func go(through body: FunctionBody, _ inlining: Inlining, read: (UInt32) -> Void) {
        var position = 0
        while position < body.instructions.count {
            let next = cursor.reachable(from: position, in: table)
            guard next == position else {
                position = next
                run = 0
                continue
            }
            let instruction = body.instructions[position]
            let recipe = instruction.opcode.brief.recipe
            if recipe == .localGet { read(instruction.index) }
            if recipe == .call, let size = inlining.size(of: Int(instruction.index)) {
                estimate.length += size.length
                estimate.blocks += size.blocks
                run += size.length
            }
            apply(recipe)
            position += 1
        }
        estimate.length += targets
        let (edges, overflow) = targets.multipliedReportingOverflow(by: UInt64(max(1, table.assignedLocals.count)))
        estimate.edges = overflow ? .max : edges
    }

    private mutating func apply(_ recipe: Recipe) {
        estimate.length += 1
        estimate.blocks += recipe.blocks
        run += 1
        estimate.longestBlock = max(estimate.longestBlock, run)
        switch recipe {
        case .block, .loop, .if: open()
        case .end: _ = cursor.close(in: table)
        case .branch, .branchIf, .return: _ = cursor.branch(in: table)
        case .branchTable: targets += UInt64(table.targets(of: cursor.branch(in: table)).count)
        case .localSet, .localTee: assign()
        default: break
        }
        if recipe.endsBlock { run = 0 }
    }

    private mutating func open() {
        let around = loops[cursor.innermost]
        cursor.open()
        let isLoop = table.constructs[cursor.innermost].kind == .loop
        loops[cursor.innermost] = around + (isLoop ? 1 : 0)
        estimate.loopDepth = max(estimate.loopDepth, loops[cursor.innermost])
    }

    private mutating func assign() {
        // Constructs opened before the last assignment have counted this local already.
        let last = table.previousAssignment(of: table.assignments[nextAssignment]) ?? -1
        nextAssignment += 1
        var construct = cursor.innermost
        while construct != 0, table.constructs[construct].opening > last, estimate.phis <= budget.phis {
            estimate.phis += 1
            locals[construct] += 1
            if table.constructs[construct].kind == .loop {
                estimate.loopLocals = max(estimate.loopLocals, locals[construct])
            }
            construct = table.constructs[construct].parent
        }
    }
}

extension CounterPlan {
    /// Basic blocks that charges make: what follows each, and where one of several parts is divided again.
    fileprivate var blocks: UInt64 { charges.reduce(0) { $0 + ($1.parts.count > 1 ? 2 : 1) } }
}

extension Estimate {
    /// Blocks that every function has: its entry, the test of the stack, and its end.
    static let fixedBlocks: UInt64 = 4
}

extension Recipe {
    /// Whether a basic block ends at the instruction.
    fileprivate var endsBlock: Bool {
        switch self {
        case .unreachable, .block, .loop, .if, .else, .end, .branch, .branchIf, .branchTable, .return: true
        default: false
        }
    }

    /// Whether the instruction can change a table's elements or their number.
    fileprivate var changesTable: Bool {
        switch self {
        case .tableSet, .tableGrow, .tableFill, .tableCopy, .tableInit: true
        default: false
        }
    }

    /// Basic blocks that the instruction adds, in the bounds mode that makes more of them.
    var blocks: UInt64 {
        switch self {
        case .unreachable, .block, .loop, .branchIf: 1
        case .if: 3
        // The test for a trap: the one that raises it, and the rest; of a NaN that becomes canonical, the same.
        default: 2 * UInt64(testedTraps.count) + (canonicalizes ? 2 : 0)
        }
    }
}
