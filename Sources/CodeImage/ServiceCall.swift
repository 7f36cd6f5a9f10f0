import WasmFormat

/// How compiled code leaves an instruction to the runtime: a C function of the context, called with the context, the
/// instruction's index if it takes one, and the operands, the deepest first.
public struct ServiceCall: Hashable, Sendable {
    /// Bytes into the context, where the function's address is.
    public let place: UInt64
    /// Whether the index of a segment or function is passed in front of the operands.
    public let passesIndex: Bool
    /// Operands passed.
    public let operands: Int
    /// What it returns; an i32 comes in the low half of 64 bits.
    public let result: ValueType?

    private init(_ place: UInt64, index: Bool = false, operands: Int, result: ValueType? = nil) {
        self.place = place
        passesIndex = index
        self.operands = operands
        self.result = result
    }

    /// The service of an instruction; nil for one that compiled code does itself.
    public init?(_ recipe: Recipe) {
        switch recipe {
        case .memoryGrow: self.init(Service.memoryGrow, operands: 1, result: .i32)
        case .memoryFill: self.init(Service.memoryFill, operands: 3)
        case .memoryCopy: self.init(Service.memoryCopy, operands: 3)
        case .memoryInit: self.init(Service.memoryInit, index: true, operands: 3)
        case .dataDrop: self.init(Service.dataDrop, index: true, operands: 0)
        case .tableGet: self.init(Service.tableGet, operands: 1, result: .funcref)
        case .tableSet: self.init(Service.tableSet, operands: 2)
        case .tableGrow: self.init(Service.tableGrow, operands: 2, result: .i32)
        case .tableFill: self.init(Service.tableFill, operands: 3)
        case .tableCopy: self.init(Service.tableCopy, operands: 3)
        case .tableInit: self.init(Service.tableInit, index: true, operands: 3)
        case .elementDrop: self.init(Service.elementDrop, index: true, operands: 0)
        case .functionReference: self.init(Service.referenceFunction, index: true, operands: 0, result: .funcref)
        default: return nil
        }
    }
}
