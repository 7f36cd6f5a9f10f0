import CActorRuntime
import WasmFormat

/// Checks `smelt_module` and every table it reaches: each word is what its field says, a pointer that leads to the
/// right part of this object or a number that loading does not touch, and each number that the runtime uses as an
/// index, a length or a choice is one it knows. So a reader of the loaded tables never leaves them.
struct DescriptorCheck {
    private var reader: DescriptorReader
    private let base: UInt64
    private let size: UInt64
    private var text: (start: UInt64, end: UInt64) = (0, 0)
    /// Of the index spaces: functions and globals with the imported ones, tables and memories.
    private var functionCount: UInt64 = 0
    private var globalCount: UInt64 = 0
    private var tableCount: UInt64 = 0
    private var memoryCount: UInt64 = 0
    private var importedFunctions: UInt64 = 0

    private typealias Descriptor = smelt_module_descriptor
    private typealias Import = smelt_rt_import
    private typealias Export = smelt_rt_export
    private typealias Function = smelt_rt_function
    private typealias Data = smelt_rt_data_segment
    private typealias Elements = smelt_rt_element_segment
    private typealias Global = smelt_rt_global

    init(_ file: ElfFile, _ policy: ElfPolicy) {
        reader = DescriptorReader(file, policy)
        base = policy.moduleAddress
        size = policy.moduleSize
    }

    /// - Parameter manifest: what has to say the same version; nil for an object without one.
    /// - Returns: false when the layout of the object's major version is not known here: it is only described, never run.
    /// - Throws: `.descriptor` or `.version`.
    mutating func run(_ manifest: Manifest?) throws(ArtifactError) -> Bool {
        guard size >= UInt64(MemoryLayout<Descriptor>.size) else {
            throw refuse(base, "has \(size) bytes, less than the descriptor's")
        }
        let magic: UInt64 = try reader.number(base, \Descriptor.magic)
        let major: UInt32 = try reader.number(base, \Descriptor.abi_major)
        let minor: UInt32 = try reader.number(base, \Descriptor.abi_minor)
        let stated: UInt32 = try reader.number(base, \Descriptor.struct_size)
        guard magic == SMELT_RT_MAGIC else { throw refuse(base, "magic number is \(hexText(magic))") }
        if let inputs = manifest?.inputs, major != inputs.abiMajor || minor != inputs.abiMinor {
            throw ArtifactError(
                .version, SMELT_MODULE_SYMBOL, at: reader.offset(base),
                "runtime interface \(major).\(minor), the manifest says \(inputs.abiMajor).\(inputs.abiMinor)")
        }
        guard major == UInt32(SMELT_RT_ABI_MAJOR) else { return false }
        guard UInt64(stated) == size, size >= UInt64(MemoryLayout<Descriptor>.size) else {
            throw refuse(base, "says it has \(stated) bytes, the symbol has \(size)")
        }
        try reader.structure(base, size, SMELT_MODULE_SYMBOL)
        try checkText()
        try checkNumbers()
        try checkImports()
        try checkFunctions()
        try checkExports()
        try checkGlobals()
        try checkSegments()
        if let start = try reader.pointer(base, \Descriptor.start) { try checkCode(start, 1, "start function") }
        try reader.finish()
        return true
    }

    private mutating func checkText() throws(ArtifactError) {
        guard let start = try reader.pointer(base, \Descriptor.text_start),
            let end = try reader.pointer(base, \Descriptor.text_end), start <= end,
            let load = reader.file.load(containing: start, size: end - start),
            load.flags & Elf.SegmentFlag.execute != 0
        else { throw refuse(base, "has no text range in this object's code") }
        text = (start, end)
    }

