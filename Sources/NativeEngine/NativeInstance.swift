import CActorRuntime
import Engine

/// An instance of a compiled actor.
///
/// Entered on one thread at a time. The runtime ends a call by returning from `smelt_rt_enter`, after every host
/// callback has returned: no Swift frame is jumped over.
public final class NativeInstance: ActorInstance {
    /// Keeps the code mapped.
    let module: NativeModule
    private let handler: any ImportHandler
    private let limiter: ResourceLimiter
    /// What function imports are bound to, by position among them; nil where calls go to the handler.
    private let links: [NativeExternal?]
    let context: UnsafeMutablePointer<smelt_rt_context>

    init(
        _ module: NativeModule, handler: any ImportHandler, limiter: ResourceLimiter, externals: [NativeExternal] = []
    ) throws(EngineError) {
        self.module = module
        self.handler = handler
        self.limiter = limiter
        links = externals.filter { $0.kind == SMELT_RT_FUNCTION.rawValue }
        var options = smelt_rt_options()
        options.limits = smelt_rt_limits(
            memory_maximum: limiter.instance?.memory ?? module.limits.memory,
            table_maximum: limiter.instance?.tableElements ?? module.limits.tableElements)
        options.host_import = callImport
        options.host_limiter = askLimiter
        let rows = externals.map { smelt_rt_extern(kind: $0.kind, index: $0.index, exporter: $0.instance.context) }
        var made: UnsafeMutablePointer<smelt_rt_context>?
        // The rows are read during the call only.
        let status = rows.withUnsafeBufferPointer { rows in
            options.externs = rows.baseAddress
            options.extern_count = UInt64(rows.count)
            return smelt_rt_instance_create(module.descriptor, &options, &made)
        }
        guard status == Int32(SMELT_RT_OK.rawValue), let made else {
            switch status {
            case Int32(SMELT_RT_NO_MEMORY.rawValue): throw .outOfMemory("no memory for an instance")
            case Int32(SMELT_RT_BAD_IMPORT.rawValue): throw .artifact("an import is missing or of another type")
            default: throw .artifact("instance refused, error \(status)")
            }
        }
        context = made
        // Sound: the callbacks run only while a method of this object does, so it is alive.
        context.pointee.host = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { smelt_rt_instance_destroy(context) }

    /// Runs `body` where no guest's frames can exhaust the host's stack; the trap for a local failure when there is
    /// no such stack.
    static func onGuestStack(_ body: () -> Int32) -> Int32 {
        GuestStack.run(body) ?? Trap.localFailure.rawValue
    }

    public var gasCounter: Int64 {
        get { context.pointee.gas }
        set { context.pointee.gas = newValue }
    }

    /// Bytes of linear memory, 0 before `instantiate`.
    public var memorySize: UInt64 { context.pointee.memory_bytes }

    /// A copy of linear memory, for comparing engines.
    public var memoryBytes: [UInt8] {
        guard let base = context.pointee.memory_base else { return [] }
        // Sound: `memory_bytes` bytes from `memory_base` can be read while the instance lives and no guest runs.
        return Array(UnsafeBufferPointer(start: base, count: Int(context.pointee.memory_bytes)))
    }

    public func instantiate() throws(EngineError) -> GuestOutcome {
        try outcome(NativeInstance.onGuestStack { smelt_rt_instance_start(context) }, results: [])
    }

    public func call(_ export: String, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome {
        guard let function = module.function(named: export), function.parameterCount == arguments.count
        else {
            throw .artifact("no exported function \(export) that takes \(arguments.count) arguments")
        }
        let (trap, results) = enter(function, arguments)
        return try outcome(trap, results: results)
    }

    /// The trap that ended a call of an exported function, or 0, and its results.
    func enter(_ function: NativeModule.Function, _ arguments: [UInt64]) -> (trap: Int32, results: [UInt64]) {
        var arguments = arguments
        var results = [UInt64](repeating: 0, count: function.resultCount)
        let trap = arguments.withUnsafeMutableBufferPointer { arguments in
            results.withUnsafeMutableBufferPointer { results in
                NativeInstance.onGuestStack {
                    smelt_rt_enter(context, function.entry, arguments.baseAddress, results.baseAddress)
                }
            }
        }
        return (trap, results)
    }

    /// What a trap number (0: none) means for the host.
    func outcome(_ trap: Int32, results: [UInt64]) throws(EngineError) -> GuestOutcome {
        switch Trap(rawValue: trap) {
        case Trap(rawValue: 0): return .returned(results)
        case .hostAbort: return .endedByHost
        case .localFailure: throw .outOfMemory("no memory for the guest's memory, table or stack")
        // Never the guest's doing: the stack has room for all that is counted, if frames are no larger than reserved.
        case .stackEnd:
            throw .artifact("the guest reached the end of the machine's stack: its object takes more than it reserves")
        // The function alone: reading line tables takes milliseconds, it is common, and they do not know the place.
        case .outOfGas: return .trapped(.outOfGas, module.site(of: context, withOffset: false))
        case let trap: return .trapped(trap, module.site(of: context))
        }
    }

    fileprivate func handleImport(_ index: Int, _ slots: UnsafeMutablePointer<UInt64>) -> Int32 {
        guard module.importArities.indices.contains(index) else { return Trap.localFailure.rawValue }
        // Sound: compiled code passes as many slots as the import's type has parameters, at least one; the memory
        // stays where it is while the import runs, and the counter lives in the context.
        let arguments = UnsafeBufferPointer(start: slots, count: module.importArities[index])
        if index < links.count, let link = links[index] { return follow(link, arguments, slots) }
        let counter = UnsafeMutableRawPointer(context).advanced(by: gasOffset).assumingMemoryBound(to: Int64.self)
        var guest = GuestContext(
            base: context.pointee.memory_base, memorySize: context.pointee.memory_bytes, counter: counter)
        switch handler.callImport(index, arguments: arguments.span, guest: &guest) {
        case .result(let value):
            slots.pointee = value
            return 0
        case .end: return Trap.hostAbort.rawValue
        }
    }

    /// Calls another instance's function on this one's gas; its trap is passed on.
    private func follow(
        _ link: NativeExternal, _ arguments: UnsafeBufferPointer<UInt64>, _ slots: UnsafeMutablePointer<UInt64>
    ) -> Int32 {
        guard let function = link.function else { return Trap.localFailure.rawValue }
        link.instance.gasCounter = gasCounter
        let (trap, results) = link.instance.enter(function, Array(arguments))
        gasCounter = link.instance.gasCounter
        if let result = results.first { slots.pointee = result }
        return trap
    }

    fileprivate func allowGrowth(_ current: UInt64, _ desired: UInt64, _ maximum: UInt64) -> Bool {
        limiter.grow(current: current, desired: desired, maximum: maximum)
    }
}

private let gasOffset = MemoryLayout<smelt_rt_context>.offset(of: \.gas) ?? 16

private func callImport(
    _ host: UnsafeMutableRawPointer?, _ context: UnsafeMutablePointer<smelt_rt_context>?, _ index: UInt32,
    _ slots: UnsafeMutablePointer<UInt64>?
) -> Int32 {
    guard let host, let slots else { return Trap.localFailure.rawValue }
    return Unmanaged<NativeInstance>.fromOpaque(host)._withUnsafeGuaranteedRef { $0.handleImport(Int(index), slots) }
}

private func askLimiter(
    _ host: UnsafeMutableRawPointer?, _ current: UInt64, _ desired: UInt64, _ maximum: UInt64
) -> Int32 {
    guard let host else { return 0 }
    return Unmanaged<NativeInstance>.fromOpaque(host)._withUnsafeGuaranteedRef {
        $0.allowGrowth(current, desired, maximum) ? 1 : 0
    }
}
