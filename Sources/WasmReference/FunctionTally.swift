/// What each function of one instance was charged, to the milligas: its metered blocks, what it pays for units, and the
/// trampoline through which it was entered. Together they are what the instance's counter lost. Used on one thread.
public final class FunctionTally {
    /// Milligas by function of the index space.
    private let milligas: UnsafeMutablePointer<UInt64>
    private let code: FlatCode
    private let imported: Int

    public init(_ code: FlatCode) {
        self.code = code
        imported = code.module.importedFunctionCount
        // Sound: freed by `deinit`; indices are of the module's own functions.
        milligas = .allocate(capacity: max(1, code.module.functionCount))
        milligas.initialize(repeating: 0, count: max(1, code.module.functionCount))
    }

    deinit { milligas.deallocate() }

    /// Milligas by function of the index space.
    public var byFunction: [UInt64] { (0..<code.module.functionCount).map { milligas[$0] } }

    func add(_ amount: UInt64, to function: UInt32) { milligas[Int(function)] &+= amount }

    /// Adds to the function that an operation is of.
    func add(_ amount: UInt64, by operation: UnsafePointer<Op>) {
        guard let site = code.site(of: operation) else { return }
        milligas[imported + site.function] &+= amount
    }
}
