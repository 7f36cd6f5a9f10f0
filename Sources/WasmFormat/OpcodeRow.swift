/// What follows an opcode in the binary, and what the numbers mean.
public enum Immediates: UInt8, Sendable, Hashable {
    case none
    case blockType
    case label
    case branchTable
    case function
    /// Type, then table (`call_indirect`).
    case typeAndTable
    case local
    case global
    case table
    case element
    /// Element segment, then table (`table.init`).
    case elementAndTable
    /// Destination, then source (`table.copy`).
    case twoTables
    case data
    /// Data segment, then memory (`memory.init`).
    case dataAndMemory
    case memory
    /// Destination, then source (`memory.copy`).
    case twoMemories
    /// One byte that has to be zero (`memory.size`, `memory.grow`).
    case zeroByte
    /// Alignment exponent and offset.
    case memoryArgument
    case i32
    case i64
    case f32
    case f64
    case referenceType
    /// A vector of value types (`select` with types).
    case selectTypes
}

/// How an instruction is priced; `Metering` composes amounts of `WasmPrices` from it.
public enum GasClass: UInt8, Sendable, Hashable, CaseIterable {
    case free
    case instruction
    case math
    case jumpUnconditional
    case jumpConditional
    case branchTable
    case call
    case callIndirect
    case load
    case store
    /// The linear classes: base and an amount per page, byte or element of the topmost operand.
    case memoryGrow
    case memoryFill
    case memoryCopy
    case tableFill
    case tableCopy
    /// No price; the stack limiter refuses the instruction before prices are looked at.
    case refused

    /// Whether the price depends on the topmost operand.
    public var isLinear: Bool {
        switch self {
        case .memoryGrow, .memoryFill, .memoryCopy, .tableFill, .tableCopy: true
        default: false
        }
    }
}

/// Operand and result types, bottom of the stack first.
public struct OperandTypes: Sendable, Hashable {
    /// Popped, the last one first.
    public let operands: [ValueType]
    /// Pushed.
    public let results: [ValueType]
}

/// Everything that is fixed about one instruction.
public struct OpcodeRow: Sendable {
    /// The instruction.
    public let opcode: Opcode
    /// The name in the text format.
    public let name: StaticString
    /// What follows the opcode.
    public let immediates: Immediates
    /// Nil where the types depend on immediates or on the place in the body.
    public let types: OperandTypes?
    /// How it is priced.
    public let gas: GasClass
    /// Bytes a load or store accesses; 0 for everything else.
    public let accessWidth: UInt32
    /// Whether a narrow load extends the sign.
    public let extendsSign: Bool
    /// The stage that refuses the instruction in a function body; nil when it is accepted.
    public let refusedBy: RefusalStage?

    init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, _ gas: GasClass,
        refusedBy: RefusalStage? = nil
    ) {
        self.init(opcode, name, immediates, types: nil, gas, refusedBy: refusedBy)
    }

    init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, _ operands: [ValueType],
        _ results: [ValueType], _ gas: GasClass, width: UInt32 = 0, signed: Bool = false
    ) {
        self.init(
            opcode, name, immediates, types: OperandTypes(operands: operands, results: results), gas, width: width,
            signed: signed)
    }

    private init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, types: OperandTypes?, _ gas: GasClass,
        width: UInt32 = 0, signed: Bool = false, refusedBy: RefusalStage? = nil
    ) {
        self.opcode = opcode
        self.name = name
        self.immediates = immediates
        self.types = types
        self.gas = gas
        self.accessWidth = width
        self.extendsSign = signed
        self.refusedBy = refusedBy
    }
}

extension Opcode {
    /// The row of the opcode table.
    public var row: OpcodeRow { Self.rows[Self.slot(rawValue)] }

    /// The name in the text format, `i32.add`.
    public var name: String { "\(row.name)" }

    /// What follows the opcode; a copy of the row's column that decoding reads without touching the row.
    var immediates: Immediates { Self.immediatesBySlot[Self.slot(rawValue)] }

    private static let immediatesBySlot: [Immediates] = rows.map(\.immediates)

    /// One-byte opcodes, then those with prefix 0xFC.
    private static func slot(_ code: UInt16) -> Int { code < 0x100 ? Int(code) : 0x100 + Int(code & 0xFF) }

    /// The table by slot; slots of codes that are no `Opcode` are never read.
    private static let rows: [OpcodeRow] = {
        var rows = [OpcodeRow](repeating: OpcodeRow.table[0], count: 0x200)
        for row in OpcodeRow.table { rows[slot(row.opcode.rawValue)] = row }
        return rows
    }()
}
