import CodeSettings
import LLVMKit
import Metering
import SinglePass

/// How a module is lowered. Everything here is part of an artifact's key.
public struct LoweringOptions: Sendable, Hashable {
    public var bounds: Bounds
    public var tier: Tier
    /// An LLVM target triple.
    public var triple: String
    public var cpu: CPULevel
    /// Links modules to each other (the `suite` profile): tables hold functions of other instances, types are
    /// numbered by the hash of their signature.
    public var linksEverything: Bool
    /// Emits line tables that map native code to byte offsets in the WASM binary.
    public var lineTables: Bool
    /// Limits of the pre-pass that chooses a function's tier.
    public var budget: Budget
    /// Instructions that a part of a module has at least, where code is made in parts.
    public var partLength: UInt64

    public init(
        bounds: Bounds = .guardPages, tier: Tier = .optimised, triple: String = "x86_64-unknown-linux-gnu",
        cpu: CPULevel = .standard, linksEverything: Bool = false, lineTables: Bool = true,
        budget: Budget = .standard, partLength: UInt64 = LoweringOptions.standardPartLength
    ) {
        self.bounds = bounds
        self.tier = tier
        self.triple = triple
        self.cpu = cpu
        self.linksEverything = linksEverything
        self.lineTables = lineTables
        self.budget = budget
        self.partLength = partLength
    }

    /// Half a second of processor time: what is smaller stays whole.
    public static let standardPartLength: UInt64 = 24_000
}

extension LoweringOptions {
    /// Who reads the counter of the context in optimised code, besides the functions of the runtime.
    public var counterReaders: CounterPlan.Readers {
        var readers: CounterPlan.Readers = []
        if bounds == .guardPages { readers.insert(.accesses) }
        if linksEverything { readers.insert(.indirectCalls) }
        return readers
    }
}

/// What to stop at.
public enum LoweringProduct: String, Sendable, Hashable {
    /// One object, which is the whole module.
    case object
    /// Objects that are linked in their order: as many as the module's size tells, whoever makes them.
    case parts
    case assembly
    /// LLVM IR as lowered.
    case ir
}

/// The compiler could not lower a module that the front end accepted. This is a failure of the compiler, never
/// of the module, and never a receipt.
public enum LoweringError: Error, Sendable, CustomStringConvertible {
    /// A rule that validation guarantees does not hold.
    case inconsistent(function: UInt32, offset: UInt32, rule: String)
    /// LLVM refused what it was given, or cannot do what was asked.
    case llvm(LLVMError)
    /// The code generator made a frame larger than the rule of stack reserves allows, so the machine's stack could end
    /// before the guest does. Sizes in bytes, with the function's entries.
    case frame(function: UInt32, bytes: UInt64, reserve: UInt64)
    /// The baseline tier makes machine code at once: there is neither IR nor assembly text.
    case noText(LoweringProduct)

    init(_ error: SinglePassError) {
        self =
            switch error {
            case .inconsistent(let function, let offset, let rule):
                .inconsistent(function: function, offset: offset, rule: rule)
            case .plan(let fault): LoweringError(fault)
            case .frame(let function, let bytes, let reserve):
                .frame(function: function, bytes: bytes, reserve: reserve)
            }
    }

    init(_ fault: PlanFault) {
        self = .inconsistent(
            function: fault.function, offset: 0, rule: "instruction \(fault.position): \(fault.rule)")
    }

    public var description: String {
        switch self {
        case .inconsistent(let function, let offset, let rule):
            "function \(function) at 0x\(String(offset, radix: 16)): \(rule)"
        case .llvm(let error): error.description
        case .noText(let product):
            "the baseline tier makes machine code at once, without \(product.rawValue); 'objdump -d' shows an object"
        case .frame(let function, let bytes, let reserve):
            "function \(function): its frame takes \(bytes) bytes, the reserve is \(reserve)"
        }
    }
}

/// How far lowering is.
public enum LoweringProgress: Sendable, Hashable {
    /// A stage begins; named as in `LoweringOutput.stages`.
    case stage(String)
    /// Code of the function with this symbol has been generated (entries and thunks count too), in so many seconds of
    /// wall time.
    case function(String, seconds: Double)
}

/// What came of lowering one module.
public struct LoweringOutput: Sendable {
    /// The objects, or the text, that was asked for; at least one.
    public var objects: [[UInt8]]
    /// The tier the module has, which may be lower than the one asked for.
    public var tier: Tier
    /// Per function the module defines, in order.
    public var functions: [FunctionFacts]
    /// Seconds of wall time, by stage, in the order they ran; of parts that were made side by side the sum.
    public var stages: [(name: String, seconds: Double)]

    /// The one object or text, where no parts were asked for.
    public var bytes: [UInt8] { objects[0] }
}

/// What is known about one lowered function.
public struct FunctionFacts: Sendable, Hashable {
    /// Of the index space.
    public var index: UInt32
    public var estimate: Estimate
    /// Bytes of its native stack frame; nil when the code generator did not run.
    public var frameBytes: UInt64?
}
