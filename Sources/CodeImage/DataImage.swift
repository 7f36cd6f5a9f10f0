/// Code that constants of an object refer to, by the index space of functions.
public enum CodeSymbol: Hashable, Sendable {
    /// What a direct call of the function calls.
    case function(Int)
    /// What a reference through a table calls.
    case tableEntry(Int)
    /// The entry from the host with slots, and the one with the function's own C signature.
    case uniformEntry(Int)
    case typedEntry(Int)
    /// The end of all code.
    case end
}

/// Functions whose code is in one piece, in the order of the index space.
public struct CodePiece: Sendable {
    public var functions: Range<Int>
    /// What follows the last one's code.
    public var end: CodeSymbol

    public init(functions: Range<Int>, end: CodeSymbol) {
        self.functions = functions
        self.end = end
    }
}

/// A constant of an object, whoever makes its code: bytes and addresses side by side.
public struct DataItem: Sendable {
    /// A part of it.
    public enum Part: Sendable {
        case bytes([UInt8])
        case code(CodeSymbol)
        /// The address of an item, by its number.
        case data(Int)
        /// Bytes from one place of the code to another, 64 bits.
        case distance(CodeSymbol, CodeSymbol)

        /// Bytes it takes.
        public var size: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .code, .data, .distance: 8
            }
        }
    }

    /// Of the item in the object, for people; `smelt_module` is the one that is exported.
    public var name: String
    public var parts: [Part]
    /// A power of two, bytes.
    public var alignment: Int

    /// Bytes it takes.
    public var size: Int { parts.reduce(0) { $0 + $1.size } }
    /// Whether it holds addresses.
    public var isRelocated: Bool {
        parts.contains {
            switch $0 {
            case .code, .data: true
            case .bytes, .distance: false
            }
        }
    }
}

/// A value of a C struct's layout: fields at the offsets the header gives, zero bytes between.
struct CStruct<Root> {
    private var fields: [(offset: Int, part: DataItem.Part)] = []

    init() {}

    mutating func set<Field>(_ path: KeyPath<Root, Field>, _ part: DataItem.Part?) {
        guard let part else { return }
        fields.append((Int(ContextLayout.offset(path)), part))
    }

    mutating func set<Field>(_ path: KeyPath<Root, Field>, _ number: some FixedWidthInteger) {
        set(path, .bytes(littleEndian(number)))
    }

    /// Appends the whole struct.
    func append(to parts: inout [DataItem.Part]) {
        var end = 0
        func pad(to offset: Int) {
            if offset > end { Self.append(.bytes([UInt8](repeating: 0, count: offset - end)), &parts) }
        }
        for field in fields.sorted(by: { $0.offset < $1.offset }) {
            pad(to: field.offset)
            Self.append(field.part, &parts)
            end = field.offset + field.part.size
        }
        pad(to: MemoryLayout<Root>.stride)
    }

    /// Bytes that follow bytes make one part.
    private static func append(_ part: DataItem.Part, _ parts: inout [DataItem.Part]) {
        if case .bytes(let more) = part, case .bytes(var bytes)? = parts.last {
            parts[parts.count - 1] = .bytes([])
            bytes += more
            parts[parts.count - 1] = .bytes(bytes)
        } else {
            parts.append(part)
        }
    }
}

/// A number's bytes, lowest first.
public func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
