import Engine
import WasmFormat

/// A linear memory. Several instances may share one.
final class LinearMemory {
    /// The hot half, at an address that the interpreter may keep.
    struct State {
        var base: UnsafeMutablePointer<UInt8>
        var size: UInt64
    }
    let state: UnsafeMutablePointer<State>
    let limits: SizeLimits

    var pages: UInt32 { UInt32(truncatingIfNeeded: state.pointee.size / 65_536) }

    init(limits: SizeLimits) throws(EngineError) {
        self.limits = limits
        let size = UInt64(limits.minimum) * 65_536
        let base = try ZeroedBytes.allocate(size)
        state = .allocate(capacity: 1)
        state.initialize(to: State(base: base, size: size))
    }

    deinit {
        ZeroedBytes.free(state.pointee.base)
        state.deallocate()
    }

    /// Previous pages, or nil where the guest sees -1.
    func grow(by pages: UInt32, limiter: ResourceLimiter, cap: UInt64) throws(EngineError) -> UInt32? {
        let previous = self.pages
        guard pages > 0 else { return previous }
        let size = state.pointee.size
        let desired = size + UInt64(pages) * 65_536
        // The order is the reference's: the limiter knows the declared maximum but not the cap, so a request
        // between the two stays in its tally although it fails.
        let declared = UInt64(limits.maximum ?? 65_536) * 65_536
        guard limiter.grow(current: size, desired: desired, maximum: declared), desired <= cap else { return nil }
        state.pointee.base = try ZeroedBytes.extend(state.pointee.base, from: size, to: desired)
        state.pointee.size = desired
        return previous
    }
}

/// A table of function references. Several instances may share one.
final class FunctionTable {
    struct State {
        /// Addresses of `FunctionRecord`s, 0 for null.
        var elements: UnsafeMutablePointer<UInt64>
        var size: UInt32
    }
    let state: UnsafeMutablePointer<State>
    let limits: SizeLimits

    init(limits: SizeLimits) throws(EngineError) {
        self.limits = limits
        let bytes = try ZeroedBytes.allocate(UInt64(limits.minimum) * 8)
        state = .allocate(capacity: 1)
        state.initialize(to: State(elements: Self.elements(bytes), size: limits.minimum))
    }

    deinit {
        ZeroedBytes.free(UnsafeMutableRawPointer(state.pointee.elements).assumingMemoryBound(to: UInt8.self))
        state.deallocate()
    }

    /// Sound: the bytes come from `calloc`, aligned for any type, and are used as 64-bit words only.
    private static func elements(_ bytes: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: UInt64.self)
    }

    /// Previous elements, or nil where the guest sees -1.
    func grow(
        by count: UInt32, value: UInt64, limiter: ResourceLimiter, cap: UInt32
    ) throws(EngineError) -> UInt32? {
        let previous = state.pointee.size
        guard count > 0 else { return previous }
        let desired = UInt64(previous) + UInt64(count)
        let maximum = UInt64(min(limits.maximum ?? UInt32.max, cap))
        guard limiter.grow(current: UInt64(previous) * 8, desired: desired * 8, maximum: maximum * 8) else {
            return nil
        }
        let bytes = UnsafeMutableRawPointer(state.pointee.elements).assumingMemoryBound(to: UInt8.self)
        let elements = Self.elements(
            try ZeroedBytes.extend(bytes, from: UInt64(previous) * 8, to: desired * 8))
        (elements + Int(previous)).update(repeating: value, count: Int(count))
        state.pointee = State(elements: elements, size: UInt32(truncatingIfNeeded: desired))
        return previous
    }
}

/// A global variable: its cell, which importers share.
final class GlobalCell {
    let type: GlobalType
    let slot: UnsafeMutablePointer<UInt64>

    init(type: GlobalType, value: UInt64) {
        self.type = type
        slot = .allocate(capacity: 1)
        slot.initialize(to: value)
    }

    deinit { slot.deallocate() }
}

