/// Which metered blocks of a module were charged for, and in which entry first. Used on one thread.
public final class ChargeCoverage: Sendable {
    /// Who was charged for a block first.
    public struct First: Sendable, Hashable {
        /// In the index space.
        public var function: Int
        /// Its number by `EntryCounts`; 0 where nobody counted.
        public var entry: UInt32
    }

    /// Sound to share, both: the owner runs one instance at a time.
    nonisolated(unsafe) private let reached: UnsafeMutablePointer<Bool>
    nonisolated(unsafe) private var found: [First] = []
    private let code: FlatCode
    /// All blocks that can be reached.
    public let total: Int

    public init(_ code: FlatCode) {
        self.code = code
        total = code.chargeCount
        reached = .allocate(capacity: max(1, total))
        reached.initialize(repeating: false, count: max(1, total))
    }

    deinit { reached.deallocate() }

    /// Blocks that were charged for at least once.
    public var count: Int { found.count }
    /// Of each of these, in the order in which they were, who reached it.
    public var firsts: [First] { found }

    /// Blocks that can be reached, by function of the index space.
    public var totals: [Int] {
        var totals = Array(repeating: 0, count: code.module.functionCount)
        let functions = code.functions
        for (defined, function) in functions.enumerated() {
            let end = defined + 1 < functions.count ? functions[defined + 1].entry : code.count
            totals[code.module.importedFunctionCount + defined] = (function.entry..<end)
                .count { code.operations[$0].operation == .charge }
        }
        return totals
    }

    /// Notes what an operation charges for. Sound: the number of a charge is below the code's count of them.
    @inline(__always)
    func charge(_ operation: UnsafePointer<Op>, entry: UInt32) {
        let block = Int(operation.pointee.a)
        if !reached[block] { note(block, operation, entry) }
    }

    @inline(never)
    private func note(_ block: Int, _ operation: UnsafePointer<Op>, _ entry: UInt32) {
        reached[block] = true
        let function = code.site(of: operation).map { code.module.importedFunctionCount + $0.function }
        found.append(First(function: function ?? 0, entry: entry))
    }
}
