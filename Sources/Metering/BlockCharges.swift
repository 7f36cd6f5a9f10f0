import GasSchedule
import WasmFormat

/// Forms metered blocks and prices them, on a source body (fvm-wasm-instrument 0.4.0, `gas_metering/mod.rs`).
///
/// A call of a defined function is one instruction at the price of the 15 that pass one makes of it. This
/// gives the blocks of the instrumented body at source positions, because `unreachable`, the only place
/// where a charge could fall inside a guarded call, is free in every list.
struct BlockCharges {
    /// An open construct, or the function at the bottom.
    private struct Span {
        /// Its current block is still one with the enclosing construct's.
        var isJoined: Bool
        /// Where the charge of its current block would go.
        var start: UInt32
        /// Stack index of the outermost construct that a forward branch from inside leads to.
        var reach: Int
        var isLoop = false
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
        ofBody body: FunctionBody, function: UInt32
    ) throws(Refusal) -> (blocks: [MeteringPlan.BlockCharge], linear: [MeteringPlan.LinearCharge]) {
        self.function = function
        offset = body.offset
        blocks.removeAll(keepingCapacity: true)
        linear.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        spans.append(Span(isJoined: false, start: 0, reach: 0))
        // The value of an `i32.const` that stands immediately before, by position alone.
        var known: Int32?
        for (index, instruction) in body.instructions.enumerated() {
            let position = UInt32(truncatingIfNeeded: index)
            offset = instruction.offset
            let cost = try cost(of: instruction, at: position, after: known)
            known =
                instruction.opcode == .i32Const ? Int32(truncatingIfNeeded: instruction.bits) : nil
            try apply(instruction, costing: cost, at: position, in: body)
        }
        return (blocks.sorted { $0.position < $1.position }, linear)
    }

    private func refuse(_ rule: String) -> Refusal {
        Refusal(stage: .gas, function: function, offset: offset, rule: rule)
    }

    /// The static part of an instruction's price; records its run-time part.
    private mutating func cost(
        of instruction: Instruction, at position: UInt32, after known: Int32?
    ) throws(Refusal) -> UInt64 {
        if instruction.opcode == .call, instruction.index >= importedFunctions { return guardedCall }
        guard let price = priceByClass[Int(instruction.opcode.row.gas.rawValue)] else {
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

    private func sum(_ first: UInt64, _ second: UInt64) throws(Refusal) -> UInt64 {
        let (sum, overflow) = first.addingReportingOverflow(second)
        guard !overflow, sum <= Self.largestBlock else {
            throw refuse("a block costs more than \(Self.largestBlock) milligas")
        }
        return sum
    }

    /// Ends the current block of the innermost construct.
    private mutating func cut(at position: UInt32) throws(Refusal) {
        let last = spans.count - 1
        if spans[last].isJoined {
            spans[last - 1].sum = try sum(spans[last - 1].sum, spans[last].sum)
            spans[last].isJoined = false
        } else if spans[last].sum > 0 {
            blocks.append(
                .init(position: spans[last].start, milligas: try sum(spans[last].sum, prices.gasCharge)))
        }
        spans[last].start = position + 1
        spans[last].sum = 0
    }

    /// A branch: ends the block and notes how far out it leads. Branches to a loop lead nowhere.
    private mutating func leave(at position: UInt32, to labels: some Sequence<UInt32>) throws(Refusal) {
        try cut(at: position)
        let last = spans.count - 1
        for label in labels {
            guard Int(label) <= last else { throw refuse("unknown label \(label)") }
            let target = last - Int(label)
            if !spans[target].isLoop, target < spans[last].reach { spans[last].reach = target }
        }
    }

    private mutating func apply(
        _ instruction: Instruction, costing cost: UInt64, at position: UInt32, in body: FunctionBody
    ) throws(Refusal) {
        switch instruction.opcode {
        case .end:  // The price of `end` and `else` is never added.
            try cut(at: position)
            guard let closed = spans.popLast(), let enclosing = spans.indices.last else { return }
            spans[enclosing].reach = min(spans[enclosing].reach, closed.reach)
            if closed.reach < spans.count { try cut(at: position) }
            return
        case .else:
            try cut(at: position)
            return
        default: break
        }
        let last = spans.count - 1
        spans[last].sum = try sum(spans[last].sum, cost)
        switch instruction.opcode {
        case .block:
            spans.append(Span(isJoined: true, start: spans[last].start, reach: last + 1))
        case .if, .loop:
            spans.append(
                Span(
                    isJoined: false, start: position + 1, reach: last + 1, isLoop: instruction.opcode == .loop))
        case .br, .brIf: try leave(at: position, to: CollectionOfOne(instruction.index))
        case .brTable: try leave(at: position, to: body.branchTables[Int(instruction.index)].dropLast())
        case .return: try leave(at: position, to: CollectionOfOne(UInt32(truncatingIfNeeded: last)))
        default: break
        }
    }
}
