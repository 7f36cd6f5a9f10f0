import GasSchedule
import WasmFormat

/// What the reference's pooling allocator refuses before it makes an instance (wasmtime 36,
/// `instance/allocator/pooling.rs`).
enum PoolLimits {
    static func check(
        _ module: Module, plan: MeteringPlan, limits: NetworkProfile.ExecutionLimits
    ) throws(Refusal) {
        let pages = limits.instanceMemory / WasmPrices.pageSize
        for memory in module.memories where UInt64(memory.minimum) > pages {
            throw refuse("memory has a minimum of \(memory.minimum) pages, limit \(pages)")
        }
        let tables = module.tableTypes
        guard UInt64(tables.count) <= Limits.poolTables else {
            throw refuse("\(tables.count) tables, limit \(Limits.poolTables)")
        }
        for table in module.tables where table.limits.minimum > limits.tableElements {
            throw refuse("table has a minimum of \(table.limits.minimum) elements, limit \(limits.tableElements)")
        }
        let size = InstanceLayout(module, plan: plan).size
        guard size <= InstanceLayout.limit else {
            throw refuse("instance takes \(size) bytes, limit \(InstanceLayout.limit)")
        }
    }

    private static func refuse(_ rule: String) -> Refusal { Refusal(stage: .poolLimits, rule: rule) }
}

/// Bytes the reference takes to keep an instance of the instrumented module, apart from memory and tables
/// (wasmtime 36, `Instance::alloc_layout` and `vmoffsets.rs`, 64-bit pointers).
public struct InstanceLayout {
    /// Default `core_instance_size` of the pooling allocator.
    public static let limit: UInt64 = 1 << 20
    /// What is left of it for functions and globals in a module with one memory and next to nothing else.
    public static let room = limit - 1_024

    /// The `Instance` structure.
    private static let instance: UInt64 = 160
    /// The fixed fields of its context.
    private static let fixed: UInt64 = 48
    private static let importedMemory: UInt64 = 24
    /// A pointer and the definition it points to.
    private static let definedMemory: UInt64 = 8 + 16
    public static let importedFunction: UInt64 = 24
    private static let importedTable: UInt64 = 24
    private static let importedGlobal: UInt64 = 24
    private static let definedTable: UInt64 = 16
    public static let definedGlobal: UInt64 = 16
    public static let functionReference: UInt64 = 32

    let size: UInt64

    /// Functions that can be referred to are the imports, the trampolines, and what initialisers of globals name.
    init(_ module: Module, plan: MeteringPlan) {
        let functions = UInt64(module.importedFunctionCount)
        let globals = UInt64(module.importedGlobalCount)
        let memories = UInt64(module.memoryTypes.count - module.memories.count)
        let tables = UInt64(module.tableTypes.count - module.tables.count)
        // Instrumentation imports the gas counter and defines the height counter.
        var beforeGlobals = Self.fixed
        beforeGlobals += memories * Self.importedMemory + UInt64(module.memories.count) * Self.definedMemory
        beforeGlobals += functions * Self.importedFunction + tables * Self.importedTable
        beforeGlobals += (globals + 1) * Self.importedGlobal + UInt64(module.tables.count) * Self.definedTable
        let aligned = (beforeGlobals + 15) / 16 * 16

        var named = Set<UInt32>()
        for global in module.globals {
            for instruction in global.initializer.instructions where instruction.opcode == .refFunc {
                if UInt64(instruction.index) >= functions { named.insert(instruction.index) }
            }
        }
        let trampolines = plan.trampolines.reduce(UInt64(0)) { $1 == nil ? $0 : $0 + 1 }
        let references = functions + trampolines + UInt64(named.count)
        size =
            Self.instance + aligned + UInt64(module.globals.count + 1) * Self.definedGlobal
            + references * Self.functionReference
    }
}
