import Engine
import WasmFormat

/// Something an instance imports or exports.
public enum ExternalValue {
    case function(FunctionReference)
    case table(TableReference)
    case memory(MemoryReference)
    case global(GlobalReference)
}

/// A function of a store. Valid while the store lives.
public struct FunctionReference {
    let record: UnsafePointer<FunctionRecord>
}
/// A table that instances of a store may share.
public struct TableReference {
    let table: FunctionTable
}
/// A memory that instances of a store may share.
public struct MemoryReference {
    let memory: LinearMemory
}
/// A global that instances of a store may share.
public struct GlobalReference {
    let cell: GlobalCell
    public var type: GlobalType { cell.type }
    /// Its value in a 64-bit slot.
    public var value: UInt64 { cell.slot.pointee }
}

/// An instance of a module.
///
/// The store keeps every instance alive: references to its functions may stand in tables of others.
final class Instance {
    let code: FlatCode
    unowned let store: Store
    let context: UnsafeMutablePointer<InstanceContext>
    private(set) var exports: [Name: ExternalValue] = [:]
    private(set) var memories: [LinearMemory] = []
    private(set) var tables: [FunctionTable] = []
    private var globals: [GlobalCell] = []
    private var droppedData: [Bool]
    private var droppedElements: [Bool]
    /// Per function of the index space: what exports and element segments refer to.
    private var entries: [UnsafePointer<FunctionRecord>] = []

    /// Makes an instance without memory, tables and globals; `instantiate` makes these.
    init(_ code: FlatCode, store: Store) {
        self.code = code
        self.store = store
        let module = code.module
        droppedData = Array(repeating: false, count: module.data.count)
        droppedElements = Array(repeating: false, count: module.elements.count)
        let typeIDs = UnsafeMutablePointer<UInt32>.allocate(capacity: module.types.count)
        for (index, type) in module.types.enumerated() { (typeIDs + index).initialize(to: store.number(of: type)) }
        context = .allocate(capacity: 1)
        context.initialize(
            to: InstanceContext(
                memory: nil, globals: .allocate(capacity: module.globalTypes.count),
                functions: .allocate(capacity: module.functionCount), typeIDs: typeIDs,
                tables: .allocate(capacity: module.tableTypes.count), gas: store.gas,
                stackLimit: code.plan?.stackLimit ?? UInt32.max, instance: .passUnretained(self)))
        store.instances.append(self)
    }

    deinit {
        context.pointee.globals.deallocate()
        context.pointee.functions.deallocate()
        context.pointee.typeIDs.deallocate()
        context.pointee.tables.deallocate()
        context.deallocate()
    }

    /// Places imports, makes memories, tables and globals, copies segments and runs the start function.
    ///
    /// - Parameter imports: one value per import, in order, of the import's kind and type.
    func instantiate(imports: [ExternalValue]) throws(EngineError) -> GuestOutcome {
        let module = code.module
        place(imports)
        makeFunctions()
        for limits in module.memories {
            let bytes = UInt64(limits.minimum) * 65_536
            guard store.limiter.grow(current: 0, desired: bytes, maximum: bytes) else {
                return .trapped(.resourceLimit, nil)
            }
            memories.append(try LinearMemory(limits: limits))
        }
        context.pointee.memory = memories.first?.state
        for type in module.tables {
            let bytes = UInt64(type.limits.minimum) * 8
            guard store.limiter.grow(current: 0, desired: bytes, maximum: bytes) else {
                return .trapped(.resourceLimit, nil)
            }
            (context.pointee.tables + tables.count).initialize(to: try add(FunctionTable(limits: type.limits)))
        }
        for global in module.globals {
            add(GlobalCell(type: global.type, value: evaluate(global.initializer)))
        }
        makeExports()
        if let trap = copySegments() { return .trapped(trap, nil) }
        guard let start = module.start else { return .returned([]) }
        return try store.run(entries[Int(start)], arguments: [], home: context)
    }

