import CActorRuntime
import LLVMKit
import WasmFormat

/// A constant of a C struct's layout: fields at the offsets the header gives, zero bytes between.
private struct CStruct<Root> {
    private var fields: [(offset: Int, width: Int, value: Value)] = []

    mutating func set<Field>(_ path: KeyPath<Root, Field>, _ value: Value) {
        fields.append((Int(ContextLayout.offset(path)), MemoryLayout<Field>.size, value))
    }

    func constant(_ lowering: ModuleLowering) -> Value {
        var values: [Value] = []
        var end = 0
        func pad(to offset: Int) {
            if offset > end {
                values.append(lowering.ir.zero(lowering.ir.arrayType(lowering.types.i8, count: offset - end)))
            }
        }
        for field in fields.sorted(by: { $0.offset < $1.offset }) {
            pad(to: field.offset)
            values.append(field.value)
            end = field.offset + field.width
        }
        pad(to: MemoryLayout<Root>.stride)
        return lowering.ir.structure(values, packed: true)
    }
}

/// The one exported symbol: tables that the runtime makes instances from.
extension ModuleLowering {
    private static var none: UInt32 { SMELT_RT_NONE }

    private var flags: UInt32 {
        (plan == nil ? 0 : SMELT_RT_METERED.rawValue)
            | (options.bounds == .checks ? SMELT_RT_CHECKS_BOUNDS.rawValue : 0)
    }
    private var null: Value { ir.zero(types.pointer) }

    private func i8(_ value: UInt8) -> Value { ir.constant(types.i8, UInt64(value)) }
    private func i8(_ value: smelt_rt_global_init) -> Value { ir.constant(types.i8, UInt64(value.rawValue)) }

    private func bytes(_ name: String, _ content: [UInt8]) -> Value {
        content.isEmpty ? null : ir.addConstant(name, ir.bytes(content), alignment: 1)
    }

    private func rows(_ name: String, _ rows: [Value]) -> Value {
        // Rows differ in which fields they set, so they are no array to LLVM; their sizes are equal.
        rows.isEmpty ? null : ir.addConstant(name, ir.structure(rows, packed: true))
    }

    /// Emits it and all it refers to; returns the still empty function that marks the end of the code.
    func emitDescriptor() -> Function {
        let exports = exportRows()
        let start = module.start.map { lowerUniformEntry(Int($0)).value }
        let end = addFunction("text_end", ir.functionType([], types.void), convention: .c)
        var row = CStruct<smelt_module_descriptor>()
        row.set(\.magic, i64(SMELT_RT_MAGIC))
        row.set(\.abi_major, i32(UInt32(SMELT_RT_ABI_MAJOR)))
        row.set(\.abi_minor, i32(UInt32(SMELT_RT_ABI_MINOR)))
        row.set(\.struct_size, i32(UInt32(MemoryLayout<smelt_module_descriptor>.stride)))
        row.set(\.flags, i32(flags))
        row.set(\.text_start, functions.first?.value ?? end.value)
        row.set(\.text_end, end.value)
        let functionRows = functionRows(end: end)
        row.set(\.functions, rows("functions", functionRows))
        row.set(\.function_count, i64(UInt64(functionRows.count)))
        row.set(\.imports, rows("imports", importRows()))
        row.set(\.import_count, i64(UInt64(module.imports.count)))
        row.set(\.exports, rows("exports", exports))
        row.set(\.export_count, i64(UInt64(exports.count)))
        row.set(\.globals, rows("globals", globalRows()))
        row.set(\.global_count, i64(UInt64(globalTypes.count)))
        row.set(\.data, rows("data", dataRows()))
        row.set(\.data_count, i64(UInt64(module.data.count)))
        row.set(\.elements, rows("elements", elementRows()))
        row.set(\.element_count, i64(UInt64(module.elements.count)))
        row.set(\.has_memory, i32(module.memories.isEmpty ? 0 : 1))
        row.set(\.has_table, i32(module.tables.isEmpty ? 0 : 1))
        row.set(\.memory_minimum, i32(module.memories.first?.minimum ?? 0))
        row.set(\.memory_maximum, i32(module.memories.first?.maximum ?? Self.none))
        row.set(\.table_minimum, i32(module.tables.first?.limits.minimum ?? 0))
        row.set(\.table_maximum, i32(module.tables.first?.limits.maximum ?? Self.none))
        row.set(\.start, start ?? null)
        row.set(\.stack_bytes, i64(reserve.entryBytes))
        _ = ir.addConstant(SMELT_MODULE_SYMBOL, row.constant(self), exported: true)
        return end
    }

    /// Functions follow one another in the order of the index space.
    private func functionRows(end: Function) -> [Value] {
        functions.indices.map { index in
            var row = CStruct<smelt_rt_function>()
            row.set(\.table_entry, tableEntries[index].value)
            row.set(\.type_id, i32(functionTypeNumbers[index]))
            if index >= importedFunctionCount {
                let cost = plan?.functions[index - importedFunctionCount].stackCost ?? 0
                row.set(\.stack_cost, i32(cost))
                row.set(\.code, functions[index].value)
                let next = index + 1 < functions.count ? functions[index + 1] : firstAfterFunctions(end)
                row.set(\.code_length, ir.distance(from: functions[index].value, to: next.value))
            }
            return row.constant(self)
        }
    }

    private func firstAfterFunctions(_ end: Function) -> Function {
        zip(functions, tableEntries).first { $0.value != $1.value }?.1 ?? end
    }

