import CActorRuntime
import Engine

/// An instance of a compiled actor.
///
/// Entered on one thread at a time. The runtime ends a call by returning from `smelt_rt_enter`, after every host
/// callback has returned: no Swift frame is jumped over.
final class NativeInstance: ActorInstance {
    private let module: NativeModule
    private let handler: any ImportHandler
    private let limiter: ResourceLimiter
    let context: UnsafeMutablePointer<smelt_rt_context>

    init(
        _ module: NativeModule, handler: any ImportHandler, limiter: ResourceLimiter
    ) throws(EngineError) {
        self.module = module
        self.handler = handler
        self.limiter = limiter
        var options = smelt_rt_options()
        options.limits = smelt_rt_limits(
            memory_maximum: module.limits.memory, table_maximum: module.limits.tableElements,
            stack_limit: module.limits.stackHeight, native_stack: module.limits.nativeStack)
        options.host_import = callImport
        options.host_limiter = askLimiter
        var made: UnsafeMutablePointer<smelt_rt_context>?
        let status = smelt_rt_instance_create(module.descriptor, &options, &made)
        guard status == 0, let made else {
            throw status == Int32(SMELT_RT_NO_MEMORY.rawValue)
                ? .outOfMemory("no memory for an instance") : .artifact("instance refused, error \(status)")
        }
        context = made
        // Sound: the callbacks run only while a method of this object does, so it is alive.
        context.pointee.host = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { smelt_rt_instance_destroy(context) }

    var gasCounter: Int64 {
        get { context.pointee.gas }
        set { context.pointee.gas = newValue }
    }

    func instantiate() throws(EngineError) -> GuestOutcome {
        try outcome(smelt_rt_instance_start(context), results: [])
    }

    func call(_ export: String, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome {
        guard let function = module.function(named: export), let entry = function.entry,
            let signature = function.signature, arguments.count == Int(signature[0])
        else { throw .artifact("no exported function \(export) that takes \(arguments.count) arguments") }
        var arguments = arguments
        var results = [UInt64](repeating: 0, count: Int(signature[1]))
        let trap = arguments.withUnsafeMutableBufferPointer { arguments in
            results.withUnsafeMutableBufferPointer { results in
                smelt_rt_enter(context, entry, arguments.baseAddress, results.baseAddress)
            }
        }
        return try outcome(trap, results: results)
    }

    /// What a trap number (0: none) means for the host.
    func outcome(_ trap: Int32, results: [UInt64]) throws(EngineError) -> GuestOutcome {
        switch Trap(rawValue: trap) {
        case Trap(rawValue: 0): return .returned(results)
        case .hostAbort: return .endedByHost
        case .localFailure: throw .outOfMemory("no memory for the guest's memory, table or stack")
        case let trap: return .trapped(trap, module.site(of: context))
        }
    }

    fileprivate func handleImport(_ index: Int, _ slots: UnsafeMutablePointer<UInt64>) -> Int32 {
        guard module.importArities.indices.contains(index) else { return Trap.localFailure.rawValue }
        // Sound: compiled code passes as many slots as the import's type has parameters, at least one; the memory
        // stays where it is while the import runs, and the counter lives in the context.
        let arguments = UnsafeBufferPointer(start: slots, count: module.importArities[index])
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
    return Unmanaged<NativeInstance>.fromOpaque(host).takeUnretainedValue().handleImport(Int(index), slots)
}

private func askLimiter(
    _ host: UnsafeMutableRawPointer?, _ current: UInt64, _ desired: UInt64, _ maximum: UInt64
) -> Int32 {
    guard let host else { return 0 }
    return Unmanaged<NativeInstance>.fromOpaque(host).takeUnretainedValue().allowGrowth(current, desired, maximum)
        ? 1 : 0
}
