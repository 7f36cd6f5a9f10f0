/// How often each function of a module was entered, and which entry is waited for. Shared by instances of the same
/// code, on one thread.
public final class EntryCounts {
    private let count: Int
    /// Sound, both: by function of the index space, freed by `deinit`.
    fileprivate let entries: UnsafeMutablePointer<UInt32>
    fileprivate let wanted: UnsafeMutablePointer<UInt32>

    public init(_ code: FlatCode) {
        count = code.module.functionCount
        entries = .allocate(capacity: max(1, count))
        entries.initialize(repeating: 0, count: max(1, count))
        wanted = .allocate(capacity: max(1, count))
        wanted.initialize(repeating: 0, count: max(1, count))
    }

    deinit {
        entries.deallocate()
        wanted.deallocate()
    }

    /// Entries so far, by function of the index space.
    public var byFunction: [UInt32] { (0..<count).map { entries[$0] } }

    /// Begins anew; nothing is waited for.
    public func reset() {
        entries.update(repeating: 0, count: count)
        wanted.update(repeating: 0, count: count)
    }

    /// Waits for an entry of a function by its number, the first being 1; 0 waits for none.
    public func wait(for entry: UInt32, of function: Int) {
        precondition(0..<count ~= function)
        wanted[function] = entry
    }
}

/// Sees entries of functions inside one instance: from outside, by calls and through tables alike.
public final class EntryFollower {
    /// What an entry finds, before the function does anything.
    public struct Entry {
        /// In the index space.
        public var function: Int
        /// The entry's number among the function's.
        public var number: UInt32
        public var arguments: [UInt64]
        /// By index, in slots of 64 bits.
        public var globals: [UInt64]
    }

    private let counts: EntryCounts
    private let capture: (Entry, _ memory: Span<UInt8>) -> Void

    /// - Parameters:
    ///   - counts: made for the same code.
    ///   - capture: gets the entries that are waited for.
    public init(_ counts: EntryCounts, capture: @escaping (Entry, _ memory: Span<UInt8>) -> Void) {
        self.counts = counts
        self.capture = capture
    }

    /// The number of this entry.
    @inline(__always)
    func enter(
        _ function: UnsafePointer<FunctionRecord>, _ context: UnsafeMutablePointer<InstanceContext>,
        arguments: UnsafeMutablePointer<UInt64>
    ) -> UInt32 {
        let index = Int(function.pointee.index)
        let number = counts.entries[index] &+ 1
        counts.entries[index] = number
        if number == counts.wanted[index] { show(function, context, arguments, number) }
        return number
    }

    @inline(never)
    private func show(
        _ function: UnsafePointer<FunctionRecord>, _ context: UnsafeMutablePointer<InstanceContext>,
        _ arguments: UnsafeMutablePointer<UInt64>, _ number: UInt32
    ) {
        let globalCount = Store.instance(context).code.module.globalTypes.count
        let entry = Entry(
            function: Int(function.pointee.index), number: number,
            arguments: (0..<Int(function.pointee.parameterCount)).map { arguments[$0] },
            globals: (0..<globalCount).map { context.pointee.globals[$0].pointee })
        let memory = context.pointee.memory?.pointee
        // Sound: the memory stays where it is until the function runs, and the span cannot leave `capture`.
        let bytes = UnsafeBufferPointer(start: memory?.base, count: Int(memory?.size ?? 0))
        capture(entry, bytes.span)
    }
}