    private mutating func checkNumbers() throws(ArtifactError) {
        let flags: UInt32 = try reader.number(base, \Descriptor.flags)
        guard flags & ~SMELT_RT_CHECKS_BOUNDS.rawValue == 0 else {
            throw refuse(base, "has unknown flags \(hexText(flags))")
        }
        let hasMemory: UInt32 = try reader.number(base, \Descriptor.has_memory)
        let hasTable: UInt32 = try reader.number(base, \Descriptor.has_table)
        let memory: (UInt32, UInt32) = (
            try reader.number(base, \Descriptor.memory_minimum), try reader.number(base, \Descriptor.memory_maximum)
        )
        let table: (UInt32, UInt32) = (
            try reader.number(base, \Descriptor.table_minimum), try reader.number(base, \Descriptor.table_maximum)
        )
        guard hasMemory <= 1, hasTable <= 1, hasMemory == 0 || memory.0 <= min(memory.1, UInt32(Limits.memoryPages)),
            hasTable == 0 || table.0 <= table.1
        else { throw refuse(base, "has a memory or a table that cannot be") }
        let stack: UInt64 = try reader.number(base, \Descriptor.stack_bytes)
        guard stack <= 2 * UInt64(SMELT_RT_ENTRY_STACK) else {
            throw refuse(base, "wants \(stack) bytes of stack, more than an entry has")
        }
        memoryCount = UInt64(hasMemory)
        tableCount = UInt64(hasTable)
        functionCount = try reader.number(base, \Descriptor.function_count)
        globalCount = try reader.number(base, \Descriptor.global_count)
    }

    private mutating func checkImports() throws(ArtifactError) {
        for row in try rows(\Descriptor.imports, \Descriptor.import_count, Import.self) {
            let moduleLength: UInt32 = try reader.number(row, \Import.module_length)
            let nameLength: UInt32 = try reader.number(row, \Import.name_length)
            try reader.bytes(at: \Import.module, of: row, UInt64(moduleLength), "import module")
            try reader.bytes(at: \Import.name, of: row, UInt64(nameLength), "import name")
            let signature = try reader.pointer(row, \Import.signature)
            let kind: UInt32 = try reader.number(row, \Import.kind)
            let reserved: UInt32 = try reader.number(row, \Import.reserved)
            guard reserved == 0 else { throw reader.refuse("import", row, "says something that is not known here") }
            _ = try reader.number(row, \Import.minimum) as UInt32
            _ = try reader.number(row, \Import.maximum) as UInt32
            switch smelt_rt_external_kind(rawValue: kind) {
            case SMELT_RT_FUNCTION:
                importedFunctions += 1
                try checkSignature(signature, row)
            case SMELT_RT_GLOBAL:
                try reader.bytes(signature, 2, "global type", row)
                guard let offset = signature.flatMap({ reader.file.fileOffset(ofAddress: $0, size: 2) }),
                    ValueType(rawValue: reader.file.bytes[Int(offset)]) != nil,
                    reader.file.bytes[Int(offset) + 1] <= 1
                else { throw reader.refuse("global type", row, "is none") }
            case SMELT_RT_TABLE, SMELT_RT_MEMORY:
                guard signature == nil else { throw reader.refuse("import", row, "has a type that says nothing") }
                if kind == SMELT_RT_TABLE.rawValue { tableCount += 1 } else { memoryCount += 1 }
            default: throw reader.refuse("import", row, "is of unknown kind \(kind)")
            }
        }
    }

    private mutating func checkFunctions() throws(ArtifactError) {
        var index: UInt64 = 0
        for row in try rows(\Descriptor.functions, \Descriptor.function_count, Function.self) {
            guard let entry = try reader.pointer(row, \Function.table_entry) else {
                throw reader.refuse("function", row, "has no table entry")
            }
            try checkCode(entry, 1, "table entry")
            let length: UInt64 = try reader.number(row, \Function.code_length)
            _ = try reader.number(row, \Function.type_id) as UInt64
            let code = try reader.pointer(row, \Function.code)
            guard (code == nil) == (index < importedFunctions), (code == nil) == (length == 0) else {
                throw reader.refuse("function", row, "has code where it is imported, or none where it is not")
            }
            if let code { try checkCode(code, length, "function") }
            index += 1
        }
        guard functionCount >= importedFunctions else { throw refuse(base, "imports more functions than it has") }
    }

