import Captures
import CodeSettings
import Engine
import NativeEngine
import WasmFormat
import WasmReference

/// Compiled code of an actor in one tier, with its functions at hand.
struct CompiledActor {
    let tier: Tier
    let module: NativeModule
    /// By index, those the actor defines.
    private let functions: [NativeModule.Function?]
    private let imported: Int

    init(_ tier: Tier, _ module: NativeModule, of actor: WitnessedActor) {
        self.tier = tier
        self.module = module
        imported = actor.module.module.importedFunctionCount
        functions = (imported..<actor.module.module.functionCount).map {
            module.function(named: Array(WitnessedActor.name(function: $0).utf8))
        }
    }

    func function(_ index: Int) -> NativeModule.Function? {
        functions.indices.contains(index - imported) ? functions[index - imported] : nil
    }
}

/// What makes instances of an actor for all engines.
struct ActorEngines {
    let actor: WitnessedActor
    let reference: ReferenceModule
    let compiled: [CompiledActor]
    let answers: AnswerPool

    /// Bytes by which memory may have grown for instances to be used again, for one more call.
    static let growth: UInt64 = 4 << 20

    var isNarrow: [Bool] {
        let module = actor.module.module
        return module.imports.map { entry in
            guard case .function(let index) = entry.kind else { return false }
            return module.type(index)?.results.first == .i32
        }
    }
}

/// Instances of an actor in the interpreter and in compiled code, always in the same state.
final class ActorInstances {
    private let reference: ReferenceInstance
    private let referenceSide: ActorSide
    private let natives: [(tier: Tier, instance: NativeInstance, side: ActorSide)]
    private let watch: GuestWatch
    /// Bytes of memory that inputs have to have.
    let memorySize: UInt64
    /// Whether their memory is still as large as that of the inputs.
    var isExact: Bool { currentSize == memorySize }
    var currentSize: UInt64 { reference.memorySize }
    /// False when one of them cannot be brought back to other states.
    private(set) var isUsable = true
    /// What differs between new instances, by tier.
    private(set) var differences: [Tier: String] = [:]

    /// - Parameter bytes: of memory; nil is what the module begins with.
    init(_ engines: ActorEngines, memory bytes: UInt64?) throws {
        let isNarrow = engines.isNarrow
        let size = bytes ?? UInt64(engines.actor.module.module.memoryTypes.first?.minimum ?? 0) * 65_536
        memorySize = size
        let limit = size + ActorEngines.growth + ActorSide.growth
        let watch = GuestWatch(bytes: limit)
        self.watch = watch
        let host = ActorHost(engines.answers, isNarrow: isNarrow, watch: watch)
        let limiter = ResourceLimiter(limit: limit)
        let reference = try engines.reference.makeInstance(handler: host, limiter: limiter, watch: watch)
        self.reference = reference
        referenceSide = ActorSide(reference, host, limiter) { (function, arguments) throws(EngineError) in
            try reference.call(function: function, arguments)
        }
        natives = try engines.compiled.map { compiled in
            let host = ActorHost(engines.answers, isNarrow: isNarrow, watch: nil)
            let limiter = ResourceLimiter(limit: limit)
            guard let instance = try compiled.module.makeInstance(handler: host, limiter: limiter) as? NativeInstance
            else { throw EngineError.artifact("not a native instance") }
            let side = ActorSide(instance, host, limiter) { (index, arguments) throws(EngineError) in
                guard let function = compiled.function(index) else { throw .artifact("no function \(index)") }
                return try instance.call(function, arguments)
            }
            return (compiled.tier, instance, side)
        }
        reference.gasCounter = 1 << 40
        let expected = try reference.instantiate()
        var differences: [Tier: String] = [:]
        for (tier, instance, _) in natives {
            instance.gasCounter = 1 << 40
            let seen = try instance.instantiate()
            if seen != expected || instance.gasCounter != reference.gasCounter {
                differences[tier] = "instantiation: \(seen), expected \(expected)"
            }
        }
        for guest in [reference as any RestorableGuest] + natives.map(\.instance) {
            guard try guest.growMemory(to: size) else { throw EngineError.artifact("no memory of \(size) bytes") }
        }
        self.differences = differences
        compareAll()
    }

    /// The state as it is.
    func state(_ pool: MemoryPool) -> (memory: CapturedMemory, globals: [UInt64]) {
        (reference.withMemory { pool.capture($0) }, reference.globalSlots)
    }

    /// Calls a function in all engines.
    ///
    /// - Returns: what the interpreter shows, and in which tiers something else came of it.
    func run(_ function: Int, _ input: ActorInput) -> (expected: ActorObservation, differences: [Tier: String]) {
        referenceSide.prepare(input)
        for native in natives { native.side.prepare(input) }
        watch.reset()
        let expected = referenceSide.call(function, input.arguments)
        let written = watch.takeWrites(within: reference.memorySize)
        referenceSide.forget(written)
        var differences: [Tier: String] = [:]
        for (tier, instance, side) in natives {
            let seen = side.call(function, input.arguments)
            side.forget(written)
            if let difference = seen.difference(from: expected) {
                differences[tier] = difference
            } else if let page = written.first(where: { !agrees(instance, on: $0) }) {
                differences[tier] =
                    "contents of memory differ between \(page * MemoryPage.size) and "
                    + "\((page + 1) * MemoryPage.size)"
            }
        }
        // Memory that grew stays so; and what a fault left is no start for others.
        if expected.memorySize > memorySize + ActorEngines.growth || !differences.isEmpty { isUsable = false }
        return (expected, differences)
    }

    /// The input with what the call that was just made with it showed.
    func observed(_ input: ActorInput, _ expected: ActorObservation) -> ActorInput {
        var observed = input
        // Rust's first global is the stack pointer.
        let stack = UInt32(truncatingIfNeeded: input.globals.first ?? 0)
        observed.reads = Array(watch.reads.filter { $0 >= stack }.prefix(Self.mostReads))
        observed.comparisons = Array(watch.comparisons.prefix(Self.mostReads))
        observed.used = input.gas &- expected.gas
        observed.hostCalls = referenceSide.host.count
        return observed
    }

    private static let mostReads = 256

    private func agrees(_ instance: NativeInstance, on page: Int) -> Bool {
        reference.withMemory { memory in
            let start = page * MemoryPage.size
            let end = min(start + MemoryPage.size, memory.count)
            return instance.memory(has: memory.extracting(start..<end), at: UInt64(start))
        }
    }

    /// Compares all of the memories: pages that the interpreter did not write too.
    @discardableResult
    func compareAll() -> [Tier: String] {
        var found: [Tier: String] = [:]
        for (tier, instance, _) in natives
        where instance.memorySize != reference.memorySize
            || !reference.withMemory({ instance.memory(has: $0, at: 0) })
        {
            found[tier] = "contents of memory differ where the interpreter wrote nothing"
        }
        differences.merge(found) { first, _ in first }
        if !found.isEmpty { isUsable = false }
        return found
    }
}
