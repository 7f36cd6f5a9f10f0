import CActorRuntime
import Engine
import WasmFormat

/// An instance of compiled code, linked to others.
final class NativeInstance {
    /// What an import is bound to.
    struct Import {
        let exporter: NativeInstance
        let kind: Export.Kind
        let index: UInt32
        /// Functions: the exported entry.
        let entry: smelt_rt_entry_fn?

        /// Nil when kinds, or the types of functions, differ; the runtime compares the other types.
        init?(_ wanted: WasmFormat.Import.Kind, of module: Module, _ export: Export, of exporter: NativeInstance) {
            self.exporter = exporter
            kind = export.kind
            index = export.index
            switch (wanted, export.kind) {
            case (.function(let type), .function):
                guard let type = module.type(type), exporter.module.functionType(export.index) == type,
                    let entry = exporter.entry(export.name)
                else { return nil }
                self.entry = entry
            case (.table, .table), (.memory, .memory), (.global, .global): entry = nil
            default: return nil
            }
        }
    }

    let module: Module
    private let imports: [Import]
    /// The targets of imported functions, in order.
    private let functions: [Import]
    private let code: OpaquePointer
    private let descriptor: UnsafePointer<smelt_module_descriptor>
    private var context: UnsafeMutablePointer<smelt_rt_context>?

    /// Nil when the runtime finds that an import's type does not fit.
    init?(_ object: [UInt8], module: Module, imports: [Import]) throws(SuiteFailure) {
        self.module = module
        self.imports = imports
        functions = imports.filter { $0.kind == .function }
        var code: OpaquePointer?
        var why: UnsafePointer<CChar>?
        let loaded = smelt_rt_code_load(object, UInt64(object.count), &code, &why)
        guard loaded == 0, let code, let descriptor = smelt_rt_code_module(code) else {
            throw SuiteFailure("loader: error \(loaded) \(why.map { String(cString: $0) } ?? "")")
        }
        self.code = code
        self.descriptor = descriptor
        let status = create()
        if status == Int32(SMELT_RT_BAD_IMPORT.rawValue) { return nil }
        guard status == 0, context != nil else { throw SuiteFailure("runtime: error \(status) making an instance") }
    }

    deinit {
        if let context { smelt_rt_instance_destroy(context) }
        smelt_rt_code_unload(code)
    }

    private func create() -> Int32 {
        let externs = imports.map { row in
            smelt_rt_extern(kind: UInt32(row.kind.rawValue), index: row.index, exporter: row.exporter.context)
        }
        // Sound: `externs` is read during the call only, and the host pointer is this object, which outlives the
        // context.
        return externs.withUnsafeBufferPointer { externs in
            var options = smelt_rt_options()
            options.limits = smelt_rt_limits(
                memory_maximum: 4 << 30, table_maximum: 10_000_000, stack_limit: 2_048, native_stack: 4 << 20)
            options.host = Unmanaged.passUnretained(self).toOpaque()
            options.host_import = { host, caller, index, slots in
                guard let host, let caller, let slots else { return Trap.localFailure.rawValue }
                let instance = Unmanaged<NativeInstance>.fromOpaque(host).takeUnretainedValue()
                return instance.callImport(Int(index), slots, caller)
            }
            options.externs = externs.baseAddress
            options.extern_count = UInt64(externs.count)
            return smelt_rt_instance_create(descriptor, &options, &context)
        }
    }

    /// Calls an imported function with the caller's gas.
    private func callImport(
        _ index: Int, _ slots: UnsafeMutablePointer<UInt64>, _ caller: UnsafeMutablePointer<smelt_rt_context>
    ) -> Int32 {
        let target = functions[index]
        guard let context = target.exporter.context else { return Trap.localFailure.rawValue }
        var result: UInt64 = 0
        context.pointee.gas = caller.pointee.gas
        let trap = smelt_rt_enter(context, target.entry, slots, &result)
        caller.pointee.gas = context.pointee.gas
        if trap == 0, target.exporter.module.functionType(target.index)?.results.isEmpty == false { slots[0] = result }
        return trap
    }

    /// Nil, or the trap that ended instantiation.
    func start() -> Trap? {
        guard let context else { return .localFailure }
        context.pointee.gas = Int64.max
        let trap = smelt_rt_instance_start(context)
        return trap == 0 ? nil : Trap(rawValue: trap)
    }

    /// The entry of an exported function.
    func entry(_ name: Name) -> smelt_rt_entry_fn? {
        let exports = UnsafeBufferPointer(
            start: descriptor.pointee.exports, count: Int(descriptor.pointee.export_count))
        for export in exports where export.kind == UInt32(SMELT_RT_FUNCTION.rawValue) {
            // Sound: a verified descriptor's names lie in the object, which is mapped.
            let bytes = UnsafeRawBufferPointer(start: export.name, count: Int(export.name_length))
            if bytes.elementsEqual(name.bytes) { return export.entry }
        }
        return nil
    }

    func call(_ name: Name, _ arguments: [UInt64]) -> ActionOutcome {
        guard let context, let entry = entry(name), let export = module.export(named: name),
            let type = module.functionType(export.index)
        else { return .missing }
        context.pointee.gas = Int64.max
        var slots = arguments + [0]
        var results: [UInt64] = [0]
        let trap = smelt_rt_enter(context, entry, &slots, &results)
        let spent = Int64.max - context.pointee.gas
        if trap != 0 { return .trapped(Trap(rawValue: trap), spent: spent) }
        let values = zip(results, type.results).map { slot, type in
            type == .i32 || type == .f32 ? slot & 0xFFFF_FFFF : slot
        }
        return .returned(values, spent: spent)
    }

    func global(_ name: Name) -> ActionOutcome {
        guard let context, let export = module.export(named: name), export.kind == .global,
            let cell = smelt_rt_instance_global(context, export.index)
        else { return .missing }
        return .returned([cell.pointee], spent: 0)
    }
}
