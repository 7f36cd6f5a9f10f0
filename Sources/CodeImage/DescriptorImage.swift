import CActorRuntime
import CodeSettings
import Metering
import WasmFormat

/// The tables of an object that the runtime makes instances from, and `smelt_module` that leads to them. The same
/// whoever makes the code.
public struct DescriptorImage: Sendable {
    /// In an order in which `DataItem.Part.data` leads backwards only; the last is `smelt_module`.
    public private(set) var items: [DataItem] = []
    /// Numbers of the items that hold the functions' rows, by piece of code. Together they are one table: whoever puts
    /// the items into objects has them follow one another.
    public private(set) var functionItems: [Int] = []
    /// Functions that are called from the host, so need both entries: those exported, in that order, then the start
    /// function, which needs the uniform one only.
    public private(set) var hostEntries: [Int] = []
    /// The number of the start function.
    public let start: Int?
    /// Types of the index space of functions, imports first.
    public let functionTypes: [FunctionType]
    public let importedFunctionCount: Int
    /// By type index: what `call_indirect` compares.
    public let typeNumbers: [UInt32]

    private let module: Module
    private let plan: MeteringPlan?
    private let bounds: Bounds
    private let reserve: StackReserve
    private let functionTypeNumbers: [UInt32]

    /// - Parameters:
    ///   - linksEverything: types are numbered by the hash of their signature (the `suite` profile).
    ///   - pieces: all functions, in their order.
    public init?(
        _ module: Module, plan: MeteringPlan?, bounds: Bounds, reserve: StackReserve, linksEverything: Bool,
        pieces: [CodePiece]
    ) {
        self.module = module
        self.plan = plan
        self.bounds = bounds
        self.reserve = reserve
        let indices = module.functionTypeIndices
        var types: [FunctionType] = []
        types.reserveCapacity(indices.count)
        for index in indices {
            guard let type = module.type(index), type.results.count <= 1 else { return nil }
            types.append(type)
        }
        functionTypes = types
        importedFunctionCount = module.importedFunctionCount
        let canonical = module.canonicalTypeIDs
        let numbers = module.types.indices.map { index in
            linksEverything ? signatureHash(module.types[index]) : canonical[index] &+ 1
        }
        typeNumbers = numbers
        functionTypeNumbers = indices.map { numbers[Int($0)] }
        start = module.start.map { Int($0) }
        var seen: Set<Int> = []
        for entry in module.exports where entry.kind == .function {
            if seen.insert(Int(entry.index)).inserted { hostEntries.append(Int(entry.index)) }
        }
        make(pieces)
    }

    private static var none: UInt32 { SMELT_RT_NONE }

    private mutating func add(_ name: String, _ parts: [DataItem.Part], alignment: Int = 8) -> DataItem.Part {
        items.append(DataItem(name: name, parts: parts, alignment: alignment))
        return .data(items.count - 1)
    }

    private mutating func bytes(_ name: String, _ content: [UInt8]) -> DataItem.Part? {
        content.isEmpty ? nil : add(name, [.bytes(content)], alignment: 1)
    }

    /// nil for an empty table.
    private mutating func table<Row>(_ name: String, _ rows: [CStruct<Row>]) -> DataItem.Part? {
        guard !rows.isEmpty else { return nil }
        var parts: [DataItem.Part] = []
        for row in rows { row.append(to: &parts) }
        return add(name, parts)
    }

