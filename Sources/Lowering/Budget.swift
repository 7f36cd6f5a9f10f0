import WasmFormat

/// What the pre-pass found in one function: figures that grow with what optimising it would cost.
public struct Estimate: Sendable, Hashable {
    /// Locals assigned inside, summed over loops, `if`s and blocks: an upper bound of the phis that promoting
    /// locals to values makes.
    public var phis: UInt64 = 0
    /// Targets of `br_table`s times locals that are ever assigned.
    public var edges: UInt64 = 0
    /// Operators of the longest run without a branch or a target of one.
    public var longestBlock: UInt64 = 0
}

/// Above which estimates a function is compiled without optimisation. Measured (LLVM 19.1): functions below the
/// limits take time about linear in their size; the largest figures of the built-in actors are well below them.
public struct Budget: Sendable, Hashable {
    public var phis: UInt64
    public var edges: UInt64
    public var longestBlock: UInt64

    public init(phis: UInt64, edges: UInt64, longestBlock: UInt64) {
        self.phis = phis
        self.edges = edges
        self.longestBlock = longestBlock
    }

    public static let standard = Budget(phis: 100_000, edges: 100_000, longestBlock: 20_000)

    func allows(_ estimate: Estimate) -> Bool {
        estimate.phis <= phis && estimate.edges <= edges && estimate.longestBlock <= longestBlock
    }
}

extension Estimate {
    /// Estimates `body` in time linear in its length and in the figure itself, which is not followed beyond
    /// what `budget` allows.
    static func make(_ body: FunctionBody, localCount: Int, budget: Budget) -> Estimate {
        var estimate = Estimate()
        // Open constructs, by the position that opened them.
        var open: [Int] = []
        // Position after the last assignment of a local; 0 for none.
        var assigned = [Int](repeating: 0, count: localCount)
        var assignedLocals: UInt64 = 0
        var targets: UInt64 = 0
        var run: UInt64 = 0
        for (position, instruction) in body.instructions.enumerated() {
            run += 1
            switch instruction.opcode {
            case .block, .loop, .if:
                open.append(position)
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
                while index >= 0, open[index] >= assigned[local], estimate.phis <= budget.phis {
                    estimate.phis += 1
                    index -= 1
                }
                assigned[local] = position + 1
            default: break
            }
            estimate.longestBlock = max(estimate.longestBlock, run)
        }
        let (edges, overflow) = targets.multipliedReportingOverflow(by: max(1, assignedLocals))
        estimate.edges = overflow ? .max : edges
        return estimate
    }
}
