import Validator
import WasmFormat

/// Where code that keeps the gas counter in a register charges it, and where it stores it to the context.
///
/// **Charges.** The plan charges every metered block where it begins. Whether the counter is charged there or later makes
/// no difference until somebody can tell: an instruction that can trap, writes to memory, a global or a table, or
/// calls. So what is due waits, along each path, for the first of these, and is charged in one piece of known parts;
/// when gas runs out, the parts tell which of them found too little. What is due never waits where paths meet, at the
/// head of a loop, behind a branch table or for a charge by operand: one amount is due at each position, known here.
///
/// **Stores.** Whoever ends an entry or looks at the counter without being handed it (the signal handler at an access of
/// memory, the functions of the runtime) reads the context, so the counter there has to be the current one. It is
/// current behind a store and behind a call of an import, which leaves it there; it no longer is behind a charge, behind
/// a call of a function, which counts on in its register, and at the head of a loop, to which control comes from code
/// that has not been seen yet. Where paths meet it is current when it is on each of them.
///
/// One pass over plan and body, in order.
public struct CounterPlan: Sendable, Equatable {
    /// Who reads the context's counter, besides the functions of the runtime.
    public struct Readers: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Accesses of memory, whose faults a signal handler ends; with explicit checks the trap is handed the counter.
        public static let accesses = Readers(rawValue: 1)
        /// Indirect calls, where modules are linked to each other: each works on its own context's counter.
        public static let indirectCalls = Readers(rawValue: 2)
    }

    /// What is charged in one piece.
    public struct Charge: Sendable, Hashable {
        /// Charged in front of this instruction, and of a charge by operand there.
        public let position: UInt32
        /// Milligas of metered blocks, in the order in which the plan charges them; not empty, and the sum is a
        /// positive i64.
        public let parts: [UInt64]

        /// Milligas of all parts.
        public var milligas: UInt64 { parts.reduce(0, +) }
    }

    /// A call in whose place a function is lowered.
    public struct InlinedCall: Sendable, Hashable {
        /// The `call`.
        public let position: UInt32
        /// Whether the height is compared here, in front of the callee's charge: where no call that is passed on every
        /// way here has told as much, since the height is one number throughout a function.
        public let isTested: Bool
        /// Whether the callee's block is charged inside, by the callee's own plan; otherwise a charge of this plan has it.
        public let chargesItself: Bool
    }

    /// In ascending order of position.
    public let charges: [Charge]
    /// In ascending order of position.
    public let calls: [InlinedCall]
    /// Ascending: the counter is stored in front of the instruction, behind the charges that are due there.
    public let stores: [UInt32]

    init(charges: [Charge], calls: [InlinedCall] = [], stores: [UInt32]) {
        self.charges = charges
        self.calls = calls
        self.stores = stores
    }

    /// Most parts of a charge: each but the last takes two instructions where gas runs out.
    static let mostParts = 8

    /// - Parameters:
    ///   - table: the body's.
    ///   - function: in the function index space.
    ///   - importedFunctions: functions below this index are imports.
    public init(
        _ body: FunctionBody, _ table: SideTable, plan: MeteringPlan.Function, function: UInt32,
        importedFunctions: Int, inlining: Inlining, readers: Readers
    ) throws(PlanFault) {
        var pass = CounterPass(
            body, table, function: function, readers: readers, importedFunctions: importedFunctions, inlining: inlining)
        var charges = ChargeCursor(plan, function: function)
        var position = 0
        while position < body.instructions.count {
            let next = pass.reachable(from: position)
            guard next == position else {
                try charges.skip(position..<next)
                position = next
                continue
            }
            let due = try charges.passed(at: position)
            try pass.apply(position, due)
            position += 1
        }
        try charges.finish(count: body.instructions.count)
        try pass.finish()
        self.charges = pass.charges.sorted { $0.position < $1.position }
        calls = pass.calls
        stores = pass.stores
    }
}

extension CounterPlan {
    /// Of all functions that a module defines, in their order.
    public static func all(
        _ validated: ValidatedModule, plan: MeteringPlan, inlining: Inlining, readers: Readers
    ) throws(PlanFault) -> [CounterPlan] {
        let module = validated.module
        let imported = module.importedFunctionCount
        var plans: [CounterPlan] = []
        plans.reserveCapacity(module.bodies.count)
        for (position, function) in plan.functions.prefix(module.bodies.count).enumerated() {
            plans.append(
                try CounterPlan(
                    module.bodies[position], validated.sideTables[position], plan: function,
                    function: UInt32(imported + position), importedFunctions: imported, inlining: inlining,
                    readers: readers))
        }
        return plans
    }
}

