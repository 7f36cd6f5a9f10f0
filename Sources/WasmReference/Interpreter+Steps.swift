import Engine

/// Steps of the interpreter's loop.
extension Store {
    /// Entries from host functions have used up the store's stack.
    static var noRoom: EngineError { .outOfMemory("interpreter: no room on the stack") }

    @inline(__always)
    static func displacement(_ op: UnsafePointer<Op>) -> Int {
        Int(Int32(bitPattern: op.pointee.a))
    }

    /// A function reference's record, nil for null. Sound: such slots hold only addresses that `keep` or an
    /// instance gave out, and the store outlives its guests' runs.
    @inline(__always)
    static func record(_ slot: UInt64) -> UnsafePointer<FunctionRecord>? {
        UnsafePointer(bitPattern: UInt(slot))
    }

    @inline(__always)
    static func reload(
        _ context: UnsafeMutablePointer<InstanceContext>, _ memory: inout UnsafeMutablePointer<UInt8>,
        _ size: inout UInt64
    ) {
        if let state = context.pointee.memory {
            memory = state.pointee.base
            size = state.pointee.size
        } else {
            // Every access to 0 bytes is refused before `memory` is used.
            size = 0
        }
    }

    static func instance(_ context: UnsafeMutablePointer<InstanceContext>) -> Instance {
        context.pointee.instance.takeUnretainedValue()
    }

    /// What a trampoline does before it calls: charge, then compare the raised height.
    static func enter(
        _ function: UnsafePointer<FunctionRecord>, height: UInt32, _ tally: FunctionTally?
    ) -> Trap? {
        guard let context = function.pointee.context else { return nil }
        let gas = context.pointee.gas
        tally?.add(function.pointee.trampolineGas, to: function.pointee.index)
        gas.pointee &-= Int64(bitPattern: function.pointee.trampolineGas)
        guard gas.pointee >= 0 else { return .outOfGas }
        return height <= context.pointee.stackLimit ? nil : .stackHeight
    }

    /// Calls a function of the host with the arguments below `top`; nil when the host ends the call.
    static func callHost(
        _ function: UnsafePointer<FunctionRecord>, _ context: UnsafeMutablePointer<InstanceContext>,
        _ top: UnsafeMutablePointer<UInt64>
    ) -> UInt64? {
        guard let host = function.pointee.host?.takeUnretainedValue() else { return nil }
        let count = Int(function.pointee.parameterCount)
        // Sound: the slots stay as they are while the handler runs, whose entries push above `top`.
        let arguments = UnsafeBufferPointer(start: top - count, count: count)
        let memory = context.pointee.memory
        var guest = GuestContext(
            base: memory?.pointee.base, memorySize: memory?.pointee.size ?? 0, counter: context.pointee.gas)
        switch host.handler.callImport(host.index, arguments: arguments.span, guest: &guest) {
        case .result(let slot): return slot
        case .end: return nil
        }
    }
}
