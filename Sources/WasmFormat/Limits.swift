/// Size limits of validation. Source: wasmparser 0.236 `limits.rs` as wasmtime 36 uses it; they apply to a
/// module as published and again to its instrumented form. Nothing limits the size of a function body.
public enum Limits {
    /// Entries of the type section.
    public static let types: UInt64 = 1_000_000
    /// Imported and defined functions together.
    public static let functions: UInt64 = 1_000_000
    /// Entries of the import section.
    public static let imports: UInt64 = 1_000_000
    /// Entries of the export section.
    public static let exports: UInt64 = 1_000_000
    /// Imported and defined globals together.
    public static let globals: UInt64 = 1_000_000
    /// Entries of the element section.
    public static let elementSegments: UInt64 = 100_000
    /// Entries of the data section.
    public static let dataSegments: UInt64 = 100_000
    /// Items of one element segment.
    public static let elementItems: UInt64 = 10_000_000
    /// Imported and defined tables together, in validation; the pooling allocator then has one (`poolTables`).
    public static let tables: UInt64 = 100
    /// Multi-memory is off.
    public static let memories: UInt64 = 1
    /// Parameters of a function type.
    public static let parameters: UInt64 = 1_000
    /// Multi-value is off.
    public static let results: UInt64 = 1
    /// Parameters and locals of a function together.
    public static let locals: UInt64 = 50_000
    /// Explicit labels of one `br_table`.
    public static let branchTargets: UInt64 = 131_072
    /// Bytes of a name.
    public static let nameBytes: UInt64 = 100_000
    /// Pages of a memory's minimum and maximum: 4 GiB.
    public static let memoryPages: UInt64 = 65_536
    /// The sum over imports and exports of 2 + parameters + results for a function and 1 for anything else,
    /// plus 1, stays below this.
    public static let typeSize: UInt64 = 1_000_000
    /// Bytes of a binary, ours: offsets are 32 bits. A block of the network is far smaller.
    public static let moduleBytes: UInt64 = 0xFFFF_FFFF

    /// Defined tables of an instance in the reference's pooling allocator.
    public static let poolTables: UInt64 = 1
}
