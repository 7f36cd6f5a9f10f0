import CActorRuntime
import Metering

/// Where the fields of the runtime's structures are, in bytes, taken from the C header itself.
public enum ContextLayout {
    /// Fields of `smelt_rt_context`.
    public static let memoryBase = offset(\smelt_rt_context.memory_base)
    public static let memoryBytes = offset(\smelt_rt_context.memory_bytes)
    public static let gas = offset(\smelt_rt_context.gas)
    public static let globals = offset(\smelt_rt_context.globals)
    public static let table = offset(\smelt_rt_context.table)
    public static let raise = offset(\smelt_rt_context.raise)

    /// A field of `smelt_rt_table`.
    public static let tableElements = offset(\smelt_rt_table.elements)
    public static let tableSize = offset(\smelt_rt_table.size)

    /// A field of `smelt_rt_funcref`, and the record's size.
    public static let referenceCode = offset(\smelt_rt_funcref.code)
    public static let referenceContext = offset(\smelt_rt_funcref.context)
    public static let referenceType = offset(\smelt_rt_funcref.type_id)
    public static let referenceSize = MemoryLayout<smelt_rt_funcref>.stride

    /// The offset of a stored field of an imported C struct; every one has one.
    public static func offset<Root, Field>(_ path: KeyPath<Root, Field>) -> UInt64 {
        guard let offset = MemoryLayout<Root>.offset(of: path) else {
            preconditionFailure("fields of C structs are stored")
        }
        return UInt64(offset)
    }
}

/// The services of the context that compiled code calls, as places in it.
public enum Service {
    public static let callImport = ContextLayout.offset(\smelt_rt_context.call_import)
    public static let memoryGrow = ContextLayout.offset(\smelt_rt_context.memory_grow)
    public static let memoryFill = ContextLayout.offset(\smelt_rt_context.memory_fill)
    public static let memoryCopy = ContextLayout.offset(\smelt_rt_context.memory_copy)
    public static let memoryInit = ContextLayout.offset(\smelt_rt_context.memory_init)
    public static let dataDrop = ContextLayout.offset(\smelt_rt_context.data_drop)
    public static let tableInit = ContextLayout.offset(\smelt_rt_context.table_init)
    public static let tableCopy = ContextLayout.offset(\smelt_rt_context.table_copy)
    public static let tableFill = ContextLayout.offset(\smelt_rt_context.table_fill)
    public static let tableGrow = ContextLayout.offset(\smelt_rt_context.table_grow)
    public static let elementDrop = ContextLayout.offset(\smelt_rt_context.elem_drop)
    public static let referenceFunction = ContextLayout.offset(\smelt_rt_context.ref_func)
    public static let tableGet = ContextLayout.offset(\smelt_rt_context.table_get)
    public static let tableSet = ContextLayout.offset(\smelt_rt_context.table_set)
}

/// What stands for the stack in the internal convention: the counted height in the low half, the units reserved in
/// the high half, which stays zero where the height alone decides.
public enum StackPair {
    /// The largest pair whose reserve is within the budget. No carry reaches the high half: heights are at most the
    /// limit when a cost is added, and both are far below 2^31.
    public static let largest = UInt64(StackReserve.budgetUnits) << 32 | UInt64(UInt32.max)
}
