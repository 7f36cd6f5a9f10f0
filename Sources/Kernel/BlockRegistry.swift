import Primitives

/// The IPLD blocks an invocation can name: parameters, opened and created blocks, returns of sends.
///
/// Handles count from 1 in order of insertion; blocks are never removed.
struct BlockRegistry {
    private var blocks: [Block] = []
    private let capacity: Int

    init(capacity: UInt32) { self.capacity = Int(capacity) }

    var isFull: Bool { blocks.count >= capacity }

    /// Adds a block and returns its handle.
    mutating func insert(_ block: Block) throws(ExecutionError) -> UInt32 {
        guard !isFull else { throw .syscall(.limitExceeded, "the block registry is full") }
        guard Codec.isAllowed(block.codec) else {
            throw .syscall(.illegalCodec, "codec 0x\(String(block.codec, radix: 16)) is not allowed in blocks")
        }
        blocks.append(block)
        return UInt32(blocks.count)
    }

    /// The block of a handle; nil for 0 and unknown handles.
    subscript(handle: UInt32) -> Block? {
        guard handle >= 1, Int(handle) <= blocks.count else { return nil }
        return blocks[Int(handle) - 1]
    }

    /// The block of a handle an actor gave.
    func block(_ handle: UInt32) throws(ExecutionError) -> Block {
        guard let block = self[handle] else { throw .syscall(.invalidHandle, "no block has handle \(handle)") }
        return block
    }
}

/// Multicodec numbers of blocks.
enum Codec {
    static let cbor: UInt64 = 0x51
    static let raw: UInt64 = 0x55
    static let dagCbor: UInt64 = 0x71

    /// The codecs an actor's blocks may have.
    static func isAllowed(_ codec: UInt64) -> Bool { codec == cbor || codec == raw || codec == dagCbor }
}
