import ArtifactFormat
import CActorRuntime
import Engine
import Synchronization
import WasmFormat

/// A compiled actor, mapped into this process. Unmapped with its last instance.
public final class NativeModule: ActorModule {
    /// A row of the descriptor's imports.
    struct Import {
        var module: [UInt8]
        var name: [UInt8]
        var kind: UInt32
        /// nil for what is not a function.
        var functionType: FunctionType?
    }

    /// The object's line tables: as they are in its file, read once they were asked for.
    private enum Lines {
        case section(LineTableSection)
        case table(LineTable)
        case none
    }

    /// An exported function; valid while the module lives.
    public struct Function {
        let type: FunctionType
        let entry: smelt_rt_entry_fn
        /// The C function `(context, parameters…) -> result`.
        let typed: UnsafeMutableRawPointer

        var parameterCount: Int { type.parameters.count }
        var resultCount: Int { type.results.count }

        init?(_ row: smelt_rt_export) {
            guard row.kind == SMELT_RT_FUNCTION.rawValue, let signature = row.signature, let entry = row.entry,
                let typed = row.typed
            else { return nil }
            type = FunctionType(signature: signature)
            self.entry = entry
            self.typed = typed
        }
    }

    public let facts: ModuleFacts
    /// Where the limiter of an instance says nothing else.
    let limits: InstanceLimits
    private let lines: Mutex<Lines>
    /// Sound to share between threads: the runtime never writes what these address after loading.
    nonisolated(unsafe) private let code: OpaquePointer
    nonisolated(unsafe) let descriptor: UnsafePointer<smelt_module_descriptor>
    /// Parameters of each imported function.
    let importArities: [Int]
    private static let entryPoint = "invoke"
    /// Sound to share: it addresses code.
    nonisolated(unsafe) private let entryPoint: Function?

    /// Maps an object.
    ///
    /// - Parameters:
    ///   - object: no code of it runs while it is loaded.
    ///   - signals: whether handlers of faults may be installed.
    /// - Throws: `EngineError.artifact` when the runtime cannot run it, `.outOfMemory` when there is no room.
    public init(
        object: LoadableObject, limits: InstanceLimits = .fvm, signals: Bool = true
    ) throws(EngineError) {
        var code: OpaquePointer?
        var why: UnsafePointer<CChar>?
        let status = object.withPlan { plan in
            withUnsafePointer(to: plan) { smelt_rt_code_load($0, &code, &why) }
        }
        guard status == Int32(SMELT_RT_OK.rawValue), let code, let descriptor = smelt_rt_code_module(code) else {
            let reason = why.map { String(cString: $0) } ?? "error \(status)"
            throw status == Int32(SMELT_RT_NO_MEMORY.rawValue) ? .outOfMemory(reason) : .artifact(reason)
        }
        // Code that checks bounds itself runs without handlers; with them the end of the stack is an error there too.
        let hasHandlers = signals && NativeModule.signals
        guard descriptor.pointee.flags & SMELT_RT_CHECKS_BOUNDS.rawValue != 0 || hasHandlers else {
            smelt_rt_code_unload(code)
            throw .artifact(
                signals
                    ? "handlers of memory faults cannot be installed in this process"
                    : "the object has guard pages and needs handlers of memory faults, which this engine must not install"
            )
        }
        self.code = code
        self.descriptor = descriptor
        self.limits = limits
        // Of the file nothing else is needed any more.
        lines = Mutex(.section(LineTableSection(object)))
        facts = ModuleFacts(descriptor.pointee)
        entryPoint = NativeModule.export(named: Array(NativeModule.entryPoint.utf8), of: descriptor.pointee)
            .flatMap { Function($0) }
        importArities = NativeModule.imports(of: descriptor.pointee).compactMap { $0.functionType?.parameters.count }
    }

    deinit { smelt_rt_code_unload(code) }

    /// Faults in guest code become traps through handlers that stay for the life of the process.
    private static let signals = smelt_rt_signals_install() == 0

