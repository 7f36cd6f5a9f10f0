import Engine

/// State as a whole, for comparing engines from the same start. Not while the guest runs.
extension ReferenceInstance {
    /// Bytes of the first memory.
    public var memorySize: UInt64 { instance.context.pointee.memory?.pointee.size ?? 0 }

    /// Globals by index, in slots of 64 bits.
    public var globalSlots: [UInt64] {
        let module = instance.code.module
        return module.globalTypes.indices.map { index in
            let slot = instance.context.pointee.globals[index].pointee
            let type = module.globalTypes[index].value
            return type == .i32 || type == .f32 ? slot & 0xFFFF_FFFF : slot
        }
    }

    /// Sets all globals, immutable ones too.
    public func setGlobals(_ slots: [UInt64]) {
        precondition(slots.count == instance.code.module.globalTypes.count)
        for (index, slot) in slots.enumerated() { instance.context.pointee.globals[index].pointee = slot }
    }

    /// Grows the first memory, asking the limiter as guests do.
    ///
    /// - Returns: whether it has that size now.
    public func growMemory(to bytes: UInt64) throws(EngineError) -> Bool {
        guard bytes > memorySize else { return bytes == memorySize }
        let pages = UInt32(truncatingIfNeeded: (bytes - memorySize) / 65_536)
        return try instance.growMemory(by: pages) != nil && memorySize == bytes
    }

    /// Gives the first memory to `body`.
    public func withMemory<R>(_ body: (Span<UInt8>) -> R) -> R {
        let memory = instance.context.pointee.memory?.pointee
        // Sound: `size` bytes from `base` are allocated while the instance lives, nothing writes them meanwhile, and
        // the span cannot leave `body`.
        return body(UnsafeBufferPointer(start: memory?.base, count: Int(memory?.size ?? 0)).span)
    }

    /// Writes to the first memory, which must have the range.
    public func write(_ bytes: Span<UInt8>, at offset: UInt64) {
        guard let memory = instance.context.pointee.memory?.pointee, !bytes.isEmpty else { return }
        precondition(offset <= memory.size && UInt64(bytes.count) <= memory.size - offset)
        // Sound: the range was just checked, and a span is no part of a guest's memory.
        bytes.withUnsafeBufferPointer { bytes in
            if let start = bytes.baseAddress { (memory.base + Int(offset)).update(from: start, count: bytes.count) }
        }
    }

    /// Calls function `index` of the index space as an entry from outside does.
    public func call(function index: Int, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome {
        try instance.call(function: index, arguments)
    }
}
