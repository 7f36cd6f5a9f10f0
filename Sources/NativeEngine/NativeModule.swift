import CActorRuntime
import Engine
import WasmFormat

/// What instances may take (the FVM's limits unless said otherwise).
public struct NativeLimits: Sendable {
    /// Bytes of an instance's memory.
    public var memory: UInt64
    /// Elements of a table.
    public var tableElements: UInt32
    /// Counted elements of the stack limiter.
    public var stackHeight: UInt32
    /// Bytes of native stack for one entry.
    public var nativeStack: UInt64

    public init(
        memory: UInt64 = 512 << 20, tableElements: UInt32 = 20_000, stackHeight: UInt32 = 2_048,
        nativeStack: UInt64 = 4 << 20
    ) {
        self.memory = memory
        self.tableElements = tableElements
        self.stackHeight = stackHeight
        self.nativeStack = nativeStack
    }
}

/// A compiled actor, mapped into this process. Unmapped with its last instance.
public final class NativeModule: ActorModule {
    public let facts: ModuleFacts
    let limits: NativeLimits
    /// Sound to share between threads: the runtime never writes what these address after loading.
    nonisolated(unsafe) private let code: OpaquePointer
    nonisolated(unsafe) let descriptor: UnsafePointer<smelt_module_descriptor>
    /// Parameters of each imported function.
    let importArities: [Int]

    /// Maps an object.
    ///
    /// - Parameter object: bytes that passed `ArtifactFormat.verify`; no code of it runs while it is loaded.
    /// - Throws: `EngineError.artifact` when the runtime cannot run it, `.outOfMemory` when there is no room.
    public init(object: [UInt8], limits: NativeLimits = NativeLimits()) throws(EngineError) {
        guard NativeModule.signals else {
            throw .artifact("handlers of memory faults cannot be installed in this process")
        }
        var code: OpaquePointer?
        var why: UnsafePointer<CChar>?
        let status = object.withUnsafeBufferPointer {
            smelt_rt_code_load($0.baseAddress, UInt64($0.count), &code, &why)
        }
        guard status == 0, let code, let descriptor = smelt_rt_code_module(code) else {
            let reason = why.map { String(cString: $0) } ?? "error \(status)"
            throw status == Int32(SMELT_RT_NO_MEMORY.rawValue) ? .outOfMemory(reason) : .artifact(reason)
        }
        self.code = code
        self.descriptor = descriptor
        self.limits = limits
        facts = ModuleFacts(descriptor.pointee)
        importArities = facts.importedFunctions.map { Int($0.signature.first ?? 0) }
    }

    deinit { smelt_rt_code_unload(code) }

    /// Faults in guest code become traps through handlers that stay for the life of the process.
    private static let signals = smelt_rt_signals_install() == 0

    public func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        try NativeInstance(self, handler: handler, limiter: limiter)
    }

    /// The exported function with this name; nil when there is none.
    func function(named name: String) -> smelt_rt_export? {
        let module = descriptor.pointee
        let wanted = Array(name.utf8)
        for export in UnsafeBufferPointer(start: module.exports, count: Int(module.export_count))
        where export.kind == SMELT_RT_FUNCTION.rawValue && bytes(export.name, export.name_length) == wanted {
            return export
        }
        return nil
    }

    /// Names and types of the exported functions, in order.
    public var exportedFunctions: [(name: [UInt8], type: FunctionType)] {
        let module = descriptor.pointee
        return UnsafeBufferPointer(start: module.exports, count: Int(module.export_count)).compactMap { export in
            guard export.kind == SMELT_RT_FUNCTION.rawValue, let signature = export.signature else { return nil }
            return (bytes(export.name, export.name_length), FunctionType(signature: signature))
        }
    }

    /// Where a trap happened, as far as it is known.
    func site(of context: UnsafeMutablePointer<smelt_rt_context>) -> TrapSite? {
        var function = context.pointee.trap_function
        var offset: UInt32 = 0
        if context.pointee.trap_pc != 0 {
            let known = smelt_rt_site_find(descriptor, context.pointee.trap_pc, &function, &offset)
            if known == 1 { return TrapSite(function: function, offset: offset) }
        }
        return function == .max ? nil : TrapSite(function: function, offset: nil)
    }
}

/// Bytes of a name in the descriptor. Sound: the verifier and the loader checked that ranges lie in the object.
private func bytes(_ start: UnsafePointer<CChar>?, _ count: UInt32) -> [UInt8] {
    guard let start else { return [] }
    return start.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
        Array(UnsafeBufferPointer(start: $0, count: Int(count)))
    }
}

/// "parameter count, result count, types…" as an array.
private func signatureBytes(_ start: UnsafePointer<UInt8>?) -> [UInt8] {
    guard let start else { return [] }
    return Array(UnsafeBufferPointer(start: start, count: 2 + Int(start[0]) + Int(start[1])))
}

extension FunctionType {
    /// The type a descriptor's signature says.
    init(signature: UnsafePointer<UInt8>) {
        let bytes = signatureBytes(signature)
        let types = bytes.dropFirst(2).compactMap { ValueType(rawValue: $0) }
        self.init(
            parameters: Array(types.prefix(Int(bytes[0]))), results: Array(types.dropFirst(Int(bytes[0]))))
    }
}

extension ModuleFacts {
    init(_ module: smelt_module_descriptor) {
        let imports = UnsafeBufferPointer(start: module.imports, count: Int(module.import_count))
        let exports = UnsafeBufferPointer(start: module.exports, count: Int(module.export_count))
        func export(_ name: StaticString, _ kind: smelt_rt_external_kind? = nil) -> smelt_rt_export? {
            let wanted = name.withUTF8Buffer { Array($0) }
            return exports.first {
                bytes($0.name, $0.name_length) == wanted && (kind == nil || $0.kind == kind?.rawValue)
            }
        }
        let entry: EntryPoint
        if let invoke = export("invoke") {
            entry =
                invoke.kind == SMELT_RT_FUNCTION.rawValue
                ? .function(signature: signatureBytes(invoke.signature)) : .notAFunction
        } else {
            entry = .missing
        }
        self.init(
            importedFunctions: imports.filter { $0.kind == SMELT_RT_FUNCTION.rawValue }.map {
                ImportedFunction(
                    module: bytes($0.module, $0.module_length), name: bytes($0.name, $0.name_length),
                    signature: signatureBytes($0.signature))
            },
            importsOtherThanFunctions: imports.contains { $0.kind != SMELT_RT_FUNCTION.rawValue },
            exportedMemoryPages: export("memory", SMELT_RT_MEMORY).map { _ in module.memory_minimum },
            exportedTableElements: export("table", SMELT_RT_TABLE).map { _ in module.table_minimum },
            invoke: entry)
    }
}