    public func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        guard !facts.importsOtherThanFunctions else { throw .artifact("the module imports more than functions") }
        return try NativeInstance(self, handler: handler, limiter: limiter)
    }

    /// Names and types of the exported functions, in order.
    public var exportedFunctions: [(name: [UInt8], type: FunctionType)] {
        exports.compactMap { row in Function(row).map { (bytes(row.name, row.name_length), $0.type) } }
    }

    /// Index and name of each exported function, without what would break a line of text.
    var functionExports: [(index: UInt32, name: String)] {
        exports.filter { $0.kind == SMELT_RT_FUNCTION.rawValue }.map { row in
            (
                row.index,
                String(decoding: bytes(row.name, row.name_length).filter { (0x21...0x7E).contains($0) }, as: UTF8.self)
            )
        }
    }

    private var exports: UnsafeBufferPointer<smelt_rt_export> { NativeModule.exports(of: descriptor.pointee) }

    private static func exports(of module: smelt_module_descriptor) -> UnsafeBufferPointer<smelt_rt_export> {
        UnsafeBufferPointer(start: module.exports, count: Int(module.export_count))
    }

    /// The export with this name; names are unique in a module.
    func export(named name: [UInt8]) -> smelt_rt_export? { NativeModule.export(named: name, of: descriptor.pointee) }

    private static func export(named name: [UInt8], of module: smelt_module_descriptor) -> smelt_rt_export? {
        exports(of: module).first { Int($0.name_length) == name.count && bytes($0.name, $0.name_length) == name }
    }

    /// The exported function with this name; nil when there is none. That of actors' entry point is at hand.
    func function(named name: String) -> Function? {
        name == NativeModule.entryPoint ? entryPoint : function(named: Array(name.utf8))
    }

    /// The exported function with this name; nil when there is none.
    public func function(named name: [UInt8]) -> Function? { export(named: name).flatMap { Function($0) } }

    var imports: [Import] { NativeModule.imports(of: descriptor.pointee) }

    fileprivate static func imports(of module: smelt_module_descriptor) -> [Import] {
        UnsafeBufferPointer(start: module.imports, count: Int(module.import_count)).map { row in
            let isFunction = row.kind == SMELT_RT_FUNCTION.rawValue
            return Import(
                module: bytes(row.module, row.module_length), name: bytes(row.name, row.name_length), kind: row.kind,
                functionType: isFunction ? row.signature.map { FunctionType(signature: $0) } : nil)
        }
    }

    /// The place of an instruction in the WASM binary by the object's line tables, which are read when the first
    /// trap asks.
    private func lineOffset(_ address: UInt64) -> UInt32? {
        let table = lines.withLock { lines in
            if case .section(let section) = lines { lines = (try? LineTable(section)).map { .table($0) } ?? .none }
            return if case .table(let table) = lines { table } else { nil as LineTable? }
        }
        let module = UInt64(UInt(bitPattern: descriptor))
        return table?.wasmOffset(distanceFromModule: Int64(bitPattern: address &- module))
    }

    /// Where a trap happened, as far as it is known; nil when it was in another module's code.
    func site(of context: UnsafeMutablePointer<smelt_rt_context>, withOffset: Bool = true) -> TrapSite? {
        let address = context.pointee.trap_pc
        guard address != 0, let function = function(at: address) else { return nil }
        return TrapSite(function: function, offset: withOffset ? lineOffset(address) : nil)
    }

    /// The function whose code is at a native address. Rows need not be in the order of their code; traps are rare, and
    /// modules have thousands of functions, not millions.
    private func function(at address: UInt64) -> UInt32? {
        let rows = UnsafeBufferPointer(
            start: descriptor.pointee.functions, count: Int(descriptor.pointee.function_count))
        return rows.firstIndex { row in
            row.code.map { address &- UInt64(UInt(bitPattern: $0)) < row.code_length } ?? false
        }.map { UInt32(truncatingIfNeeded: $0) }
    }
}

/// Bytes of a name in the descriptor. Sound: the verifier and the loader checked that ranges lie in the object.
private func bytes(_ start: UnsafePointer<CChar>?, _ count: UInt32) -> [UInt8] {
    guard let start else { return [] }
    return start.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
        Array(UnsafeBufferPointer(start: $0, count: Int(count)))
    }
}

extension ModuleFacts {
    init(_ module: smelt_module_descriptor) {
        let imports = NativeModule.imports(of: module)
        let exports = UnsafeBufferPointer(start: module.exports, count: Int(module.export_count))
        func export(_ name: StaticString, _ kind: smelt_rt_external_kind? = nil) -> smelt_rt_export? {
            let wanted = name.withUTF8Buffer { Array($0) }
            return exports.first {
                bytes($0.name, $0.name_length) == wanted && (kind == nil || $0.kind == kind?.rawValue)
            }
        }
        // What is imported and exported again is charged for before linking refuses the module.
        func importedMinimum(_ kind: smelt_rt_external_kind) -> UInt32 {
            UnsafeBufferPointer(start: module.imports, count: Int(module.import_count))
                .first { $0.kind == kind.rawValue }?.minimum ?? 0
        }
        let entry: EntryPoint
        if let invoke = export("invoke") {
            entry = NativeModule.Function(invoke).map { .function(signature: $0.type.signature) } ?? .notAFunction
        } else {
            entry = .missing
        }
        self.init(
            importedFunctions: imports.compactMap { entry in
                entry.functionType.map {
                    ImportedFunction(module: entry.module, name: entry.name, signature: $0.signature)
                }
            },
            importsOtherThanFunctions: imports.contains { $0.kind != SMELT_RT_FUNCTION.rawValue },
            exportedMemoryPages: export("memory", SMELT_RT_MEMORY).map { _ in
                module.has_memory != 0 ? module.memory_minimum : importedMinimum(SMELT_RT_MEMORY)
            },
            exportedTableElements: export("table", SMELT_RT_TABLE).map { _ in
                module.has_table != 0 ? module.table_minimum : importedMinimum(SMELT_RT_TABLE)
            },
            invoke: entry)
    }
}
