import CActorRuntime

/// Where the fields of the runtime's structures are, in bytes, taken from the C header itself.
enum ContextLayout {
    /// Fields of `smelt_rt_context`.
    static let memoryBase = offset(\smelt_rt_context.memory_base)
    static let memoryBytes = offset(\smelt_rt_context.memory_bytes)
    static let gas = offset(\smelt_rt_context.gas)
    static let globals = offset(\smelt_rt_context.globals)
    static let table = offset(\smelt_rt_context.table)
    static let raise = offset(\smelt_rt_context.raise)

    /// A field of `smelt_rt_table`.
    static let tableElements = offset(\smelt_rt_table.elements)
    static let tableSize = offset(\smelt_rt_table.size)

    /// A field of `smelt_rt_funcref`, and the record's size.
    static let referenceCode = offset(\smelt_rt_funcref.code)
    static let referenceContext = offset(\smelt_rt_funcref.context)
    static let referenceType = offset(\smelt_rt_funcref.type_id)
    static let referenceSize = MemoryLayout<smelt_rt_funcref>.stride

    /// The offset of a stored field of an imported C struct; every one has one.
    static func offset<Root, Field>(_ path: KeyPath<Root, Field>) -> UInt64 {
        guard let offset = MemoryLayout<Root>.offset(of: path) else {
            preconditionFailure("fields of C structs are stored")
        }
        return UInt64(offset)
    }
}

/// The services of the context that compiled code calls, as places in it.
enum Service {
    static let callImport = ContextLayout.offset(\smelt_rt_context.call_import)
    static let memoryGrow = ContextLayout.offset(\smelt_rt_context.memory_grow)
    static let memoryFill = ContextLayout.offset(\smelt_rt_context.memory_fill)
    static let memoryCopy = ContextLayout.offset(\smelt_rt_context.memory_copy)
    static let memoryInit = ContextLayout.offset(\smelt_rt_context.memory_init)
    static let dataDrop = ContextLayout.offset(\smelt_rt_context.data_drop)
    static let tableInit = ContextLayout.offset(\smelt_rt_context.table_init)
    static let tableCopy = ContextLayout.offset(\smelt_rt_context.table_copy)
    static let tableFill = ContextLayout.offset(\smelt_rt_context.table_fill)
    static let tableGrow = ContextLayout.offset(\smelt_rt_context.table_grow)
    static let elementDrop = ContextLayout.offset(\smelt_rt_context.elem_drop)
    static let referenceFunction = ContextLayout.offset(\smelt_rt_context.ref_func)
    static let tableGet = ContextLayout.offset(\smelt_rt_context.table_get)
    static let tableSet = ContextLayout.offset(\smelt_rt_context.table_set)
}
