import TestSupport
import WasmFormat

/// What bodies can refer to: everything of a module but its code.
struct ModuleShape {
    struct Global {
        var type: ValueType
        var isMutable: Bool
    }

    var types: [FunctionType] = []
    /// Type indices of imported functions, then of defined ones.
    var functions: [Int] = []
    var importCount = 0
    /// Pages at the start and at most; nil for no memory.
    var memory: (minimum: Int, maximum: Int?)?
    /// Elements at the start and at most; nil for no table.
    var table: (minimum: Int, maximum: Int?)?
    var globals: [Global] = []
    /// Bytes of each data segment.
    var dataSizes: [Int] = []
    /// Items of each element segment.
    var elementSizes: [Int] = []
    /// Function that each table element refers to at the start, where known.
    var slots: [Int: Int] = [:]

    var memoryBytes: Int { (memory?.minimum ?? 0) * 65_536 }

    func type(of function: Int) -> FunctionType { types[functions[function]] }

    mutating func typeIndex(_ type: FunctionType) -> Int {
        if let known = types.firstIndex(of: type) { return known }
        types.append(type)
        return types.count - 1
    }
}

extension FunctionType {
    /// Whether a host without references can call it.
    var isNumeric: Bool { !(parameters + results).contains(.funcref) }
    var hasFloats: Bool { (parameters + results).contains { $0 == .f32 || $0 == .f64 } }
    var encoded: [UInt8] { WasmBytes.functionType(parameters.map(\.rawValue), results.map(\.rawValue)) }
}