/// A function as calls see it; a function reference is the address of one. Plain data, so that calls cost no
/// reference counting: whoever holds the store holds all that is pointed to.
struct FunctionRecord {
    /// The first operation; nil for a function of the host.
    var entry: UnsafePointer<Op>?
    var host: Unmanaged<HostFunction>?
    /// The instance that defines it; nil for the host's.
    var context: UnsafeMutablePointer<InstanceContext>?
    var parameterCount: UInt32
    var resultCount: UInt32
    /// Locals that are not parameters.
    var localCount: UInt32
    /// Slots an activation may use, parameters included.
    var frameSlots: UInt32
    /// The store's number of its type.
    var typeID: UInt32
    /// In its module's index space.
    var index: UInt32
    /// Whether an entry goes through a trampoline: charges, then raises and checks the stack height.
    var hasTrampoline: Bool
    var stackCost: UInt32
    /// Units of `StackReserve`.
    var reserve: UInt32
    /// Milligas.
    var trampolineGas: UInt64
}

/// A function of the host.
final class HostFunction {
    let handler: any ImportHandler
    let index: Int

    init(handler: any ImportHandler, index: Int) {
        self.handler = handler
        self.index = index
    }
}

/// What code of an instance reaches without reference counting.
struct InstanceContext {
    var memory: UnsafeMutablePointer<LinearMemory.State>?
    var globals: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>>
    /// Per function of the index space: what a direct call reaches.
    var functions: UnsafeMutablePointer<UnsafePointer<FunctionRecord>>
    /// Per type index: the store's number.
    var typeIDs: UnsafeMutablePointer<UInt32>
    var tables: UnsafeMutablePointer<UnsafeMutablePointer<FunctionTable.State>>
    var gas: UnsafeMutablePointer<Int64>
    /// Counted elements; no limit when the module is not metered.
    var stackLimit: UInt32
    var instance: Unmanaged<Instance>
}

/// Instances that may share memories, tables, globals and functions, with the stack they run on.
public final class Store {
    public let limiter: ResourceLimiter
    public let limits: InstanceLimits
    var types: [FunctionType: UInt32] = [:]
    /// Kept alive because tables and globals may refer to their functions.
    var instances: [Instance] = []
    var hostFunctions: [HostFunction] = []
    var records: [UnsafeMutablePointer<FunctionRecord>] = []
    let stack: ActivationStack
    /// The gas counter in milligas. One for all instances: charges go with the call, whoever's code it reaches.
    let gas: UnsafeMutablePointer<Int64>
    /// Which blocks were charged for, when that is counted. Shared by stores that run the same code.
    var coverage: ChargeCoverage?
    /// Sees entries of functions, when somebody wants to.
    var follower: EntryFollower?
    /// Sees what watched code reads, writes and compares.
    var watch: GuestWatch?
    /// Where charges are added up by function, when somebody wants to know.
    var tally: FunctionTally?

    public init(limiter: ResourceLimiter, limits: InstanceLimits) throws(EngineError) {
        self.limiter = limiter
        self.limits = limits
        stack = try ActivationStack()
        gas = .allocate(capacity: 1)
        gas.initialize(to: 0)
    }

    deinit {
        for record in records { record.deallocate() }
        gas.deallocate()
    }

    /// The store's number of a type: equal types have equal numbers.
    func number(of type: FunctionType) -> UInt32 {
        if let known = types[type] { return known }
        let number = UInt32(types.count)
        types[type] = number
        return number
    }

    /// Keeps a record at a fixed address for the life of the store.
    func keep(_ record: FunctionRecord) -> UnsafeMutablePointer<FunctionRecord> {
        let pointer = UnsafeMutablePointer<FunctionRecord>.allocate(capacity: 1)
        pointer.initialize(to: record)
        records.append(pointer)
        return pointer
    }

    /// A function of the host, callable by guests.
    func makeHostFunction(
        _ handler: any ImportHandler, index: Int, type: FunctionType
    ) -> UnsafePointer<FunctionRecord> {
        let function = HostFunction(handler: handler, index: index)
        hostFunctions.append(function)
        return UnsafePointer(
            keep(
                FunctionRecord(
                    entry: nil, host: .passUnretained(function), context: nil,
                    parameterCount: UInt32(type.parameters.count), resultCount: UInt32(type.results.count),
                    localCount: 0, frameSlots: 0, typeID: number(of: type), index: UInt32(index),
                    hasTrampoline: false, stackCost: 0, reserve: 0, trampolineGas: 0)))
    }
}
