import WasmFormat

/// The index spaces of a module, laid out for lookup.
final class ModuleContext {
    let module: Module
    let importedFunctions: Int
    let importedGlobals: Int
    /// Type index of every function.
    let functionTypes: [UInt32]
    let globalTypes: [GlobalType]
    let tableTypes: [TableType]
    let memoryTypes: [SizeLimits]
    /// Functions that occur outside bodies, which `ref.func` may name (core spec 3.4.10, `refs`).
    let referencedFunctions: Set<UInt32>

    init(_ module: Module, globalTypes: [GlobalType]? = nil) {
        self.module = module
        importedFunctions = module.importedFunctionCount
        importedGlobals = module.importedGlobalCount
        functionTypes = module.functionTypeIndices
        self.globalTypes = globalTypes ?? module.globalTypes
        tableTypes = module.tableTypes
        memoryTypes = module.memoryTypes
        var referenced = Set<UInt32>()
        for export in module.exports where export.kind == .function { referenced.insert(export.index) }
        for global in module.globals { Self.collect(global.initializer, into: &referenced) }
        for segment in module.elements {
            switch segment.items {
            case .functions(let items): referenced.formUnion(items)
            case .expressions(let items): for item in items { Self.collect(item, into: &referenced) }
            }
        }
        referencedFunctions = referenced
    }

    private static func collect(_ expression: ConstantExpression, into referenced: inout Set<UInt32>) {
        for instruction in expression.instructions where instruction.opcode == .refFunc {
            referenced.insert(instruction.index)
        }
    }

    /// The type of a function; nil when the function or its type does not exist.
    func functionType(_ index: UInt32) -> FunctionType? {
        Int(index) < functionTypes.count ? module.type(functionTypes[Int(index)]) : nil
    }
}