    private mutating func checkExports() throws(ArtifactError) {
        for row in try rows(\Descriptor.exports, \Descriptor.export_count, Export.self) {
            let length: UInt32 = try reader.number(row, \Export.name_length)
            try reader.bytes(at: \Export.name, of: row, UInt64(length), "export name")
            let kind: UInt32 = try reader.number(row, \Export.kind)
            let index: UInt32 = try reader.number(row, \Export.index)
            let reserved: UInt32 = try reader.number(row, \Export.reserved)
            let signature = try reader.pointer(row, \Export.signature)
            let entry = try reader.pointer(row, \Export.entry)
            let typed = try reader.pointer(row, \Export.typed)
            let counts = [functionCount, tableCount, memoryCount, globalCount]
            guard kind < 4, UInt64(index) < counts[Int(kind)], reserved == 0 else {
                throw reader.refuse("export", row, "kind \(kind), index \(index) is nothing the module has")
            }
            guard kind == SMELT_RT_FUNCTION.rawValue else {
                guard signature == nil, entry == nil, typed == nil else {
                    throw reader.refuse("export", row, "has code and is no function")
                }
                continue
            }
            try checkSignature(signature, row)
            guard let entry, let typed else { throw reader.refuse("export", row, "has no entry") }
            try checkCode(entry, 1, "export entry")
            try checkCode(typed, 1, "export entry")
        }
    }

    private mutating func checkGlobals() throws(ArtifactError) {
        var index: UInt64 = 0
        for row in try plainRows(\Descriptor.globals, \Descriptor.global_count, Global.self) {
            let type: UInt8 = try reader.number(row, \Global.type)
            let isMutable: UInt8 = try reader.number(row, \Global.is_mutable)
            let isImported: UInt8 = try reader.number(row, \Global.is_imported)
            let initial: UInt8 = try reader.number(row, \Global.`init`)
            let from: UInt32 = try reader.number(row, \Global.from_global)
            let value: UInt64 = try reader.number(row, \Global.value)
            let isKnown: Bool =
                switch smelt_rt_global_init(rawValue: UInt32(initial)) {
                case SMELT_RT_INIT_GLOBAL: (1...max(1, index)).contains(UInt64(from)) && index > 0 && value == 0
                case SMELT_RT_INIT_FUNCTION: from == 0 && value < functionCount
                case SMELT_RT_INIT_NULL: from == 0 && value == 0
                case SMELT_RT_INIT_CONSTANT: from == 0
                default: false
                }
            guard ValueType(rawValue: type) != nil, isMutable <= 1, isImported <= 1, isKnown else {
                throw reader.refuse("global", row, "has an unknown type or initial value")
            }
            index += 1
        }
    }

    private mutating func checkSegments() throws(ArtifactError) {
        for row in try rows(\Descriptor.data, \Descriptor.data_count, Data.self) {
            let length: UInt64 = try reader.number(row, \Data.length)
            try reader.bytes(at: \Data.bytes, of: row, length, "data segment")
            _ = try reader.number(row, \Data.offset) as UInt32
            let mode: UInt32 = try reader.number(row, \Data.mode)
            let global: UInt32 = try reader.number(row, \Data.offset_global)
            let reserved: UInt32 = try reader.number(row, \Data.reserved)
            guard mode <= SMELT_RT_PASSIVE.rawValue, UInt64(global) <= globalCount, reserved == 0 else {
                throw reader.refuse("data segment", row, "is of unknown mode \(mode) or without its place")
            }
        }
        for row in try rows(\Descriptor.elements, \Descriptor.element_count, Elements.self) {
            let length: UInt64 = try reader.number(row, \Elements.length)
            let (size, overflow) = length.multipliedReportingOverflow(by: 4)
            guard !overflow else { throw reader.refuse("element segment", row, "has too many elements") }
            let items = try reader.pointer(row, \Elements.functions)
            try reader.bytes(items, size, "element segment", row)
            _ = try reader.number(row, \Elements.offset) as UInt32
            let mode: UInt32 = try reader.number(row, \Elements.mode)
            let global: UInt32 = try reader.number(row, \Elements.offset_global)
            let reserved: UInt32 = try reader.number(row, \Elements.reserved)
            guard mode <= SMELT_RT_DECLARATIVE.rawValue, UInt64(global) <= globalCount, reserved == 0,
                (items ?? 0) % 4 == 0
            else { throw reader.refuse("element segment", row, "is of unknown mode \(mode) or without its place") }
            try checkItems(items, length, row)
        }
    }