    /// Calls an exported function; nil when there is none of this name.
    func call(_ name: Name, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome? {
        guard case .function(let function) = exports[name] else { return nil }
        let outcome = try store.run(function.record, arguments: arguments, home: context)
        guard let index = exportedFunction(name), let type = code.module.functionType(index) else { return outcome }
        return narrowed(outcome, type)
    }

    /// Calls function `index` of the index space as an entry from outside does.
    func call(function index: Int, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome {
        guard entries.indices.contains(index), let type = code.module.functionType(UInt32(index)),
            type.parameters.count == arguments.count
        else { throw .artifact("no function \(index) that takes \(arguments.count) arguments") }
        return narrowed(try store.run(entries[index], arguments: arguments, home: context), type)
    }

    private func narrowed(_ outcome: GuestOutcome, _ type: FunctionType) -> GuestOutcome {
        guard case .returned(let slots) = outcome else { return outcome }
        return .returned(
            zip(slots, type.results).map { slot, type in
                type == .i32 || type == .f32 ? slot & 0xFFFF_FFFF : slot
            })
    }

    private func exportedFunction(_ name: Name) -> UInt32? {
        code.module.export(named: name).flatMap { $0.kind == .function ? $0.index : nil }
    }

    /// Where an operation of this instance comes from.
    func site(of operation: UnsafePointer<Op>) -> TrapSite? {
        guard let place = code.site(of: operation) else { return nil }
        return TrapSite(
            function: UInt32(code.module.importedFunctionCount + place.function), offset: place.offset)
    }

    // MARK: Making

    private func place(_ imports: [ExternalValue]) {
        for value in imports {
            switch value {
            case .function(let function):
                (context.pointee.functions + entries.count).initialize(to: function.record)
                entries.append(function.record)
            case .table(let table):
                (context.pointee.tables + tables.count).initialize(to: add(table.table))
            case .memory(let memory): memories.append(memory.memory)
            case .global(let global): add(global.cell)
            }
        }
    }

    /// Adds a table and gives the address of its hot half.
    private func add(_ table: FunctionTable) -> UnsafeMutablePointer<FunctionTable.State> {
        tables.append(table)
        return table.state
    }

    private func add(_ cell: GlobalCell) {
        (context.pointee.globals + globals.count).initialize(to: cell.slot)
        globals.append(cell)
    }

    private func makeFunctions() {
        let module = code.module
        let imported = entries.count
        for (defined, function) in code.functions.enumerated() {
            let index = imported + defined
            var record = FunctionRecord(
                entry: code.operations + function.entry, host: nil, context: context,
                parameterCount: function.parameterCount, resultCount: function.resultCount,
                localCount: function.localCount, frameSlots: function.frameSlots,
                typeID: context.pointee.typeIDs[Int(module.functions[defined])], index: UInt32(index),
                hasTrampoline: false, stackCost: code.plan?.functions[defined].stackCost ?? 0,
                reserve: code.reserve.functions[defined], trampolineGas: 0)
            let bare = store.keep(record)
            (context.pointee.functions + index).initialize(to: UnsafePointer(bare))
            if let gas = code.plan?.trampolines[index] {
                record.hasTrampoline = true
                record.trampolineGas = gas
                entries.append(UnsafePointer(store.keep(record)))
            } else {
                entries.append(UnsafePointer(bare))
            }
        }
    }

    private func makeExports() {
        for export in code.module.exports {
            let index = Int(export.index)
            exports[export.name] =
                switch export.kind {
                case .function: .function(FunctionReference(record: entries[index]))
                case .table: .table(TableReference(table: tables[index]))
                case .memory: .memory(MemoryReference(memory: memories[index]))
                case .global: .global(GlobalReference(cell: globals[index]))
                }
        }
    }

    /// The slot a constant expression gives. References in global initialisers are not redirected to
    /// trampolines (as in the reference), those in element segments are.
    private func evaluate(_ expression: ConstantExpression, inSegment: Bool = false) -> UInt64 {
        guard let instruction = expression.instructions.first else { return 0 }
        switch instruction.opcode {
        case .globalGet: return context.pointee.globals[Int(instruction.index)].pointee
        case .refFunc:
            let index = Int(instruction.index)
            return Self.slot(inSegment ? entries[index] : context.pointee.functions[index])
        default: return instruction.bits
        }
    }

    private static func slot(_ record: UnsafePointer<FunctionRecord>) -> UInt64 {
        UInt64(UInt(bitPattern: record))
    }

    private func copySegments() -> Trap? {
        for (index, segment) in code.module.elements.enumerated() {
            switch segment.mode {
            case .active(let table, let offset):
                let to = UInt32(slot: evaluate(offset))
                let count = UInt32(elements(of: index).count)
                if let trap = initializeTable(Int(table), segment: index, to: to, from: 0, count: count) { return trap }
                droppedElements[index] = true
            case .declarative: droppedElements[index] = true
            case .passive: break
            }
        }
        for (index, segment) in code.module.data.enumerated() {
            guard case .active(_, let offset) = segment.mode else { continue }
            let to = UInt32(slot: evaluate(offset))
            let count = UInt32(segment.bytes.count)
            if let trap = initializeMemory(segment: index, to: to, from: 0, count: count) { return trap }
            droppedData[index] = true
        }
        return nil
    }

    private func elements(of segment: Int) -> [UInt64] {
        if droppedElements[segment] { return [] }
        switch code.module.elements[segment].items {
        case .functions(let indices): return indices.map { Self.slot(entries[Int($0)]) }
        case .expressions(let expressions): return expressions.map { evaluate($0, inSegment: true) }
        }
    }

    // MARK: Operators off the hot path

    /// Previous pages, or nil for failure.
    func growMemory(by pages: UInt32) throws(EngineError) -> UInt32? {
        try memories[0].grow(by: pages, limiter: store.limiter, cap: store.limits.memory)
    }

    /// Table, bulk and reference operators.
    func perform(_ op: Op, _ sp: inout Operands) throws(EngineError) -> Trap? {
        let a = Int(op.a)
        switch op.operation {
        case .refFunc:
            sp.push(Self.slot(entries[a]))
        case .refIsNull:
            sp.unary { (reference: UInt64) in reference == 0 }
        case .tableSize:
            sp.push(UInt64(tables[a].state.pointee.size))
        case .tableGet:
            let index = UInt32(slot: sp.top[-1])
            guard index < tables[a].state.pointee.size else { return .tableOutOfBounds }
            sp.top[-1] = tables[a].state.pointee.elements[Int(index)]
        case .tableSet:
            let value = sp.pop()
            let index = sp.popU32()
            guard index < tables[a].state.pointee.size else { return .tableOutOfBounds }
            tables[a].state.pointee.elements[Int(index)] = value
        case .tableGrow:
            let count = sp.popU32()
            let previous = try tables[a].grow(
                by: count, value: sp.top[-1], limiter: store.limiter, cap: store.limits.tableElements)
            sp.top[-1] = UInt64(previous ?? UInt32.max)
        case .dataDrop:
            droppedData[a] = true
        case .elemDrop:
            droppedElements[a] = true
        default:
            let count = sp.popU32()
            let second = sp.pop()
            return bulk(op, to: sp.popU32(), second: second, count: count)
        }
        return nil
    }

    /// Operators of three operands. Bounds are checked before anything is written.
    private func bulk(_ op: Op, to: UInt32, second: UInt64, count: UInt32) -> Trap? {
        let from = UInt32(slot: second)
        let end = UInt64(to) + UInt64(count)
        switch op.operation {
        case .memoryFill:
            guard let memory = context.pointee.memory, end <= memory.pointee.size else { return .memoryOutOfBounds }
            store.watch?.write(UInt64(to)..<end)
            (memory.pointee.base + Int(to)).update(repeating: UInt8(truncatingIfNeeded: second), count: Int(count))
        case .memoryCopy:
            guard let memory = context.pointee.memory, end <= memory.pointee.size,
                UInt64(from) + UInt64(count) <= memory.pointee.size
            else { return .memoryOutOfBounds }
            let base = memory.pointee.base
            store.watch?.write(UInt64(to)..<end)
            (base + Int(to)).update(from: base + Int(from), count: Int(count))
        case .memoryInit:
            return initializeMemory(segment: Int(op.a), to: to, from: from, count: count)
        case .tableInit:
            return initializeTable(Int(op.bits), segment: Int(op.a), to: to, from: from, count: count)
        case .tableFill:
            let table = tables[Int(op.a)].state.pointee
            guard end <= UInt64(table.size) else { return .tableOutOfBounds }
            (table.elements + Int(to)).update(repeating: second, count: Int(count))
        case .tableCopy:
            let target = tables[Int(op.a)].state.pointee
            let source = tables[Int(op.bits)].state.pointee
            guard end <= UInt64(target.size), UInt64(from) + UInt64(count) <= UInt64(source.size) else {
                return .tableOutOfBounds
            }
            (target.elements + Int(to)).update(from: source.elements + Int(from), count: Int(count))
        default:
            return .unreachable
        }
        return nil
    }

    private func initializeMemory(segment: Int, to: UInt32, from: UInt32, count: UInt32) -> Trap? {
        let available = droppedData[segment] ? 0 : UInt64(code.module.data[segment].bytes.count)
        guard let memory = context.pointee.memory, UInt64(from) + UInt64(count) <= available,
            UInt64(to) + UInt64(count) <= memory.pointee.size
        else { return .memoryOutOfBounds }
        guard count > 0 else { return nil }
        store.watch?.write(UInt64(to)..<UInt64(to) + UInt64(count))
        let target = memory.pointee.base + Int(to)
        // Sound: both ranges were just checked, and a module's bytes are not guest memory.
        code.module.data[segment].bytes.withUnsafeBufferPointer { bytes in
            if let source = bytes.baseAddress { target.update(from: source + Int(from), count: Int(count)) }
        }
        return nil
    }

    private func initializeTable(_ table: Int, segment: Int, to: UInt32, from: UInt32, count: UInt32) -> Trap? {
        let values = elements(of: segment)
        let state = tables[table].state.pointee
        guard UInt64(from) + UInt64(count) <= UInt64(values.count), UInt64(to) + UInt64(count) <= UInt64(state.size)
        else { return .tableOutOfBounds }
        for index in 0..<Int(count) { state.elements[Int(to) + index] = values[Int(from) + index] }
        return nil
    }
}
