/// The part of a price list that compiled code depends on: prices of instructions, in milligas.
///
/// Parameters are those of ref-fvm's `WasmGasPrices`; what an instruction costs is composed from them by
/// `Metering`. All price lists from nv18 to nv28 have the same values, so one object serves them all.
public struct WasmPrices: Sendable, Hashable {
    /// Every instruction without a class of its own: constants, locals, globals, `select`, sizes.
    public var instruction: UInt64
    /// Numeric instructions.
    public var math: UInt64
    /// `br`, and the jump part of `call`.
    public var jumpUnconditional: UInt64
    /// `if` and `br_if`.
    public var jumpConditional: UInt64
    /// `br_table` and the jump part of `call_indirect`.
    public var jumpIndirect: UInt64
    /// Added to the jump of `call` and `call_indirect`.
    public var call: UInt64
    /// Added to loads, `table.get`, copies, inits, `br_table` and `call_indirect`.
    public var memoryAccess: UInt64
    /// Added to stores, `table.set`, fills and grows.
    public var memoryFillBase: UInt64
    /// Per byte of `memory.copy`/`memory.init`; a table element counts `tableElementSize` bytes.
    public var memoryCopyPerByte: UInt64
    /// Per byte of `memory.fill`/`memory.grow` and of initial memory and tables.
    public var memoryFillPerByte: UInt64
    /// Q: added to every reported block, and to the block of an instruction that is priced at run time.
    public var gasCharge: UInt64
    /// K: added to the block of an instruction that is priced at run time.
    public var linearCalculation: UInt64

    public init(
        instruction: UInt64, math: UInt64, jumpUnconditional: UInt64, jumpConditional: UInt64, jumpIndirect: UInt64,
        call: UInt64, memoryAccess: UInt64, memoryFillBase: UInt64, memoryCopyPerByte: UInt64,
        memoryFillPerByte: UInt64, gasCharge: UInt64, linearCalculation: UInt64
    ) {
        self.instruction = instruction
        self.math = math
        self.jumpUnconditional = jumpUnconditional
        self.jumpConditional = jumpConditional
        self.jumpIndirect = jumpIndirect
        self.call = call
        self.memoryAccess = memoryAccess
        self.memoryFillBase = memoryFillBase
        self.memoryCopyPerByte = memoryCopyPerByte
        self.memoryFillPerByte = memoryFillPerByte
        self.gasCharge = gasCharge
        self.linearCalculation = linearCalculation
    }

    /// Bytes a table element counts as (ref-fvm `TABLE_ELEMENT_SIZE`).
    public static let tableElementSize: UInt64 = 8
    /// Bytes of a WebAssembly page.
    public static let pageSize: UInt64 = 65_536

    /// The prices of hygge, watermelon and teep (nv18 to nv28).
    public static let fvm = WasmPrices(
        instruction: 4_000, math: 4_000, jumpUnconditional: 4_000, jumpConditional: 4_000, jumpIndirect: 4_000,
        call: 0, memoryAccess: 0, memoryFillBase: 0, memoryCopyPerByte: 400, memoryFillPerByte: 400,
        gasCharge: 0, linearCalculation: 0)
}

extension WasmPrices {
    /// Per page of `memory.grow`.
    public var memoryGrowPerPage: UInt64 { memoryFillPerByte.multipliedSaturating(by: Self.pageSize) }
    /// Per element of `table.grow` and `table.fill`.
    public var tableFillPerElement: UInt64 { memoryFillPerByte.multipliedSaturating(by: Self.tableElementSize) }
    /// Per element of `table.copy` and `table.init`.
    public var tableCopyPerElement: UInt64 { memoryCopyPerByte.multipliedSaturating(by: Self.tableElementSize) }

    /// Every parameter in declaration order, for digests of the compile key.
    public var parameters: [(name: String, milligas: UInt64)] {
        [
            ("instruction", instruction), ("math", math), ("jump-unconditional", jumpUnconditional),
            ("jump-conditional", jumpConditional), ("jump-indirect", jumpIndirect), ("call", call),
            ("memory-access", memoryAccess), ("memory-fill-base", memoryFillBase),
            ("memory-copy-per-byte", memoryCopyPerByte), ("memory-fill-per-byte", memoryFillPerByte),
            ("gas-charge", gasCharge), ("linear-calculation", linearCalculation),
        ]
    }
}