    private mutating func make(_ pieces: [CodePiece]) {
        for (number, piece) in pieces.enumerated() where !piece.functions.isEmpty {
            _ = table(number == 0 ? "functions" : "functions\(number)", functionRows(piece))
            functionItems.append(items.count - 1)
        }
        var row = CStruct<smelt_module_descriptor>()
        row.set(\.magic, UInt64(SMELT_RT_MAGIC))
        row.set(\.abi_major, UInt32(SMELT_RT_ABI_MAJOR))
        row.set(\.abi_minor, UInt32(SMELT_RT_ABI_MINOR))
        row.set(\.struct_size, UInt32(MemoryLayout<smelt_module_descriptor>.stride))
        row.set(\.flags, bounds == .checks ? SMELT_RT_CHECKS_BOUNDS.rawValue : 0)
        row.set(\.text_start, .code(functionTypes.isEmpty ? .end : .function(0)))
        row.set(\.text_end, .code(.end))
        row.set(\.functions, functionItems.first.map { .data($0) })
        row.set(\.function_count, UInt64(functionTypes.count))
        row.set(\.imports, table("imports", importRows()))
        row.set(\.import_count, UInt64(module.imports.count))
        row.set(\.exports, table("exports", exportRows()))
        row.set(\.export_count, UInt64(module.exports.count))
        let globals = globalRows()
        row.set(\.globals, table("globals", globals))
        row.set(\.global_count, UInt64(globals.count))
        row.set(\.data, table("data", dataRows()))
        row.set(\.data_count, UInt64(module.data.count))
        row.set(\.elements, table("elements", elementRows()))
        row.set(\.element_count, UInt64(module.elements.count))
        row.set(\.has_memory, UInt32(module.memories.isEmpty ? 0 : 1))
        row.set(\.has_table, UInt32(module.tables.isEmpty ? 0 : 1))
        row.set(\.memory_minimum, module.memories.first?.minimum ?? 0)
        row.set(\.memory_maximum, module.memories.first?.maximum ?? Self.none)
        row.set(\.table_minimum, module.tables.first?.limits.minimum ?? 0)
        row.set(\.table_maximum, module.tables.first?.limits.maximum ?? Self.none)
        row.set(\.start, start.map { .code(.uniformEntry($0)) })
        row.set(\.stack_bytes, reserve.entryBytes)
        var parts: [DataItem.Part] = []
        row.append(to: &parts)
        _ = add(SMELT_MODULE_SYMBOL, parts)
    }

    private func functionRows(_ piece: CodePiece) -> [CStruct<smelt_rt_function>] {
        piece.functions.map { index in
            var row = CStruct<smelt_rt_function>()
            row.set(\.table_entry, .code(.tableEntry(index)))
            row.set(\.type_id, UInt64(functionTypeNumbers[index]))
            if index >= importedFunctionCount {
                row.set(\.code, .code(.function(index)))
                let next = index + 1 < piece.functions.upperBound ? .function(index + 1) : piece.end
                row.set(\.code_length, .distance(.function(index), next))
            }
            return row
        }
    }

    private mutating func importRows() -> [CStruct<smelt_rt_import>] {
        var functionIndex = 0
        var rows: [CStruct<smelt_rt_import>] = []
        for (position, entry) in module.imports.enumerated() {
            var row = CStruct<smelt_rt_import>()
            row.set(\.module, bytes("import_module\(position)", entry.module.bytes))
            row.set(\.module_length, UInt32(truncatingIfNeeded: entry.module.bytes.count))
            row.set(\.name, bytes("import_name\(position)", entry.name.bytes))
            row.set(\.name_length, UInt32(truncatingIfNeeded: entry.name.bytes.count))
            switch entry.kind {
            case .function:
                row.set(\.maximum, Self.none)
                row.set(\.kind, SMELT_RT_FUNCTION.rawValue)
                row.set(\.signature, signature(functionIndex))
                functionIndex += 1
            case .table(let type):
                row.set(\.kind, SMELT_RT_TABLE.rawValue)
                setLimits(&row, type.limits)
            case .memory(let limits):
                row.set(\.kind, SMELT_RT_MEMORY.rawValue)
                setLimits(&row, limits)
            case .global(let type):
                row.set(\.maximum, Self.none)
                row.set(\.kind, SMELT_RT_GLOBAL.rawValue)
                row.set(\.signature, bytes("import_type\(position)", [type.value.rawValue, type.isMutable ? 1 : 0]))
            }
            rows.append(row)
        }
        return rows
    }

    private func setLimits(_ row: inout CStruct<smelt_rt_import>, _ limits: SizeLimits) {
        row.set(\.minimum, limits.minimum)
        row.set(\.maximum, limits.maximum ?? Self.none)
    }

    private mutating func signature(_ function: Int) -> DataItem.Part? {
        bytes("signature\(function)", functionTypes[function].signature)
    }

