import WasmFormat

/// Validates everything outside function bodies (core spec 3.2 and 3.4).
struct ModuleValidator {
    let context: ModuleContext
    private var module: Module { context.module }

    init(context: ModuleContext) { self.context = context }

    func validate() throws(Refusal) {
        try types()
        try imports()
        for (index, type) in module.functions.enumerated() where module.type(type) == nil {
            throw Self.refuse(
                "unknown type \(type)", function: UInt32(truncatingIfNeeded: context.importedFunctions + index))
        }
        for (index, table) in module.tables.enumerated() { try check(table.limits, "table \(index)", UInt64.max) }
        for (index, memory) in module.memories.enumerated() {
            try check(memory, "memory \(index)", Limits.memoryPages)
        }
        try counts()
        for (index, global) in module.globals.enumerated() {
            try check(global.initializer, gives: global.type.value, "initializer of global \(index)")
        }
        try exports()
        try start()
        for (index, segment) in module.elements.enumerated() { try check(segment, "element segment \(index)") }
        for (index, segment) in module.data.enumerated() {
            guard case .active(let memory, let offset) = segment.mode else { continue }
            guard Int(memory) < context.memoryTypes.count else {
                throw Self.refuse("data segment \(index): unknown memory \(memory)", at: offset.offset)
            }
            try check(offset, gives: .i32, "offset of data segment \(index)")
        }
    }

    private static func refuse(_ rule: String, function: UInt32? = nil, at offset: UInt32? = nil) -> Refusal {
        Refusal(stage: .validate, function: function, offset: offset, rule: rule)
    }

    private func check(_ count: Int, _ limit: UInt64, _ what: StaticString) throws(Refusal) {
        guard UInt64(count) <= limit else { throw Self.refuse("\(count) \(what), limit \(limit)") }
    }

    private func counts() throws(Refusal) {
        try check(module.types.count, Limits.types, "types")
        try check(module.imports.count, Limits.imports, "imports")
        try check(context.functionTypes.count, Limits.functions, "functions")
        try check(context.tableTypes.count, Limits.tables, "tables")
        try check(context.memoryTypes.count, Limits.memories, "memories")
        try check(context.globalTypes.count, Limits.globals, "globals")
        try check(module.exports.count, Limits.exports, "exports")
        try check(module.elements.count, Limits.elementSegments, "element segments")
        try check(module.data.count, Limits.dataSegments, "data segments")
    }

    private func types() throws(Refusal) {
        for (index, type) in module.types.enumerated() {
            guard UInt64(type.parameters.count) <= Limits.parameters else {
                throw Self.refuse("type \(index) has \(type.parameters.count) parameters, limit \(Limits.parameters)")
            }
            guard UInt64(type.results.count) <= Limits.results else {
                throw Self.refuse(
                    "type \(index) has \(type.results.count) results, multi-value is not enabled")
            }
        }
    }

    private func imports() throws(Refusal) {
        for (index, entry) in module.imports.enumerated() {
            switch entry.kind {
            case .function(let type):
                guard module.type(type) != nil else { throw Self.refuse("import \(index): unknown type \(type)") }
            case .table(let type): try check(type.limits, "import \(index), a table", UInt64.max)
            case .memory(let limits): try check(limits, "import \(index), a memory", Limits.memoryPages)
            case .global: break
            }
        }
    }

    private func check(_ limits: SizeLimits, _ what: String, _ largest: UInt64) throws(Refusal) {
        if let maximum = limits.maximum, maximum < limits.minimum {
            throw Self.refuse("\(what): minimum \(limits.minimum) is greater than maximum \(maximum)")
        }
        let size = max(limits.minimum, limits.maximum ?? 0)
        guard UInt64(size) <= largest else { throw Self.refuse("\(what): size \(size), limit \(largest)") }
    }

    private func exports() throws(Refusal) {
        var names = Set<Name>(minimumCapacity: module.exports.count)
        for (index, export) in module.exports.enumerated() {
            let (count, space): (Int, StaticString) =
                switch export.kind {
                case .function: (context.functionTypes.count, "function")
                case .table: (context.tableTypes.count, "table")
                case .memory: (context.memoryTypes.count, "memory")
                case .global: (context.globalTypes.count, "global")
                }
            guard Int(export.index) < count else {
                throw Self.refuse("export \(index): unknown \(space) \(export.index)")
            }
            guard names.insert(export.name).inserted else {
                throw Self.refuse("export \(index): duplicate export name \(export.name.quoted)")
            }
        }
        let size = module.typeSize
        guard size < Limits.typeSize else {
            throw Self.refuse("types of imports and exports have size \(size), limit \(Limits.typeSize - 1)")
        }
    }

