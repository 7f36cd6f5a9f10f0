/// A decoded module: the sections as they stood in the binary, in order, nothing normalised.
///
/// Index spaces put imports first. Byte offsets are counted from the start of the binary.
public struct Module: Sendable {
    /// The type section.
    public var types: [FunctionType] = []
    /// The import section.
    public var imports: [Import] = []
    /// Type indices of the functions the module defines.
    public var functions: [UInt32] = []
    /// Tables the module defines.
    public var tables: [TableType] = []
    /// Memories the module defines, in pages.
    public var memories: [SizeLimits] = []
    /// Globals the module defines.
    public var globals: [Global] = []
    /// The export section.
    public var exports: [Export] = []
    /// Index of the start function.
    public var start: UInt32?
    /// The element section.
    public var elements: [ElementSegment] = []
    /// The data count section, nil when there is none.
    public var dataCount: UInt32?
    /// Bodies of the functions the module defines, in their order.
    public var bodies: [FunctionBody] = []
    /// The data section.
    public var data: [DataSegment] = []
    /// Custom sections in their order, `name` included.
    public var customSections: [CustomSection] = []
    /// Whether the sections were there at all; pass one refuses a module without a function section.
    public var hasFunctionSection = false
    /// Whether there is a code section; see `hasFunctionSection`.
    public var hasCodeSection = false
    /// Names from the `name` section by function index, for diagnostics only.
    public var functionNames: [UInt32: String] = [:]

    public init() {}
}

/// An import; names are compared byte by byte.
public struct Import: Hashable, Sendable {
    /// What is imported, with its type.
    public enum Kind: Hashable, Sendable {
        case function(typeIndex: UInt32)
        case table(TableType)
        case memory(SizeLimits)
        case global(GlobalType)
    }
    /// The first of the two names.
    public var module: Name
    /// The name.
    public var name: Name
    /// What it is.
    public var kind: Kind

    public init(module: Name, name: Name, kind: Kind) {
        self.module = module
        self.name = name
        self.kind = kind
    }
}

/// An export.
public struct Export: Hashable, Sendable {
    /// The index space, with its byte in the binary.
    public enum Kind: UInt8, Hashable, Sendable {
        case function = 0
        case table = 1
        case memory = 2
        case global = 3
    }
    /// The name.
    public var name: Name
    /// What it is.
    public var kind: Kind
    /// Index in the space that `kind` names.
    public var index: UInt32

    public init(name: Name, kind: Kind, index: UInt32) {
        self.name = name
        self.kind = kind
        self.index = index
    }
}

/// A constant expression, its instructions without the final `end`.
public struct ConstantExpression: Hashable, Sendable {
    /// In their order; a valid expression has exactly one.
    public var instructions: [Instruction]
    /// Byte offset of the first instruction.
    public var offset: UInt32

    public init(instructions: [Instruction], offset: UInt32) {
        self.instructions = instructions
        self.offset = offset
    }
}

/// A global the module defines.
public struct Global: Hashable, Sendable {
    /// Its type.
    public var type: GlobalType
    /// Its value when an instance is made.
    public var initializer: ConstantExpression

    public init(type: GlobalType, initializer: ConstantExpression) {
        self.type = type
        self.initializer = initializer
    }
}

/// A segment of table elements.
public struct ElementSegment: Hashable, Sendable {
    /// When and where the segment is copied.
    public enum Mode: Hashable, Sendable {
        case active(table: UInt32, offset: ConstantExpression)
        case passive
        case declarative
    }
    /// Plain function indices, or one constant expression per element.
    public enum Items: Hashable, Sendable {
        case functions([UInt32])
        case expressions([ConstantExpression])
    }
    /// When and where it is copied.
    public var mode: Mode
    /// The type of its elements.
    public var type: ValueType
    /// The elements.
    public var items: Items

    public init(mode: Mode, type: ValueType, items: Items) {
        self.mode = mode
        self.type = type
        self.items = items
    }
}

/// A segment of memory contents.
public struct DataSegment: Hashable, Sendable {
    /// When and where the segment is copied.
    public enum Mode: Hashable, Sendable {
        case active(memory: UInt32, offset: ConstantExpression)
        case passive
    }
    /// When and where it is copied.
    public var mode: Mode
    /// The contents.
    public var bytes: [UInt8]

    public init(mode: Mode, bytes: [UInt8]) {
        self.mode = mode
        self.bytes = bytes
    }
}

/// A custom section.
public struct CustomSection: Hashable, Sendable {
    /// The name.
    public var name: Name
    /// The contents.
    public var bytes: [UInt8]

    public init(name: Name, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// One run of locals as encoded; the stack limiter counts runs, not locals.
public struct LocalGroup: Hashable, Sendable {
    /// How many locals.
    public var count: UInt32
    /// Their type.
    public var type: ValueType

    public init(count: UInt32, type: ValueType) {
        self.count = count
        self.type = type
    }
}

/// A function body. Every instruction counts as one position, `block`, `else` and `end` included;
/// the last one is the function's own `end`.
public struct FunctionBody: Sendable {
    /// Byte offset of the body in the binary, after its size field.
    public var offset: UInt32
    /// Bytes of the body, local declarations included.
    public var length: UInt32
    /// Locals as encoded, parameters not included.
    public var localGroups: [LocalGroup]
    /// In their order, the function's own `end` included.
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
