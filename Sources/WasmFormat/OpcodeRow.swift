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

/// Numbers of operands.
public struct StackEffect: Sendable, Hashable {
    /// Popped.
    public let takes: UInt8
    /// Pushed.
    public let gives: UInt8

    /// By how many operands the stack grows.
    public var change: Int { Int(gives) - Int(takes) }
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
    /// What it does.
    public let recipe: Recipe
    /// How many operands it takes and gives; nil for control instructions and calls.
    public let effect: StackEffect?
    /// Bytes a load or store accesses; 0 for everything else.
    public let accessWidth: UInt32
    /// Whether a narrow load extends the sign.
    public let extendsSign: Bool
    /// The stage that refuses the instruction in a function body; nil when it is accepted.
    public let refusedBy: RefusalStage?

    init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, _ gas: GasClass, _ recipe: Recipe,
        refusedBy: RefusalStage? = nil
    ) {
        self.init(opcode, name, immediates, types: nil, gas, recipe, effect: nil, refusedBy: refusedBy)
    }

    init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, _ gas: GasClass, _ recipe: Recipe,
        takes: UInt8, gives: UInt8, refusedBy: RefusalStage? = nil
    ) {
        self.init(
            opcode, name, immediates, types: nil, gas, recipe, effect: StackEffect(takes: takes, gives: gives),
            refusedBy: refusedBy)
    }

    init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, _ operands: [ValueType],
        _ results: [ValueType], _ gas: GasClass, _ recipe: Recipe, width: UInt32 = 0, signed: Bool = false
    ) {
        self.init(
            opcode, name, immediates, types: OperandTypes(operands: operands, results: results), gas, recipe,
            effect: StackEffect(takes: UInt8(operands.count), gives: UInt8(results.count)), width: width,
            signed: signed)
    }

    private init(
        _ opcode: Opcode, _ name: StaticString, _ immediates: Immediates, types: OperandTypes?, _ gas: GasClass,
        _ recipe: Recipe, effect: StackEffect?, width: UInt32 = 0, signed: Bool = false,
        refusedBy: RefusalStage? = nil
    ) {
        self.opcode = opcode
        self.name = name
        self.immediates = immediates
        self.types = types
        self.gas = gas
        self.recipe = recipe
        self.effect = effect
        self.accessWidth = width
        self.extendsSign = signed
        self.refusedBy = refusedBy
    }
}

extension OpcodeRow {
    /// The traps that the instruction itself can raise; see `Recipe.traps`.
    public var traps: TrapSet { recipe.traps }
}

/// Columns of a row that passes over bodies read at every instruction: a copy without anything to be counted.
public struct BriefRow: Sendable {
    /// How the instruction is priced.
    public let gas: GasClass
    /// What it does.
    public let recipe: Recipe
    /// As in the row.
    public let effect: StackEffect?
    /// As in the row.
    public let accessWidth: UInt32
    /// Whether the row has types.
    public let hasTypes: Bool
    /// Whether a stage refuses the instruction in bodies.
    public let isRefused: Bool
    /// Its first operands' types; of `i32` where it has fewer.
    private let first: ValueType
    private let second: ValueType
    private let third: ValueType
    /// The type of its result, if it has types and one of them.
    public let result: ValueType?

    init(_ row: OpcodeRow) {
        gas = row.gas
        recipe = row.recipe
        effect = row.effect
        accessWidth = row.accessWidth
        hasTypes = row.types != nil
        isRefused = row.refusedBy != nil
        let operands = (row.types?.operands ?? []) + [.i32, .i32, .i32]
        first = operands[0]
        second = operands[1]
        third = operands[2]
        result = row.types?.results.first
    }

    /// The type of an operand, bottom of the stack first.
    public func operand(_ index: Int) -> ValueType {
        switch index {
        case 0: first
        case 1: second
        default: third
        }
    }
}

/// The opcode table is not what it has to be: exactly one row for each opcode.
enum OpcodeTableFault: Error, Hashable {
    case missing(Opcode)
    case repeated(Opcode)
    /// More operands or results than `BriefRow` has room for.
    case tooManyTypes(Opcode)
}

extension Opcode {
    /// The row of the opcode table.
    public var row: OpcodeRow { Self.rows[Self.slot(rawValue)] }

    /// Columns of the row that are cheap to read.
    public var brief: BriefRow { Self.briefRows[Self.slot(rawValue)] }

    /// The name in the text format, `i32.add`.
    public var name: String { "\(row.name)" }

    /// What follows the opcode; a copy of the row's column that is cheap to read.
    public var immediates: Immediates { Self.immediatesBySlot[Self.slot(rawValue)] }

    private static let immediatesBySlot: [Immediates] = rows.map(\.immediates)
    private static let briefRows: [BriefRow] = rows.map(BriefRow.init)

    /// One-byte opcodes, then those with prefix 0xFC.
    private static func slot(_ code: UInt16) -> Int { code < 0x100 ? Int(code) : 0x100 + Int(code & 0xFF) }

    /// The table by slot. An opcode without a row of its own would get another's price, so there is none.
    private static let rows: [OpcodeRow] = {
        do throws(OpcodeTableFault) {
            return try bySlot(OpcodeRow.table)
        } catch {
            fatalError("opcode table: \(error)")
        }
    }()

    /// Rows by slot; slots of codes that are no `Opcode` are never read.
    static func bySlot(_ table: [OpcodeRow]) throws(OpcodeTableFault) -> [OpcodeRow] {
        var found = [OpcodeRow?](repeating: nil, count: 0x200)
        for row in table {
            guard found[slot(row.opcode.rawValue)] == nil else { throw .repeated(row.opcode) }
            if let types = row.types, types.operands.count > 3 || types.results.count > 1 {
                throw .tooManyTypes(row.opcode)
            }
            found[slot(row.opcode.rawValue)] = row
        }
        for opcode in allCases where found[slot(opcode.rawValue)] == nil { throw .missing(opcode) }
        return found.map { $0 ?? table[0] }
    }
}
