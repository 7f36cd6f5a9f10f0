import Metering
import Validator
import WasmFormat

/// A module translated once: flat operations with resolved branches, shared by all its instances.
public final class FlatCode: Sendable {
    /// How calls see a function the module defines.
    struct Function: Sendable {
        /// Index of its first operation.
        var entry: Int
        var parameterCount: UInt32
        var resultCount: UInt32
        var localCount: UInt32
        var frameSlots: UInt32
    }

    public let module: Module
    public let plan: MeteringPlan?
    let reserve: StackReserve
    let functions: [Function]
    /// Sound to share: written by `init` only, freed by `deinit`.
    nonisolated(unsafe) let operations: UnsafePointer<Op>
    let count: Int
    /// Charges of blocks in code that can be reached.
    public let chargeCount: Int
    /// Per operation: the byte offset of its instruction in the binary.
    private let offsets: [UInt32]

    /// - Parameters:
    ///   - plan: what to charge; nil runs without gas and stack heights.
    ///   - isWatched: whether a `GuestWatch` sees what it reads, writes and compares.
    /// - Throws: when the plan does not fit the module.
    public init(
        _ validated: ValidatedModule, plan: MeteringPlan?, isWatched: Bool = false
    ) throws(TranslationFault) {
        module = validated.module
        self.plan = plan
        reserve = StackReserve(validated.module, plan: plan)
        var translator = try Translator(validated, plan: plan, isWatched: isWatched)
        var functions: [Function] = []
        functions.reserveCapacity(module.bodies.count)
        for index in module.bodies.indices { functions.append(try translator.translate(index)) }
        self.functions = functions
        count = translator.operations.count
        offsets = translator.offsets
        chargeCount = Int(translator.chargeCount)
        let storage = UnsafeMutablePointer<Op>.allocate(capacity: max(1, count))
        storage.initialize(repeating: Op(.unreachable), count: max(1, count))
        for (index, operation) in translator.operations.enumerated() { storage[index] = operation }
        operations = UnsafePointer(storage)
    }

    deinit { operations.deallocate() }

    /// The defined function and the byte offset that an operation comes from.
    func site(of operation: UnsafePointer<Op>) -> (function: Int, offset: UInt32)? {
        let index = operation - operations
        guard offsets.indices.contains(index) else { return nil }
        var low = 0
        var high = functions.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if functions[middle].entry <= index { low = middle } else { high = middle }
        }
        return (low, offsets[index])
    }
}
