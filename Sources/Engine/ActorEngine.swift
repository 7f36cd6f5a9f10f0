import CActorRuntime

/// Why a guest stopped: one of the traps listed in `smeltrt.h`, the only list of them.
public struct Trap: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }
    public init(_ trap: smelt_rt_trap) { self.rawValue = Int32(bitPattern: trap.rawValue) }

    /// Whether it is something the guest did; the others are of the host, and no exit code follows from them.
    public var isOfGuest: Bool { 0 < rawValue && rawValue < SMELT_RT_FIRST_HOST_TRAP }

    public var description: String {
        guard let text = smelt_rt_trap_text(rawValue) else { return "trap \(rawValue)" }
        return String(cString: text)
    }
}

/// Where a guest trapped, for people; absent where the engine does not know.
public struct TrapSite: Hashable, Sendable {
    public var function: UInt32
    /// Byte offset in the WASM binary.
    public var offset: UInt32?

    public init(function: UInt32, offset: UInt32?) {
        self.function = function
        self.offset = offset
    }
}

/// How a call into a guest ended.
public enum GuestOutcome: Hashable, Sendable {
    /// Normally, with the results in 64-bit slots (i32 and f32 zero-extended).
    case returned([UInt64])
    case trapped(Trap, TrapSite?)
    /// An import handler asked to end the call; the handler knows why.
    case endedByHost
}

/// What an import handler tells the engine.
public enum ImportOutcome: Sendable {
    /// Continue with this result slot (ignored when the import has no result).
    case result(UInt64)
    /// Unwind the guest frames up to the innermost `call`.
    case end
}

/// A failure of this machine, never of the guest and never a receipt: no memory, disk full, worker killed.
public enum EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    case outOfMemory(String)
    case compilation(String)
    case artifact(String)

    public var description: String {
        switch self {
        case .outOfMemory(let reason), .compilation(let reason), .artifact(let reason): reason
        }
    }
}

/// What the guest calls: one object per actor invocation. `Span`s and views die when the handler returns.
public protocol ImportHandler: AnyObject {
    /// Handles a call of function import `index` (position among the module's function imports).
    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome
}

/// The bytes an instance may take, shared by all live instances of a message. (reference: wasmtime's
/// ResourceLimiter as the FVM implements it; `memory.grow 0` asks nobody.)
public final class ResourceLimiter {
    /// Bytes taken by memories and tables (8 per element) of all live frames.
    public private(set) var used: UInt64 = 0
    /// 2 GiB for the FVM.
    public let limit: UInt64
    /// What each instance may take; nil leaves it to the engine.
    public let instance: InstanceLimits?

    public init(limit: UInt64, instance: InstanceLimits? = nil) {
        self.limit = limit
        self.instance = instance
    }

    /// Takes the growth from `current` to `desired` bytes, or refuses it and takes nothing.
    public func grow(current: UInt64, desired: UInt64, maximum: UInt64) -> Bool {
        guard desired <= maximum else { return false }
        let (total, overflow) = used.addingReportingOverflow(desired &- min(current, desired))
        guard !overflow, total <= limit else { return false }
        used = total
        return true
    }

    /// Puts the tally back to what it was when a frame was entered.
    public func restore(_ earlier: UInt64) { used = earlier }
}

/// The bounds of one instance, which a network version states.
public struct InstanceLimits: Sendable, Hashable {
    /// Bytes of memory.
    public var memory: UInt64
    /// Elements of a table.
    public var tableElements: UInt32

    public init(memory: UInt64, tableElements: UInt32) {
        self.memory = memory
        self.tableElements = tableElements
    }

    /// The FVM's, as all network versions so far have them.
    public static let fvm = InstanceLimits(memory: 512 << 20, tableElements: 20_000)
    /// What the WebAssembly test suite needs.
    public static let suite = InstanceLimits(memory: 4 << 30, tableElements: 10_000_000)
}

/// Facts of a module the host needs before it makes an instance; prices depend on them.
public struct ModuleFacts: Sendable {
    public struct ImportedFunction: Sendable, Hashable {
        public var module: [UInt8]
        public var name: [UInt8]
        /// The type as `FunctionType.signature` writes it.
        public var signature: [UInt8]

        public init(module: [UInt8], name: [UInt8], signature: [UInt8]) {
            self.module = module
            self.name = name
            self.signature = signature
        }
    }
    public enum EntryPoint: Sendable, Hashable {
        case missing
        case notAFunction
        /// The signature as above.
        case function(signature: [UInt8])
    }

    /// In import order.
    public var importedFunctions: [ImportedFunction]
    /// Whether anything else than functions is imported (such a module cannot be linked).
    public var importsOtherThanFunctions: Bool
    /// Minimum pages of the memory exported as `memory`.
    public var exportedMemoryPages: UInt32?
    /// Minimum elements of the table exported as `table`.
    public var exportedTableElements: UInt32?
    public var invoke: EntryPoint

    public init(
        importedFunctions: [ImportedFunction], importsOtherThanFunctions: Bool, exportedMemoryPages: UInt32?,
        exportedTableElements: UInt32?, invoke: EntryPoint
    ) {
        self.importedFunctions = importedFunctions
        self.importsOtherThanFunctions = importsOtherThanFunctions
        self.exportedMemoryPages = exportedMemoryPages
        self.exportedTableElements = exportedTableElements
        self.invoke = invoke
    }
}

/// A module ready to be instantiated any number of times.
public protocol ActorModule: AnyObject, Sendable {
    var facts: ModuleFacts { get }
    /// Makes an instance whose memory and globals do not exist yet for the guest; `instantiate` makes them.
    func makeInstance(handler: any ImportHandler, limiter: ResourceLimiter) throws(EngineError) -> any ActorInstance
}

public protocol ActorInstance: AnyObject {
    /// The gas counter W in milligas; negative when exhausted.
    var gasCounter: Int64 { get set }
    /// Takes memory and table from the limiter, copies segments and runs the start function.
    /// A refusal of the limiter or a segment out of bounds is a trap.
    func instantiate() throws(EngineError) -> GuestOutcome
    /// Calls an exported function through its trampoline.
    func call(_ export: String, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome
}

/// What came of asking for an actor's code.
public enum LoadedCode: Sendable {
    case module(any ActorModule)
    /// The FVM refuses these bytes; the text says stage, place and rule. This is fatal for the message.
    case refused(String)
}

/// Finds or makes executable code for an actor.
public protocol ActorEngine: AnyObject, Sendable {
    /// `key` is the code CID's bytes; `wasm` is asked only when the code is not at hand, nil when there is none.
    func load(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> LoadedCode?
}
