import GasSchedule
import Validator
import WasmFormat

/// Forms metered blocks and prices them, on a source body (fvm-wasm-instrument 0.4.0, `gas_metering/mod.rs`).
///
/// A call of a defined function is one instruction at the price of the 15 that pass one makes of it. This
/// gives the blocks of the instrumented body at source positions, because `unreachable`, the only place
/// where a charge could fall inside a guarded call, is free in every list.
struct BlockCharges {
    /// What is gathered for a construct.
    private struct Span {
        /// Its current block is still one with the enclosing construct's.
        var isJoined: Bool
        /// Where the charge of its current block would go.
        var start: UInt32
        /// The outermost construct that a forward branch from inside leads to.
        var reach: Int
        /// Milligas gathered since the last cut.
        var sum: UInt64 = 0
    }

    /// The instrumentation writes an amount per unit as a positive i32 and a block's sum as a positive i64.
    private static let largestUnit = UInt64(Int32.max)
    private static let largestBlock = UInt64(Int64.max)

    private let prices: WasmPrices
    private let importedFunctions: UInt32
    /// By raw value of the gas class.
    private let priceByClass: [InstructionPrice?]
    private let guardedCall: UInt64
    private var function: UInt32 = 0
    private var offset: UInt32 = 0
    private var cursor = SideTable.Cursor()
    /// By number of the construct, those opened so far; enclosing constructs have lower numbers.
    private var spans: [Span] = []
    private var blocks: [MeteringPlan.BlockCharge] = []
    private var linear: [MeteringPlan.LinearCharge] = []

    init(prices: WasmPrices, importedFunctions: Int) {
        self.prices = prices
        self.importedFunctions = UInt32(truncatingIfNeeded: importedFunctions)
        priceByClass = GasClass.allCases.map { prices.price(of: $0) }
        guardedCall = prices.guardedCall
    }

    /// Blocks and run-time charges of one body, both in ascending order of position.
    mutating func charges(
        ofBody body: FunctionBody, _ table: SideTable, function: UInt32
    ) throws(ChargeError) -> (blocks: [MeteringPlan.BlockCharge], linear: [MeteringPlan.LinearCharge]) {
        self.function = function
        offset = body.offset
        blocks.removeAll(keepingCapacity: true)
        linear.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        spans.append(Span(isJoined: false, start: 0, reach: 0))
        cursor = SideTable.Cursor()
        // The value of an `i32.const` that stands immediately before, by position alone.
        var known: Int32?
        for (index, instruction) in body.instructions.enumerated() {
            let position = UInt32(truncatingIfNeeded: index)
            offset = instruction.offset
            let cost = try cost(of: instruction, at: position, after: known)
            known =
                instruction.opcode == .i32Const ? Int32(truncatingIfNeeded: instruction.bits) : nil
            try apply(instruction, costing: cost, at: position, table)
        }
        let leftOver = spans.reduce(UInt64(0)) { $0.addingReportingOverflow($1.sum).partialValue }
        guard leftOver == 0 else {
            throw .fault(
                PlanFault(
                    function: function, position: body.instructions.count, rule: .leftOver(milligas: leftOver)))
        }
        return (blocks.sorted { $0.position < $1.position }, linear)
    }

    private func refuse(_ rule: String) -> ChargeError {
        .refused(Refusal(stage: .gas, function: function, offset: offset, rule: rule))
    }

    /// The static part of an instruction's price; records its run-time part.
    private mutating func cost(
        of instruction: Instruction, at position: UInt32, after known: Int32?
    ) throws(ChargeError) -> UInt64 {
        if instruction.opcode == .call, instruction.index >= importedFunctions { return guardedCall }
        guard let price = priceByClass[Int(instruction.opcode.brief.gas.rawValue)] else {
            throw refuse("\(instruction.opcode.name) has no price")
        }
        switch price {
        case .fixed(let cost): return cost
        case .linear(let base, let unit):
            guard unit <= Self.largestUnit else { throw refuse("\(unit) milligas per unit, limit \(Self.largestUnit)") }
            guard let known else {
                linear.append(.init(position: position, milligasPerUnit: unit))
                return try sum(base, sum(prices.gasCharge, prices.linearCalculation))
            }
            guard known >= 0 else {
                throw refuse("\(instruction.opcode.name) after the negative constant \(known)")
            }
            return try sum(base, UInt64(known) * unit)
        }
    }

    private func sum(_ first: UInt64, _ second: UInt64) throws(ChargeError) -> UInt64 {
        let (sum, overflow) = first.addingReportingOverflow(second)
        guard !overflow, sum <= Self.largestBlock else {
            throw refuse("a block costs more than \(Self.largestBlock) milligas")
        }
        return sum
    }

    /// Ends the current block of the innermost construct.
    private mutating func cut(at position: UInt32, _ table: SideTable) throws(ChargeError) {
        let top = cursor.innermost
        if spans[top].isJoined {
            let enclosing = table.constructs[top].parent
            spans[enclosing].sum = try sum(spans[enclosing].sum, spans[top].sum)
            spans[top].isJoined = false
        } else if spans[top].sum > 0 {
            blocks.append(
                .init(position: spans[top].start, milligas: try sum(spans[top].sum, prices.gasCharge)))
        }
        spans[top].start = position + 1
        spans[top].sum = 0
    }

    /// A branch: ends the block and notes how far out it leads. Branches to a loop lead nowhere.
    private mutating func leave(
        at position: UInt32, _ table: SideTable, countsLastTarget: Bool = true
    ) throws(ChargeError) {
        try cut(at: position, table)
        let top = cursor.innermost
        let targets = table.targets(of: cursor.branch(in: table))
        for target in countsLastTarget ? targets : targets.dropLast() {
            let target = Int(target)
            if target < spans[top].reach, table.constructs[target].kind != .loop { spans[top].reach = target }
        }
    }

    private mutating func apply(
        _ instruction: Instruction, costing cost: UInt64, at position: UInt32, _ table: SideTable
    ) throws(ChargeError) {
        switch instruction.opcode {
        case .end:  // The price of `end` and `else` is never added.
            try cut(at: position, table)
            let closed = cursor.close(in: table)
            guard closed != 0 else { return }
            let enclosing = cursor.innermost
            let reach = spans[closed].reach
            spans[enclosing].reach = min(spans[enclosing].reach, reach)
            if reach < closed { try cut(at: position, table) }
            return
        case .else:
            try cut(at: position, table)
            return
        default: break
        }
        let top = cursor.innermost
        spans[top].sum = try sum(spans[top].sum, cost)
        switch instruction.opcode {
        case .block: open(Span(isJoined: true, start: spans[top].start, reach: spans.count))
        case .if, .loop: open(Span(isJoined: false, start: position + 1, reach: spans.count))
        case .br, .brIf, .return: try leave(at: position, table)
        case .brTable: try leave(at: position, table, countsLastTarget: false)
        default: break
        }
    }

    private mutating func open(_ span: Span) {
        cursor.open()
        spans.append(span)
    }
}
