import Engine
import Metering
import WasmFormat

/// The reference interpreter as an engine for the host: the witness that native code is compared with.
public final class ReferenceEngine: ActorEngine {
    private let analyze: @Sendable ([UInt8]) -> Result<AnalyzedModule, Refusal>
    private let limits: InstanceLimits
    private let cache = ModuleCache()

    /// - Parameter analyze: the front end with the settings of the network version.
    public init(
        limits: InstanceLimits = .fvm, analyze: @escaping @Sendable ([UInt8]) -> Result<AnalyzedModule, Refusal>
    ) {
        self.limits = limits
        self.analyze = analyze
    }

    public func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode? {
        if let known = cache[key] { return known }
        guard let bytes = wasm() else { return nil }
        let loaded: LoadedCode =
            switch analyze(bytes) {
            case .success(let analyzed): .module(try translated(analyzed))
            case .failure(let refusal): .refused(refusal.diagnostic)
            }
        cache[key] = loaded
        return loaded
    }

    private func translated(_ analyzed: AnalyzedModule) throws(EngineError) -> ReferenceModule {
        do throws(TranslationFault) {
            return try ReferenceModule(analyzed, limits: limits)
        } catch {
            throw .compilation(error.description)
        }
    }
}

/// A module ready for the interpreter.
public final class ReferenceModule: ActorModule {
    public let facts: ModuleFacts
    let code: FlatCode
    let limits: InstanceLimits
    /// Which blocks its instances charged for, when that is counted.
    let coverage: ChargeCoverage?

    /// - Throws: when the plan does not fit the module.
    public convenience init(_ analyzed: AnalyzedModule, limits: InstanceLimits = .fvm) throws(TranslationFault) {
        self.init(try FlatCode(analyzed.module, plan: analyzed.plan), limits: limits)
    }

    /// - Parameter coverage: made for the same code; counts which blocks are reached.
    public init(_ code: FlatCode, limits: InstanceLimits = .fvm, coverage: ChargeCoverage? = nil) {
        self.code = code
        self.coverage = coverage
        self.limits = limits
        facts = ModuleFacts(code.module)
    }

    public func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) -> any ActorInstance {
        try makeInstance(handler: handler, limiter: limiter, tally: nil)
    }

    /// - Parameters:
    ///   - tally: made for the same code; adds up what each function is charged.
    ///   - follower: made for the same code; sees chosen entries of functions.
    ///   - watch: sees what the guest reads, writes and compares, if the code was translated for that.
    public func makeInstance(
        handler: any ImportHandler, limiter: ResourceLimiter, tally: FunctionTally? = nil,
        follower: EntryFollower? = nil, watch: GuestWatch? = nil
    ) throws(EngineError) -> ReferenceInstance {
        var limits = limits
        if let instance = limiter.instance {
            limits.memory = instance.memory
            limits.tableElements = instance.tableElements
        }
        let store = try Store(limiter: limiter, limits: limits)
        store.coverage = coverage
        store.tally = tally
        store.follower = follower
        store.watch = watch
        return ReferenceInstance(code, store: store, handler: handler)
    }
}

/// One instance in a store of its own, every imported function bound to the handler.
public final class ReferenceInstance: ActorInstance {
    private let store: Store
    let instance: Instance
    private let handler: any ImportHandler

    init(_ code: FlatCode, store: Store, handler: any ImportHandler) {
        self.store = store
        self.handler = handler
        instance = Instance(code, store: store)
    }

    public var gasCounter: Int64 {
        get { instance.context.pointee.gas.pointee }
        set { instance.context.pointee.gas.pointee = newValue }
    }

    public func instantiate() throws(EngineError) -> GuestOutcome {
        let module = instance.code.module
        var imports: [ExternalValue] = []
        for entry in module.imports {
            guard case .function(let typeIndex) = entry.kind, let type = module.type(typeIndex) else {
                throw .artifact("import \(entry.module.text)::\(entry.name.text) is not a function")
            }
            let record = store.makeHostFunction(handler, index: imports.count, type: type)
            imports.append(.function(FunctionReference(record: record)))
        }
        return try instance.instantiate(imports: imports)
    }

    public func call(_ export: String, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome {
        guard let outcome = try instance.call(Name(bytes: Array(export.utf8)), arguments) else {
            throw .artifact("no exported function \(export)")
        }
        return outcome
    }

    /// The value of an exported global in a 64-bit slot, for comparing engines.
    public func exportedGlobal(_ name: String) -> UInt64? {
        guard case .global(let global) = instance.exports[Name(name)] else { return nil }
        return global.type.value == .i32 || global.type.value == .f32 ? global.value & 0xFFFF_FFFF : global.value
    }

    /// The bytes of the first memory, for comparing engines.
    public var memoryBytes: [UInt8] {
        guard let state = instance.context.pointee.memory?.pointee else { return [] }
        // Sound: `size` bytes from `base` are allocated while the instance lives.
        return Array(UnsafeBufferPointer(start: state.base, count: Int(state.size)))
    }
}

extension ModuleFacts {
    /// The facts of a decoded module.
    public init(_ module: Module) {
        var functions: [ImportedFunction] = []
        var others = false
        for entry in module.imports {
            guard case .function(let typeIndex) = entry.kind, let type = module.type(typeIndex) else {
                others = true
                continue
            }
            functions.append(
                ImportedFunction(
                    module: entry.module.bytes, name: entry.name.bytes, signature: type.signature))
        }
        let exported = { (name: String, kind: Export.Kind) -> Int? in
            module.export(named: Name(name)).flatMap { $0.kind == kind ? Int($0.index) : nil }
        }
        let invoke: EntryPoint =
            switch module.export(named: Name("invoke")) {
            case nil: .missing
            case .some(let export) where export.kind == .function:
                module.functionType(export.index).map { .function(signature: $0.signature) } ?? .missing
            default: .notAFunction
            }
        self.init(
            importedFunctions: functions, importsOtherThanFunctions: others,
            exportedMemoryPages: exported("memory", .memory).map { module.memoryTypes[$0].minimum },
            exportedTableElements: exported("table", .table).map { module.tableTypes[$0].limits.minimum },
            invoke: invoke)
    }
}