    private mutating func exportRows() -> [CStruct<smelt_rt_export>] {
        var signatures: [Int: DataItem.Part] = [:]
        var rows: [CStruct<smelt_rt_export>] = []
        for (position, entry) in module.exports.enumerated() {
            var row = CStruct<smelt_rt_export>()
            row.set(\.name, bytes("export_name\(position)", entry.name.bytes))
            row.set(\.name_length, UInt32(truncatingIfNeeded: entry.name.bytes.count))
            row.set(\.kind, UInt32(entry.kind.rawValue))
            row.set(\.index, entry.index)
            if entry.kind == .function {
                let index = Int(entry.index)
                let made = signatures[index] ?? signature(index)
                signatures[index] = made
                row.set(\.signature, made)
                row.set(\.entry, .code(.uniformEntry(index)))
                row.set(\.typed, .code(.typedEntry(index)))
            }
            rows.append(row)
        }
        return rows
    }

    private func globalRows() -> [CStruct<smelt_rt_global>] {
        let imported = module.importedGlobalCount
        return module.globalTypes.enumerated().map { position, type in
            var row = CStruct<smelt_rt_global>()
            row.set(\.type, type.value.rawValue)
            row.set(\.is_mutable, UInt8(type.isMutable ? 1 : 0))
            row.set(\.is_imported, UInt8(position < imported ? 1 : 0))
            if position >= imported, let first = module.globals[position - imported].initializer.instructions.first {
                switch first.opcode {
                case .globalGet:
                    row.set(\.`init`, UInt8(SMELT_RT_INIT_GLOBAL.rawValue))
                    row.set(\.from_global, first.index &+ 1)
                case .refFunc:
                    row.set(\.`init`, UInt8(SMELT_RT_INIT_FUNCTION.rawValue))
                    row.set(\.value, UInt64(first.index))
                case .refNull: row.set(\.`init`, UInt8(SMELT_RT_INIT_NULL.rawValue))
                default: row.set(\.value, first.bits)
                }
            }
            return row
        }
    }

    private mutating func dataRows() -> [CStruct<smelt_rt_data_segment>] {
        var rows: [CStruct<smelt_rt_data_segment>] = []
        for (position, segment) in module.data.enumerated() {
            var row = CStruct<smelt_rt_data_segment>()
            row.set(\.bytes, bytes("data\(position)", segment.bytes))
            row.set(\.length, UInt64(segment.bytes.count))
            switch segment.mode {
            case .active(_, let offset):
                let place = place(offset)
                row.set(\.offset, place.constant)
                row.set(\.offset_global, place.global)
            case .passive: row.set(\.mode, SMELT_RT_PASSIVE.rawValue)
            }
            rows.append(row)
        }
        return rows
    }

    /// A segment's offset: a constant, or a global's index plus one.
    private func place(_ offset: ConstantExpression) -> (constant: UInt32, global: UInt32) {
        guard let first = offset.instructions.first else { return (0, 0) }
        return first.opcode == .globalGet ? (0, first.index &+ 1) : (UInt32(truncatingIfNeeded: first.bits), 0)
    }

    /// An element expression as the runtime's header numbers it.
    private func item(_ expression: ConstantExpression) -> UInt32 {
        guard let first = expression.instructions.first else { return Self.none }
        return switch first.opcode {
        case .refFunc: first.index
        case .globalGet: SMELT_RT_ELEMENT_GLOBAL | first.index
        default: Self.none
        }
    }

    private mutating func elementRows() -> [CStruct<smelt_rt_element_segment>] {
        var rows: [CStruct<smelt_rt_element_segment>] = []
        for (position, segment) in module.elements.enumerated() {
            let items: [UInt32] =
                switch segment.items {
                case .functions(let indices): indices
                case .expressions(let expressions): expressions.map(item)
                }
            var row = CStruct<smelt_rt_element_segment>()
            if !items.isEmpty {
                row.set(\.functions, add("element\(position)", [.bytes(items.flatMap { littleEndian($0) })]))
            }
            row.set(\.length, UInt64(items.count))
            switch segment.mode {
            case .active(_, let offset):
                let place = place(offset)
                row.set(\.offset, place.constant)
                row.set(\.offset_global, place.global)
            case .passive: row.set(\.mode, SMELT_RT_PASSIVE.rawValue)
            case .declarative: row.set(\.mode, SMELT_RT_DECLARATIVE.rawValue)
            }
            rows.append(row)
        }
        return rows
    }
}

/// What types are numbered by where modules are linked to each other: FNV-1a of the signature, never 0. Only objects of
/// the suite's compilations are linked, all made by one build.
public func signatureHash(_ type: FunctionType) -> UInt32 {
    let hash = type.signature.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return max(1, hash)
}
