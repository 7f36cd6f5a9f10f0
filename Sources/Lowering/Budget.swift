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
    /// Operators of the longest run without a branch or a target of one.
    public var longestBlock: UInt64 = 0
}

/// Above which estimates a function is compiled without optimisation.
///
/// A phi or an edge costs some 50 microseconds (LLVM 19.1), so besides a limit for one function there is one in
/// proportion to its length: a module of many small bombs is no cheaper than one big one. Time grows with the
/// square of a block's length and of the number of values that a loop keeps. Largest figures of the built-in
/// actors (bundles v10 to v18): 20,729 phis, 14,625 edges, 75 locals of a loop, a block of 6,592 operators.
public struct Budget: Sendable, Hashable {
    public var phis: UInt64
    public var edges: UInt64
    /// Most phis, and most edges, for every hundred of a function's length, beyond `free`.
    public var joinsPerHundred: UInt64
    /// What every function may have.
    public var free: UInt64
    public var loopLocals: UInt64
    public var longestBlock: UInt64

    public init(
        phis: UInt64, edges: UInt64, joinsPerHundred: UInt64, free: UInt64, loopLocals: UInt64, longestBlock: UInt64
    ) {
        self.phis = phis
        self.edges = edges
        self.joinsPerHundred = joinsPerHundred
        self.free = free
        self.loopLocals = loopLocals
        self.longestBlock = longestBlock
    }

    public static let standard = Budget(
        phis: 25_000, edges: 20_000, joinsPerHundred: 150, free: 100, loopLocals: 150, longestBlock: 8_000)

    func allows(_ estimate: Estimate) -> Bool {
        // Each counts at least a byte of a binary of less than 4 GiB: no overflow.
        let most = free + estimate.length * joinsPerHundred / 100
        return estimate.phis <= min(phis, most) && estimate.edges <= min(edges, most)
            && estimate.loopLocals <= loopLocals && estimate.longestBlock <= longestBlock
    }
}

extension Estimate {
    /// Estimates `body` in time linear in its length and in the figure itself, which is not followed beyond
    /// what `budget` allows. Also gives, per `loop` in order, the locals assigned in it, as far as they were followed.
    static func make(_ body: FunctionBody, localCount: Int, budget: Budget) -> (Estimate, loops: [[Int]]) {
        var estimate = Estimate()
        estimate.length = UInt64(body.instructions.count)
        // Open constructs: the position that opened them, the loop, and the locals assigned inside so far.
        var open: [(position: Int, loop: Int?, locals: UInt64)] = []
        var loops: [[Int]] = []
        // Position after the last assignment of a local; 0 for none.
        var assigned = [Int](repeating: 0, count: localCount)
        var assignedLocals: UInt64 = 0
        var targets: UInt64 = 0
        var run: UInt64 = 0
        for (position, instruction) in body.instructions.enumerated() {
            run += 1
            switch instruction.opcode {
            case .block, .loop, .if:
                let isLoop = instruction.opcode == .loop
                open.append((position, isLoop ? loops.count : nil, 0))
                if isLoop { loops.append([]) }
                run = 0
            case .end:
                _ = open.popLast()
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
                if assigned[local] == 0 { assignedLocals += 1 }
                // Constructs opened before the last assignment have counted this local already.
                var index = open.count - 1
                while index >= 0, open[index].position >= assigned[local], estimate.phis <= budget.phis {
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
}
