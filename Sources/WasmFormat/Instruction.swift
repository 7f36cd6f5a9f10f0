/// One decoded instruction, of fixed size.
public struct Instruction: Hashable, Sendable {
    /// What to do.
    public var opcode: Opcode
    /// Byte offset of the opcode in the binary.
    public var offset: UInt32
    /// The first immediate index: local, global, function, type (`call_indirect`), label, table, segment,
    /// number of the branch table, the block type's encoding (`block`, `loop`, `if`), or the alignment
    /// exponent of a load or store.
    public var index: UInt32
    /// The second immediate index: table of `call_indirect` and `table.init`, source table of `table.copy`.
    public var second: UInt32
    /// A constant's bits (i32 and f32 in the low half, zero-extended), or the offset of a load or store.
    public var bits: UInt64

    public init(opcode: Opcode, offset: UInt32, index: UInt32 = 0, second: UInt32 = 0, bits: UInt64 = 0) {
        self.opcode = opcode
        self.offset = offset
        self.index = index
        self.second = second
        self.bits = bits
    }
}

/// A block type: empty, one value, or a type index (multi-value, refused by the FVM).
public enum BlockType: Hashable, Sendable {
    case empty
    case value(ValueType)
    case type(UInt32)
}

extension Instruction {
    /// How `index` of `block`, `loop` and `if` says that the type is empty or one value: the encoded byte with
    /// all higher bits set. Type indices stay below.
    static func encode(blockTypeByte byte: UInt8) -> UInt32 { 0xFFFF_FF00 | UInt32(byte) }

    /// The type of a `block`, `loop` or `if`.
    public var blockType: BlockType {
        guard index >= 0xFFFF_FF00 else { return .type(index) }
        return ValueType(rawValue: UInt8(truncatingIfNeeded: index)).map(BlockType.value) ?? .empty
    }
}