extension Recipe {
    /// Whether somebody could tell that what is due in front of the instruction had not been charged: it can trap, or
    /// changes what outlives it. Of instructions that do not move control.
    var showsCharges: Bool { self == .globalSet || isService || !traps.isEmpty }
}

/// The state of the pass.
private struct CounterPass {
    /// What is known on a path.
    private struct State {
        /// Whether the context's counter is certainly the current one.
        var isCurrent = false
        /// What is due and has not been charged.
        var due: [UInt64] = []
        /// The first position where all of it is due and from which one path leads here.
        var place = 0

        /// The same behind a branch or the end of a construct.
        func from(_ place: Int) -> State { State(isCurrent: isCurrent, due: due, place: place) }
    }

    private let body: FunctionBody
    private let table: SideTable
    private let function: UInt32
    private let readers: CounterPlan.Readers
    private let importedFunctions: Int
    private let inlining: Inlining
    private var cursor = SideTable.Cursor()
    private(set) var charges: [CounterPlan.Charge] = []
    private(set) var calls: [CounterPlan.InlinedCall] = []
    private(set) var stores: [UInt32] = []
    private var state = State()
    /// Whether control comes to the instruction at hand from the one in front of it.
    private var fallsThrough = true
    /// By number of the construct: what the paths to its end have in common; nil as long as none has come.
    private var atEnd: [State?]
    /// By number of the construct: where the second arm of an `if` begins.
    private var atSecondArm: [State?]
    /// The highest cost of a callee for which the height was compared on every way here; by number of the construct,
    /// where it opens.
    private var testedCost: UInt32 = 0
    private var testedAtOpening: [UInt32]

    init(
        _ body: FunctionBody, _ table: SideTable, function: UInt32, readers: CounterPlan.Readers,
        importedFunctions: Int, inlining: Inlining
    ) {
        self.body = body
        self.table = table
        self.function = function
        self.readers = readers
        self.importedFunctions = importedFunctions
        self.inlining = inlining
        atEnd = Array(repeating: nil, count: table.constructs.count)
        atSecondArm = atEnd
        testedAtOpening = Array(repeating: 0, count: table.constructs.count)
    }

    /// `position`, or behind the unreachable code that begins there.
    mutating func reachable(from position: Int) -> Int {
        let next = cursor.reachable(from: position, in: table)
        if next != position {
            fallsThrough = false
            state = State()
        }
        return next
    }

    /// The instruction at `position`, to which control can come, and what the plan charges in front of it.
    mutating func apply(_ position: Int, _ due: ChargeCursor.Due) throws(PlanFault) {
        let instruction = body.instructions[position]
        let recipe = instruction.opcode.brief.recipe
        // Where nothing comes from in front, nobody pays what stands there.
        if fallsThrough {
            if let block = due.block { owe(block, at: position) }
            if due.perUnit != nil || showsCharges(recipe, position) { charge() }
            if due.perUnit != nil { state.isCurrent = false }
        }
        if reads(recipe, position), !state.isCurrent {
            stores.append(UInt32(truncatingIfNeeded: position))
            state.isCurrent = true
        }
        switch recipe {
        case .block: open()
        case .loop:
            open()
            state.isCurrent = false
        case .if:
            open()
            state.place = position + 1
            atSecondArm[cursor.innermost] = state
        case .else: try beginSecondArm(of: cursor.innermost, position)
        case .end: try end(cursor.close(in: table), position)
        case .branch, .branchIf, .branchTable, .return:
            for target in table.targets(of: cursor.branch(in: table)) { try leave(to: Int(target), position) }
            state.place = position + 1
            fallsThrough = recipe == .branchIf
        case .unreachable: fallsThrough = false
        case .call:
            if let callee = inlining.callee(Int(instruction.index)) {
                inline(callee, position)
            } else {
                state.isCurrent = Int(instruction.index) < importedFunctions
            }
        case .callIndirect: state.isCurrent = false
        default: break
        }
        if !fallsThrough { state = State() }
    }

    /// Nothing that was due is left over.
    func finish() throws(PlanFault) {
        guard let milligas = state.due.first else { return }
        throw fault(.leftOver(milligas: milligas), body.instructions.count)
    }

    // MARK: Charges

    /// Notes what is due; charges when it is as much as one charge takes.
    private mutating func owe(_ milligas: UInt64, at position: Int) {
        let (sum, overflow) = state.due.reduce(0, +).addingReportingOverflow(milligas)
        if overflow || sum > UInt64(Int64.max) { charge() }
        state.due.append(milligas)
        state.place = position
        if state.due.count == CounterPlan.mostParts { charge() }
    }

    private mutating func charge() {
        guard !state.due.isEmpty else { return }
        charges.append(.init(position: UInt32(truncatingIfNeeded: state.place), parts: state.due))
        state = State()
    }

