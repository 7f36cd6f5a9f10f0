import Validator
import WasmFormat

/// Where code that keeps the gas counter in a register stores it to the context.
///
/// Whoever ends an entry or looks at the counter without being handed it (the signal handler at an access of memory,
/// the functions of the runtime) reads the context, so the counter there has to be the current one. It is current
/// behind a store and behind a call of an import, which leaves it there; it no longer is behind a charge, behind a call
/// of a function, which counts on in its register, and at the head of a loop, to which control comes from code that
/// has not been seen yet. Where paths meet it is current when it is on each of them. This pass goes over plan and body
/// in order and gives the positions that need a store, and no others.
public struct CounterStores: Sendable, Equatable {
    /// Who reads the context's counter, besides the functions of the runtime.
    public struct Readers: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Accesses of memory, whose faults a signal handler ends; with explicit checks the trap is handed the counter.
        public static let accesses = Readers(rawValue: 1)
        /// Indirect calls, where modules are linked to each other: each works on its own context's counter.
        public static let indirectCalls = Readers(rawValue: 2)
    }

    /// Ascending: the counter is stored in front of the instruction, behind the charges that are due there.
    public let positions: [UInt32]

    /// - Parameters:
    ///   - table: the body's.
    ///   - function: in the function index space.
    ///   - importedFunctions: functions below this index are imports.
    public init(
        _ body: FunctionBody, _ table: SideTable, plan: MeteringPlan.Function, function: UInt32,
        importedFunctions: Int, readers: Readers
    ) throws(PlanFault) {
        var pass = CounterPass(table, readers: readers, importedFunctions: importedFunctions)
        var charges = ChargeCursor(plan, function: function)
        var position = 0
        while position < body.instructions.count {
            let next = pass.cursor.reachable(from: position, in: table)
            guard next == position else {
                try charges.skip(position..<next)
                position = next
                pass.fallsThrough = false
                continue
            }
            if charges.hasCharge(at: position) {
                try charges.skip(position..<position + 1)
                pass.isCurrent = false
            }
            pass.apply(body, position)
            position += 1
        }
        try charges.finish(count: body.instructions.count)
        positions = pass.positions
    }
}

/// The state of the pass.
private struct CounterPass {
    private let table: SideTable
    private let readers: CounterStores.Readers
    private let importedFunctions: Int
    var cursor = SideTable.Cursor()
    private(set) var positions: [UInt32] = []
    /// Whether the context's counter is certainly the current one.
    var isCurrent = false
    /// Whether control comes to the instruction at hand from the one in front of it.
    var fallsThrough = true
    /// By number of the construct: `isCurrent` on every path to its end so far, and where its second arm begins.
    private var atEnd: [Bool]
    private var atSecondArm: [Bool]

    init(_ table: SideTable, readers: CounterStores.Readers, importedFunctions: Int) {
        self.table = table
        self.readers = readers
        self.importedFunctions = importedFunctions
        atEnd = Array(repeating: true, count: table.constructs.count)
        atSecondArm = atEnd
    }

    mutating func apply(_ body: FunctionBody, _ position: Int) {
        let instruction = body.instructions[position]
        let recipe = instruction.opcode.brief.recipe
        if reads(recipe, body, position), !isCurrent {
            positions.append(UInt32(truncatingIfNeeded: position))
            isCurrent = true
        }
        switch recipe {
        case .block: cursor.open()
        case .loop:
            cursor.open()
            isCurrent = false
        case .if:
            cursor.open()
            atSecondArm[cursor.innermost] = isCurrent
        case .else: beginSecondArm(of: cursor.innermost)
        case .end: end(cursor.close(in: table))
        case .branch, .branchIf, .branchTable, .return:
            for target in table.targets(of: cursor.branch(in: table)) { leave(to: Int(target)) }
            fallsThrough = recipe == .branchIf
        case .unreachable: fallsThrough = false
        case .call: isCurrent = Int(instruction.index) < importedFunctions
        case .callIndirect: isCurrent = false
        default: break
        }
    }

    /// Whether somebody reads the context's counter while the instruction is carried out.
    private func reads(_ recipe: Recipe, _ body: FunctionBody, _ position: Int) -> Bool {
        switch recipe {
        case .load, .store: readers.contains(.accesses)
        case .memoryCopy: readers.contains(.accesses) || body.inlineCount(at: position) == nil
        case .callIndirect: readers.contains(.indirectCalls)
        // These cannot fail, and the host has no part in them.
        case .dataDrop, .elementDrop, .functionReference: false
        default: recipe.isService
        }
    }

    private mutating func leave(to construct: Int) {
        if !isCurrent { atEnd[construct] = false }
    }

    private mutating func beginSecondArm(of construct: Int) {
        if fallsThrough { leave(to: construct) }
        isCurrent = atSecondArm[construct]
        fallsThrough = true
    }

    private mutating func end(_ construct: Int) {
        let row = table.constructs[construct]
        // Nothing but what falls through reaches the end of a loop.
        guard row.kind != .loop else { return }
        if fallsThrough { leave(to: construct) }
        if row.kind == .if, row.else == nil, !atSecondArm[construct] { atEnd[construct] = false }
        isCurrent = atEnd[construct]
        fallsThrough = true
    }
}