    private func importRows() -> [Value] {
        var functionIndex = 0
        return module.imports.enumerated().map { position, entry in
            var row = CStruct<smelt_rt_import>()
            row.set(\.module, bytes("import_module\(position)", entry.module.bytes))
            row.set(\.module_length, i32(UInt32(truncatingIfNeeded: entry.module.bytes.count)))
            row.set(\.name, bytes("import_name\(position)", entry.name.bytes))
            row.set(\.name_length, i32(UInt32(truncatingIfNeeded: entry.name.bytes.count)))
            switch entry.kind {
            case .function:
                row.set(\.maximum, i32(Self.none))
                row.set(\.kind, i32(SMELT_RT_FUNCTION.rawValue))
                row.set(\.type_id, i32(functionTypeNumbers[functionIndex]))
                row.set(\.signature, signature(functionIndex))
                functionIndex += 1
            case .table(let type):
                row.set(\.kind, i32(SMELT_RT_TABLE.rawValue))
                setLimits(&row, type.limits)
            case .memory(let limits):
                row.set(\.kind, i32(SMELT_RT_MEMORY.rawValue))
                setLimits(&row, limits)
            case .global(let type):
                row.set(\.maximum, i32(Self.none))
                row.set(\.kind, i32(SMELT_RT_GLOBAL.rawValue))
                row.set(\.signature, bytes("import_type\(position)", [type.value.rawValue, type.isMutable ? 1 : 0]))
            }
            return row.constant(self)
        }
    }

    private func setLimits(_ row: inout CStruct<smelt_rt_import>, _ limits: SizeLimits) {
        row.set(\.minimum, i32(limits.minimum))
        row.set(\.maximum, i32(limits.maximum ?? Self.none))
    }

    private func signature(_ function: Int) -> Value {
        bytes("signature\(function)", functionTypes[function].signature)
    }

    private func exportRows() -> [Value] {
        var made: [Int: (signature: Value, uniform: Value, typed: Value)] = [:]
        return module.exports.enumerated().map { position, entry in
            var row = CStruct<smelt_rt_export>()
            row.set(\.name, bytes("export_name\(position)", entry.name.bytes))
            row.set(\.name_length, i32(UInt32(truncatingIfNeeded: entry.name.bytes.count)))
            row.set(\.kind, i32(UInt32(entry.kind.rawValue)))
            row.set(\.index, i32(entry.index))
            if entry.kind == .function {
                let index = Int(entry.index)
                let entries =
                    made[index]
                    ?? (signature(index), lowerUniformEntry(index).value, lowerTypedEntry(index).value)
                made[index] = entries
                row.set(\.signature, entries.signature)
                row.set(\.entry, entries.uniform)
                row.set(\.typed, entries.typed)
            }
            return row.constant(self)
        }
    }

    private func globalRows() -> [Value] {
        globalTypes.enumerated().map { position, type in
            var row = CStruct<smelt_rt_global>()
            row.set(\.type, i8(type.value.rawValue))
            row.set(\.is_mutable, i8(type.isMutable ? 1 : 0))
            row.set(\.is_imported, i8(position < importedGlobalCount ? 1 : 0))
            if position >= importedGlobalCount,
                let first = module.globals[position - importedGlobalCount].initializer.instructions.first
            {
                switch first.opcode {
                case .globalGet:
                    row.set(\.`init`, i8(SMELT_RT_INIT_GLOBAL))
                    row.set(\.from_global, i32(first.index &+ 1))
                case .refFunc:
                    row.set(\.`init`, i8(SMELT_RT_INIT_FUNCTION))
                    row.set(\.value, i64(UInt64(first.index)))
                case .refNull: row.set(\.`init`, i8(SMELT_RT_INIT_NULL))
                default: row.set(\.value, i64(first.bits))
                }
            }
            return row.constant(self)
        }
    }

    private func dataRows() -> [Value] {
        module.data.enumerated().map { position, segment in
            var row = CStruct<smelt_rt_data_segment>()
            row.set(\.bytes, bytes("data\(position)", segment.bytes))
            row.set(\.length, i64(UInt64(segment.bytes.count)))
            switch segment.mode {
            case .active(_, let offset):
                let place = place(offset)
                row.set(\.offset, i32(place.constant))
                row.set(\.offset_global, i32(place.global))
            case .passive: row.set(\.mode, i32(SMELT_RT_PASSIVE.rawValue))
            }
            return row.constant(self)
        }
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

    private func elementRows() -> [Value] {
        module.elements.enumerated().map { position, segment in
            let items: [UInt32] =
                switch segment.items {
                case .functions(let indices): indices
                case .expressions(let expressions): expressions.map(item)
                }
            var row = CStruct<smelt_rt_element_segment>()
            if !items.isEmpty {
                row.set(\.functions, ir.addConstant("element\(position)", ir.array(types.i32, items.map(i32))))
            }
            row.set(\.length, i64(UInt64(items.count)))
            switch segment.mode {
            case .active(_, let offset):
                let place = place(offset)
                row.set(\.offset, i32(place.constant))
                row.set(\.offset_global, i32(place.global))
            case .passive: row.set(\.mode, i32(SMELT_RT_PASSIVE.rawValue))
            case .declarative: row.set(\.mode, i32(SMELT_RT_DECLARATIVE.rawValue))
            }
            return row.constant(self)
        }
    }
}
