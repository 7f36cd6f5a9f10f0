import WasmFormat

/// The charges of a function in the order of its body, for whoever goes through it. No charge gets lost: each comes at
/// its instruction, is passed over together with unreachable code, or is a `PlanFault`.
public struct ChargeCursor {
    /// What is due before an instruction.
    public struct Due: Hashable, Sendable {
        /// Milligas of the metered block that begins here; charged first.
        public var block: UInt64?
        /// Milligas for each unit of the topmost i32, unsigned.
        public var perUnit: UInt64?

        public init(block: UInt64? = nil, perUnit: UInt64? = nil) {
            self.block = block
            self.perUnit = perUnit
        }
    }

    private let plan: MeteringPlan.Function
    private let function: UInt32
    private var nextBlock = 0
    private var nextLinear = 0

    /// - Parameter function: in the function index space, for faults.
    public init(_ plan: MeteringPlan.Function, function: UInt32) {
        self.plan = plan
        self.function = function
    }

    /// What is due before the instruction at `position`, each instruction after the one before.
    ///
    /// - Parameter operands: on the stack inside the innermost construct.
    public mutating func due(
        at position: Int, before opcode: Opcode, operands: Int
    ) throws(PlanFault) -> Due {
        let due = try passed(at: position)
        if due.perUnit != nil {
            guard opcode.brief.gas.isLinear else { throw fault(.withoutUnits(instruction: opcode.name), position) }
            guard operands > 0 else { throw fault(.withoutOperand(instruction: opcode.name), position) }
        }
        return due
    }

    /// The same for whoever does not know the stack.
    mutating func passed(at position: Int) throws(PlanFault) -> Due {
        var due = Due()
        if nextBlock < plan.blocks.count, Int(plan.blocks[nextBlock].position) <= position {
            guard Int(plan.blocks[nextBlock].position) == position else { throw fault(.misplaced, position) }
            due.block = plan.blocks[nextBlock].milligas
            nextBlock += 1
        }
        if nextLinear < plan.linear.count, Int(plan.linear[nextLinear].position) <= position {
            guard Int(plan.linear[nextLinear].position) == position else { throw fault(.misplaced, position) }
            due.perUnit = plan.linear[nextLinear].milligasPerUnit
            nextLinear += 1
        }
        return due
    }

    /// Whether something will be due before the instruction at `position`.
    public func hasCharge(at position: Int) -> Bool {
        (nextBlock < plan.blocks.count && Int(plan.blocks[nextBlock].position) == position)
            || (nextLinear < plan.linear.count && Int(plan.linear[nextLinear].position) == position)
    }

    /// Passes over what stands in unreachable code, which nobody ever pays.
    public mutating func skip(_ positions: Range<Int>) throws(PlanFault) {
        while nextBlock < plan.blocks.count, Int(plan.blocks[nextBlock].position) < positions.upperBound {
            let position = Int(plan.blocks[nextBlock].position)
            guard positions.contains(position), nextBlock == 0 || Int(plan.blocks[nextBlock - 1].position) < position
            else { throw fault(.misplaced, position) }
            nextBlock += 1
        }
        while nextLinear < plan.linear.count, Int(plan.linear[nextLinear].position) < positions.upperBound {
            let position = Int(plan.linear[nextLinear].position)
            guard positions.contains(position), nextLinear == 0 || Int(plan.linear[nextLinear - 1].position) < position
            else { throw fault(.misplaced, position) }
            nextLinear += 1
        }
    }

    /// Says that the body, which has `count` instructions, is over.
    public func finish(count: Int) throws(PlanFault) {
        if nextBlock < plan.blocks.count {
            throw fault(.leftOver(milligas: plan.blocks[nextBlock].milligas), count)
        }
        if nextLinear < plan.linear.count {
            throw fault(.leftOver(milligas: plan.linear[nextLinear].milligasPerUnit), count)
        }
    }

    private func fault(_ rule: PlanFault.Rule, _ position: Int) -> PlanFault {
        PlanFault(function: function, position: position, rule: rule)
    }
}
