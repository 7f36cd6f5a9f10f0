/// Where a module is refused, in the order in which the FVM looks.
public enum RefusalStage: String, Sendable, Hashable {
    /// The bytes are no module (malformed in the words of the core spec).
    case decode
    /// A rule of validation, or a feature that is off.
    case validate
    /// The first instrumentation pass.
    case stackLimiter = "stack limiter"
    /// The second instrumentation pass.
    case gas
    /// Validation of the instrumented module, to which the size limits apply again.
    case postValidate = "validate instrumented"
    /// Limits of the reference's pooling allocator.
    case poolLimits = "pool limits"
    /// An import that is no syscall of the generation.
    case link
}

/// The FVM refuses these bytes. A fact about the module, the same on every machine: never a local failure.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The check that failed.
    public let stage: RefusalStage
    /// In the function index space.
    public let function: UInt32?
    /// Bytes from the start of the binary.
    public let offset: UInt32?
    /// What is wrong, with the value and the limit.
    public let rule: String

    public init(stage: RefusalStage, function: UInt32? = nil, offset: UInt32? = nil, rule: String) {
        self.stage = stage
        self.function = function
        self.offset = offset
        self.rule = rule
    }

    /// Place and rule: `function 12 at 0x4f1: br_table has 140000 targets, limit 131072`.
    public var description: String {
        var place: [String] = []
        if let function { place.append("function \(function)") }
        if let offset { place.append("at 0x" + String(offset, radix: 16)) }
        return place.isEmpty ? rule : place.joined(separator: " ") + ": " + rule
    }

    /// Stage, place and rule: `validate: function 12 at 0x4f1: …`.
    public var diagnostic: String { stage.rawValue + ": " + description }
}
