/// A value type of the WebAssembly binary format (core spec 5.3); `externref` is refused by the FVM.
public enum ValueType: UInt8, Sendable, Hashable {
    case i32 = 0x7F
    case i64 = 0x7E
    case f32 = 0x7D
    case f64 = 0x7C
    case funcref = 0x70

    public var isFloat: Bool { self == .f32 || self == .f64 }
}

/// A function type. Equality is structural, as `call_indirect` and linking demand.
public struct FunctionType: Hashable, Sendable {
    /// First parameter first.
    public var parameters: [ValueType]
    /// At most one where multi-value is off.
    public var results: [ValueType]

    public init(parameters: [ValueType], results: [ValueType]) {
        self.parameters = parameters
        self.results = results
    }
}

/// An import or export name: valid UTF-8, compared byte by byte (`String` would compare canonically).
public struct Name: Hashable, Sendable {
    /// UTF-8.
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    /// The name as text, for people.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Size limits: pages of 65,536 bytes for memories, elements for tables.
public struct SizeLimits: Hashable, Sendable {
    /// What an instance starts with.
    public var minimum: UInt32
    /// What growth stops at; nil stands for no declared maximum.
    public var maximum: UInt32?

    public init(minimum: UInt32, maximum: UInt32?) {
        self.minimum = minimum
        self.maximum = maximum
    }
}

/// The type of a table.
public struct TableType: Hashable, Sendable {
    /// The type of its elements.
    public var element: ValueType
    /// Its size in elements.
    public var limits: SizeLimits

    public init(element: ValueType, limits: SizeLimits) {
        self.element = element
        self.limits = limits
    }
}

/// The type of a global.
public struct GlobalType: Hashable, Sendable {
    /// The type of its value.
    public var value: ValueType
    /// Whether `global.set` may change it.
    public var isMutable: Bool

    public init(value: ValueType, isMutable: Bool) {
        self.value = value
        self.isMutable = isMutable
    }
}

extension Name {
    /// The name in quotes for messages: control and non-ASCII characters escaped, cut after 64 characters.
    public var quoted: String {
        var result = "\""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < 64 else {
                result += "…"
                break
            }
            result += scalar.escaped(asASCII: true)
        }
        return result + "\""
    }
}