    private func checkItems(_ start: UInt64?, _ count: UInt64, _ row: UInt64) throws(ArtifactError) {
        guard let start, let offset = reader.file.fileOffset(ofAddress: start, size: 4 * count) else { return }
        for index in 0..<count {
            let item: UInt32 = try reader.file.bytes.load(at: offset + 4 * index, "element segment")
            let isGlobal =
                item & SMELT_RT_ELEMENT_GLOBAL != 0 && UInt64(item & ~SMELT_RT_ELEMENT_GLOBAL) < globalCount
            guard item == SMELT_RT_NONE || UInt64(item) < functionCount || isGlobal else {
                throw reader.refuse("element segment", row, "item \(index) is no function and no global")
            }
        }
    }

    // MARK: Parts

    private func refuse(_ address: UInt64, _ reason: String) -> ArtifactError {
        reader.refuse(SMELT_MODULE_SYMBOL, address, reason)
    }

    /// The addresses of a table's rows. A table is null exactly when it has none.
    private mutating func rows<Row, T>(
        _ field: KeyPath<Descriptor, T>, _ count: KeyPath<Descriptor, UInt64>, _ type: Row.Type
    ) throws(ArtifactError) -> [UInt64] {
        let count: UInt64 = try reader.number(base, count)
        let stride = UInt64(MemoryLayout<Row>.stride)
        let start = try reader.pointer(base, field)
        guard let start, count > 0 else {
            guard start == nil, count == 0 else { throw refuse(base, "a table of \(count) rows is not there") }
            return []
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: stride)
        guard !overflow, reader.file.fileOffset(ofAddress: start, size: bytes) != nil else {
            throw refuse(base, "a table of \(count) rows is not in the file")
        }
        try reader.structure(start, bytes, "table")
        return (0..<count).map { start + $0 * stride }
    }

    /// The same for rows without pointers.
    private mutating func plainRows<Row, T>(
        _ field: KeyPath<Descriptor, T>, _ count: KeyPath<Descriptor, UInt64>, _ type: Row.Type
    ) throws(ArtifactError) -> [UInt64] {
        let rows = try rows(field, count, type)
        if let first = rows.first {
            try reader.bytes(first, UInt64(rows.count * MemoryLayout<Row>.stride), "table", base)
        }
        return rows
    }

    private func checkSignature(_ start: UInt64?, _ row: UInt64) throws(ArtifactError) {
        guard let start else { throw reader.refuse("signature", row, "is not in the file") }
        let file = reader.file
        var next = start
        let type = try FunctionType(signature: { () throws(ArtifactError) -> UInt8? in
            guard let offset = file.fileOffset(ofAddress: next, size: 1) else { return nil }
            next += 1
            return try file.bytes.load(at: offset, "signature")
        })
        guard type != nil else { throw reader.refuse("signature", row, "is none, or not in the file") }
        try reader.bytes(start, next - start, "signature", row)
    }

    /// Code lies inside the module's text.
    private func checkCode(_ start: UInt64, _ size: UInt64, _ what: String) throws(ArtifactError) {
        guard start >= text.start, start < text.end, size <= text.end - start else {
            throw reader.refuse(what, start, "\(size) bytes at address \(hexText(start)) are not in the text")
        }
    }
}
