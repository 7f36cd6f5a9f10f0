import CActorRuntime
import Engine
import Glibc

/// State as a whole, for comparing engines from the same start. Not while the guest runs.
extension NativeInstance {
    private var globalCount: Int { Int(module.descriptor.pointee.global_count) }

    /// Globals by index, in slots of 64 bits.
    public var globalSlots: [UInt64] {
        (0..<globalCount).map { smelt_rt_instance_global(context, UInt32($0))?.pointee ?? 0 }
    }

    /// Sets all globals, immutable ones too.
    public func setGlobals(_ slots: [UInt64]) {
        precondition(slots.count == globalCount)
        // Sound: the runtime gives the cell of each global of the index space.
        for (index, slot) in slots.enumerated() { smelt_rt_instance_global(context, UInt32(index))?.pointee = slot }
    }

    /// Grows the memory without asking the limiter.
    ///
    /// - Returns: whether it has that size now.
    public func growMemory(to bytes: UInt64) throws(EngineError) -> Bool {
        guard bytes > memorySize else { return bytes == memorySize }
        guard let slot = context.pointee.slot, bytes <= context.pointee.memory_maximum else { return false }
        guard smelt_rt_slot_grow(slot, bytes) == 0 else { throw .outOfMemory("no memory for the guest's memory") }
        return memorySize == bytes
    }

    /// Writes to the memory, which must have the range.
    public func write(_ bytes: Span<UInt8>, at offset: UInt64) {
        guard let base = context.pointee.memory_base, !bytes.isEmpty else { return }
        precondition(offset <= memorySize && UInt64(bytes.count) <= memorySize - offset)
        // Sound: the range was just checked, and a span is no part of a guest's memory.
        bytes.withUnsafeBufferPointer { bytes in
            if let start = bytes.baseAddress { (base + Int(offset)).update(from: start, count: bytes.count) }
        }
    }

    /// Whether the memory has these bytes at an offset; not where it does not have the range.
    public func memory(has bytes: Span<UInt8>, at offset: UInt64) -> Bool {
        guard offset <= memorySize, UInt64(bytes.count) <= memorySize - offset else { return false }
        guard let base = context.pointee.memory_base else { return true }
        // Sound: the range was just checked, and nothing writes it meanwhile.
        return bytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { memcmp(base + Int(offset), $0, bytes.count) == 0 } ?? true
        }
    }

    /// Calls an exported function that was looked up.
    public func call(
        _ function: NativeModule.Function, _ arguments: [UInt64]
    ) throws(EngineError) -> GuestOutcome {
        guard function.parameterCount == arguments.count else {
            throw .artifact("a function of \(function.parameterCount) parameters got \(arguments.count)")
        }
        let (trap, results) = enter(function, arguments)
        return try outcome(trap, results: results)
    }
}
