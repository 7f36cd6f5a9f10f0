/// A decoded module: the sections as they stood in the binary, in order, nothing normalised.
///
/// Index spaces put imports first. Byte offsets are counted from the start of the binary.
public struct Module: Sendable {
    public var types: [FunctionType] = []
    public var imports: [Import] = []
    /// Type indices of the functions the module defines.
    public var functions: [UInt32] = []
    public var tables: [TableType] = []
    public var memories: [SizeLimits] = []
    public var globals: [Global] = []
    public var exports: [Export] = []
    public var start: UInt32?
    public var elements: [ElementSegment] = []
    public var dataCount: UInt32?
    public var bodies: [FunctionBody] = []
    public var data: [DataSegment] = []
    public var customSections: [CustomSection] = []
    /// Whether the sections were there at all; pass one refuses a module without a function section.
    public var hasFunctionSection = false
    public var hasCodeSection = false
    /// Names from the `name` section by function index, for diagnostics only.
    public var functionNames: [UInt32: String] = [:]

    public init() {}
}

public struct Import: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case function(typeIndex: UInt32)
        case table(TableType)
        case memory(SizeLimits)
        case global(GlobalType)
    }
    public var module: Name
    public var name: Name
    public var kind: Kind

    public init(module: Name, name: Name, kind: Kind) {
        self.module = module
        self.name = name
        self.kind = kind
    }
}

public struct Export: Hashable, Sendable {
    public enum Kind: UInt8, Hashable, Sendable {
        case function = 0
        case table = 1
        case memory = 2
        case global = 3
    }
    public var name: Name
    public var kind: Kind
    public var index: UInt32

    public init(name: Name, kind: Kind, index: UInt32) {
        self.name = name
        self.kind = kind
        self.index = index
    }
}

/// A constant expression, its instructions without the final `end`.
public struct ConstantExpression: Hashable, Sendable {
    public var instructions: [Instruction]
    public var offset: UInt32

    public init(instructions: [Instruction], offset: UInt32) {
        self.instructions = instructions
        self.offset = offset
    }
}

public struct Global: Hashable, Sendable {
    public var type: GlobalType
    public var initializer: ConstantExpression

    public init(type: GlobalType, initializer: ConstantExpression) {
        self.type = type
        self.initializer = initializer
    }
}

public struct ElementSegment: Hashable, Sendable {
    public enum Mode: Hashable, Sendable {
        case active(table: UInt32, offset: ConstantExpression)
        case passive
        case declarative
    }
    public enum Items: Hashable, Sendable {
        case functions([UInt32])
        case expressions([ConstantExpression])
    }
    public var mode: Mode
    public var type: ValueType
    public var items: Items

    public init(mode: Mode, type: ValueType, items: Items) {
        self.mode = mode
        self.type = type
        self.items = items
    }
}

public struct DataSegment: Hashable, Sendable {
    public enum Mode: Hashable, Sendable {
        case active(memory: UInt32, offset: ConstantExpression)
        case passive
    }
    public var mode: Mode
    public var bytes: [UInt8]

    public init(mode: Mode, bytes: [UInt8]) {
        self.mode = mode
        self.bytes = bytes
    }
}

public struct CustomSection: Hashable, Sendable {
    public var name: Name
    public var bytes: [UInt8]

    public init(name: Name, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// One run of locals as encoded; the stack limiter counts runs, not locals.
public struct LocalGroup: Hashable, Sendable {
    public var count: UInt32
    public var type: ValueType

    public init(count: UInt32, type: ValueType) {
        self.count = count
        self.type = type
    }
}

/// A function body. Every instruction counts as one position, `block`, `else` and `end` included;
/// the last one is the function's own `end`.
public struct FunctionBody: Sendable {
    /// Byte offset and length of the body in the binary (after its size field).
    public var offset: UInt32
    public var length: UInt32
    public var localGroups: [LocalGroup]
    public var instructions: [Instruction]
    /// Labels of each `br_table`, the default last; `Instruction.index` numbers them.
    public var branchTables: [[UInt32]]

    public init(
        offset: UInt32, length: UInt32, localGroups: [LocalGroup], instructions: [Instruction],
        branchTables: [[UInt32]]
    ) {
        self.offset = offset
        self.length = length
        self.localGroups = localGroups
        self.instructions = instructions
        self.branchTables = branchTables
    }
}