    /// Whether somebody could tell that what is due before an instruction had not been charged when it is carried out,
    /// or what is due cannot be known behind it.
    private func showsCharges(_ recipe: Recipe, _ position: Int) -> Bool {
        switch recipe {
        case .loop, .branchTable, .return: true
        // What is inlined sees to it itself.
        case .call: inlining.callee(Int(body.instructions[position].index)) == nil
        case .branch, .branchIf: !isOnlyWay(to: table.lastTarget(of: cursor.nextBranch(in: table)))
        case .if:
            table.constructs[cursor.next].else == nil && !isOnlyWay(to: cursor.next)
        case .else, .end:
            table.constructs[cursor.innermost].kind != .loop && !isOnlyWay(to: cursor.innermost)
        default: recipe.showsCharges
        }
    }

    /// A call in whose place the callee is lowered: the comparison of the height, which can trap, if it is needed, the
    /// callee's charge, then what it does.
    private mutating func inline(_ callee: Inlining.Callee, _ position: Int) {
        let isTested = callee.stackCost > testedCost
        if isTested {
            charge()
            testedCost = callee.stackCost
        }
        // Between the comparison and what shows the charge there is a place inside the callee only.
        let chargesItself = isTested && callee.showsCharge && callee.milligas != nil
        calls.append(
            .init(position: UInt32(truncatingIfNeeded: position), isTested: isTested, chargesItself: chargesItself))
        if chargesItself {
            state.isCurrent = false
        } else if let milligas = callee.milligas {
            owe(milligas, at: isTested ? position + 1 : position)
        }
        if callee.showsCharge { charge() }
        // Its own plan stores the counter at its first access.
        if callee.hasAccess, readers.contains(.accesses) { state.isCurrent = true }
    }

    /// Whether one path alone leads to the end of a construct: what is due there is what is due on that path. Behind the
    /// end of the function there is no place to charge.
    private func isOnlyWay(to construct: Int) -> Bool {
        let row = table.constructs[construct]
        guard row.kind != .loop, row.kind != .function else { return false }
        var ways = row.branchCount + (fallsInto(row.end) ? 1 : 0)
        if row.kind == .if, row.else == nil || row.firstArmFallsThrough { ways += 1 }
        return ways == 1
    }

    /// Whether control comes to the instruction at `position`, which is not the first, from the one in front of it.
    private func fallsInto(_ position: Int) -> Bool {
        switch body.instructions[position - 1].opcode.brief.recipe {
        case .branch, .branchTable, .return, .unreachable: false
        default: table.isReachable(position - 1)
        }
    }

    // MARK: Stores

    /// Whether somebody reads the context's counter while the instruction is carried out.
    private func reads(_ recipe: Recipe, _ position: Int) -> Bool {
        switch recipe {
        case .load, .store: readers.contains(.accesses)
        case .memoryCopy: readers.contains(.accesses) || body.inlineCount(at: position) == nil
        case .callIndirect: readers.contains(.indirectCalls)
        // These cannot fail, and the host has no part in them.
        case .dataDrop, .elementDrop, .functionReference: false
        default: recipe.isService
        }
    }

    // MARK: Paths

    private mutating func open() {
        cursor.open()
        testedAtOpening[cursor.innermost] = testedCost
    }

    private mutating func leave(to construct: Int, _ position: Int) throws(PlanFault) {
        if table.constructs[construct].kind == .loop || !isOnlyWay(to: construct), let milligas = state.due.first {
            throw fault(.leftOver(milligas: milligas), position)
        }
        guard let other = atEnd[construct] else {
            atEnd[construct] = state
            return
        }
        atEnd[construct]?.isCurrent = state.isCurrent && other.isCurrent
    }

    private mutating func beginSecondArm(of construct: Int, _ position: Int) throws(PlanFault) {
        if fallsThrough { try leave(to: construct, position) }
        testedCost = testedAtOpening[construct]
        state = (atSecondArm[construct] ?? State()).from(position + 1)
        fallsThrough = true
    }

    private mutating func end(_ construct: Int, _ position: Int) throws(PlanFault) {
        let row = table.constructs[construct]
        testedCost = testedAtOpening[construct]
        // Nothing but what falls through reaches the end of a loop.
        guard row.kind != .loop else { return }
        if fallsThrough { try leave(to: construct, position) }
        if row.kind == .if, row.else == nil {
            state = atSecondArm[construct] ?? State()
            try leave(to: construct, position)
        }
        state = (atEnd[construct] ?? State()).from(position + 1)
        fallsThrough = true
    }

    private func fault(_ rule: PlanFault.Rule, _ position: Int) -> PlanFault {
        PlanFault(function: function, position: position, rule: rule)
    }
}
