extension FunctionBody {
    /// Bytes that the `memory.copy` at a position moves, where they are a small constant (producers make every
    /// assignment of a structure one): compiled code may then move them itself. By position alone, since nothing can
    /// stand between an operand's constant and the instruction.
    public func inlineCount(at position: Int) -> UInt64? {
        guard position > 0, case let before = instructions[position - 1], before.opcode == .i32Const else { return nil }
        let count = UInt64(UInt32(truncatingIfNeeded: before.bits))
        return (1...128).contains(count) ? count : nil
    }
}

/// Lookups in the index spaces, imports first. An index out of range gives nil.
extension Module {
    /// Functions among the imports; the first defined function has this index.
    public var importedFunctionCount: Int {
        imports.reduce(0) { if case .function = $1.kind { $0 + 1 } else { $0 } }
    }

    /// Globals among the imports; the first defined global has this index.
    public var importedGlobalCount: Int {
        imports.reduce(0) { if case .global = $1.kind { $0 + 1 } else { $0 } }
    }

    /// Imported and defined functions together.
    public var functionCount: Int { importedFunctionCount + functions.count }

    /// Type index of every function of the index space.
    public var functionTypeIndices: [UInt32] {
        imports.compactMap { if case .function(let type) = $0.kind { type } else { nil } } + functions
    }

    /// Type of every global of the index space.
    public var globalTypes: [GlobalType] {
        imports.compactMap { if case .global(let type) = $0.kind { type } else { nil } } + globals.map(\.type)
    }

    /// Type of every table of the index space.
    public var tableTypes: [TableType] {
        imports.compactMap { if case .table(let type) = $0.kind { type } else { nil } } + tables
    }

    /// Size limits, in pages, of every memory of the index space.
    public var memoryTypes: [SizeLimits] {
        imports.compactMap { if case .memory(let limits) = $0.kind { limits } else { nil } } + memories
    }

    /// The type of a function of the index space.
    public func functionType(_ index: UInt32) -> FunctionType? {
        var remaining = Int(index)
        for entry in imports {
            guard case .function(let type) = entry.kind else { continue }
            if remaining == 0 { return self.type(type) }
            remaining -= 1
        }
        return remaining < functions.count ? type(functions[remaining]) : nil
    }

    /// The type with this index in the type section.
    public func type(_ index: UInt32) -> FunctionType? {
        Int(index) < types.count ? types[Int(index)] : nil
    }

    /// For every type index the first one that is structurally equal: equal numbers mean equal types.
    public var canonicalTypeIDs: [UInt32] {
        var first: [FunctionType: UInt32] = [:]
        return types.indices.map { index in
            if let known = first[types[index]] { return known }
            first[types[index]] = UInt32(index)
            return UInt32(index)
        }
    }

    /// The export with this name.
    public func export(named name: Name) -> Export? {
        exports.first { $0.name == name }
    }
}
