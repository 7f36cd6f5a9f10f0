import GasSchedule
import WasmFormat

/// What one instruction costs, in milligas.
enum InstructionPrice: Hashable {
    case fixed(UInt64)
    /// Base, and an amount per page, byte or element of the topmost operand.
    case linear(base: UInt64, unit: UInt64)
}

extension WasmPrices {
    /// Composes a price as ref-fvm's `WasmGasPrices::instruction_cost` does; nil when there is none.
    func price(of gas: GasClass) -> InstructionPrice? {
        switch gas {
        case .free: .fixed(0)
        case .instruction: .fixed(instruction)
        case .math: .fixed(math)
        case .jumpUnconditional: .fixed(jumpUnconditional)
        case .jumpConditional: .fixed(jumpConditional)
        case .branchTable: .fixed(jumpIndirect.addingSaturating(memoryAccess))
        case .call: .fixed(callPrice)
        case .callIndirect: .fixed(jumpIndirect.addingSaturating(memoryAccess).addingSaturating(call))
        case .load: .fixed(instruction.addingSaturating(memoryAccess))
        case .store: .fixed(instruction.addingSaturating(memoryFillBase))
        case .memoryGrow: linear(instruction.addingSaturating(memoryFillBase), memoryGrowPerPage)
        case .memoryFill: linear(instruction.addingSaturating(memoryFillBase), memoryFillPerByte)
        case .memoryCopy: linear(instruction.addingSaturating(memoryAccess), memoryCopyPerByte)
        case .tableFill: linear(instruction.addingSaturating(memoryFillBase), tableFillPerElement)
        case .tableCopy: linear(instruction.addingSaturating(memoryAccess), tableCopyPerElement)
        case .refused: nil
        }
    }

    /// An amount per unit of zero makes the instruction one of fixed price.
    private func linear(_ base: UInt64, _ unit: UInt64) -> InstructionPrice {
        unit == 0 ? .fixed(base) : .linear(base: base, unit: unit)
    }

    private var callPrice: UInt64 { jumpUnconditional.addingSaturating(call) }

    /// What an instruction costs apart from its units, in milligas; nil when it has no price. A call of a defined
    /// function costs `guardedCall` instead.
    public func base(of opcode: Opcode) -> UInt64? {
        switch price(of: opcode.row.gas) {
        case .fixed(let cost)?: cost
        case .linear(let base, _)?: base.addingSaturating(gasCharge).addingSaturating(linearCalculation)
        case nil: nil
        }
    }

    /// What each page, byte or element of the topmost operand adds, in milligas; 0 where the price is fixed.
    public func perUnit(of opcode: Opcode) -> UInt64 {
        if case .linear(_, let unit)? = price(of: opcode.row.gas) { unit } else { 0 }
    }

    /// The 15 instructions that pass one makes of a call: the height raised (`global.get`, `i32.const`,
    /// `i32.add`, `global.set`), compared (`global.get`, `i32.const`, `i32.gt_u`, `if`, `unreachable`, `end`),
    /// the call, and the height lowered (as raised, with `i32.sub`).
    public var guardedCall: UInt64 {
        instruction.multipliedSaturating(by: 8)
            .addingSaturating(math.multipliedSaturating(by: 3))
            .addingSaturating(jumpConditional)
            .addingSaturating(callPrice)
    }

    /// A trampoline: one `local.get` per parameter and the guarded call.
    public func trampoline(parameters: Int) -> UInt64 {
        instruction.multipliedSaturating(by: UInt64(parameters)).addingSaturating(guardedCall)
    }
}