    private func start() throws(Refusal) {
        guard let start = module.start else { return }
        guard let type = context.functionType(start) else {
            throw Self.refuse("start section: unknown function \(start)")
        }
        guard type.parameters.isEmpty, type.results.isEmpty else {
            throw Self.refuse("start function has parameters or results", function: start)
        }
    }

    private func check(_ segment: ElementSegment, _ what: String) throws(Refusal) {
        if case .active(let table, let offset) = segment.mode {
            guard Int(table) < context.tableTypes.count else {
                throw Self.refuse("\(what): unknown table \(table)", at: offset.offset)
            }
            guard context.tableTypes[Int(table)].element == segment.type else {
                throw Self.refuse("\(what): type mismatch with table \(table)", at: offset.offset)
            }
            try check(offset, gives: .i32, "offset of " + what)
        }
        switch segment.items {
        case .functions(let items):
            guard UInt64(items.count) <= Limits.elementItems else {
                throw Self.refuse("\(what) has \(items.count) items, limit \(Limits.elementItems)")
            }
            for item in items where Int(item) >= context.functionTypes.count {
                throw Self.refuse("\(what): unknown function \(item)")
            }
        case .expressions(let items):
            guard UInt64(items.count) <= Limits.elementItems else {
                throw Self.refuse("\(what) has \(items.count) items, limit \(Limits.elementItems)")
            }
            for item in items { try check(item, gives: segment.type, "item of " + what) }
        }
    }

    /// Without extended constant expressions a valid one is exactly one instruction.
    private func check(
        _ expression: ConstantExpression, gives expected: ValueType, _ what: String
    ) throws(Refusal) {
        var types: [ValueType] = []
        for instruction in expression.instructions { types.append(try type(of: instruction, what)) }
        guard types == [expected] else {
            let found = types.map { "\($0)" }.joined(separator: " ")
            throw Self.refuse(
                "\(what): type mismatch, expected \(expected), found \(found.isEmpty ? "nothing" : found)",
                at: expression.offset)
        }
    }

    private func type(of instruction: Instruction, _ what: String) throws(Refusal) -> ValueType {
        switch instruction.opcode {
        case .i32Const: return .i32
        case .i64Const: return .i64
        case .f32Const: return .f32
        case .f64Const: return .f64
        case .refNull: return .funcref
        case .refFunc:
            guard Int(instruction.index) < context.functionTypes.count else {
                throw Self.refuse("\(what): unknown function \(instruction.index)", at: instruction.offset)
            }
            return .funcref
        case .globalGet:
            guard Int(instruction.index) < context.globalTypes.count else {
                throw Self.refuse("\(what): unknown global \(instruction.index)", at: instruction.offset)
            }
            let global = context.globalTypes[Int(instruction.index)]
            guard Int(instruction.index) < context.importedGlobals, !global.isMutable else {
                throw Self.refuse(
                    "\(what): constant expression required, global \(instruction.index) is not an imported constant",
                    at: instruction.offset)
            }
            return global.value
        default:
            throw Self.refuse(
                "\(what): constant expression required, found \(instruction.opcode.name)", at: instruction.offset)
        }
    }
}

extension Module {
    /// What `Limits.typeSize` bounds.
    public var typeSize: UInt64 {
        let types = functionTypeIndices
        func size(_ function: UInt32) -> UInt64 {
            guard Int(function) < types.count, let type = type(types[Int(function)]) else { return 1 }
            return 2 + UInt64(type.parameters.count) + UInt64(type.results.count)
        }
        var total: UInt64 = 1
        var function: UInt32 = 0
        for entry in imports {
            if case .function = entry.kind {
                total += size(function)
                function += 1
            } else {
                total += 1
            }
        }
        for export in exports { total += export.kind == .function ? size(export.index) : 1 }
        return total
    }
}
