import IPLD
import Primitives

/// The IPLD blocks an invocation can name: parameters, opened and created blocks, returns of sends.
///
/// Handles count from 1 in order of insertion; blocks are never removed. With reachability (v4, FIP-0071) a registry
/// also knows which CIDs the actor may open, link to and set as its root; without, it looks at codecs only.
struct BlockRegistry {
    private var blocks: [Block] = []
    private let capacity: Int
    /// nil where any CID will do.
    private var reachable: Set<Cid>?

    init(capacity: UInt32, tracksReachability: Bool) {
        self.capacity = Int(capacity)
        reachable = tracksReachability ? [] : nil
    }

    var isFull: Bool { blocks.count >= capacity }

    /// Whether links are looked for in blocks.
    var tracksReachability: Bool { reachable != nil }

    /// Adds a block from outside, whose links the actor may follow from now on, and returns its handle.
    mutating func insertReachable(_ block: Block) throws(ExecutionError) -> UInt32 {
        try refuseWhenFull()
        if reachable == nil { try Self.checkCodec(block.codec) } else { reachable?.formUnion(block.links) }
        return append(block)
    }

    /// Adds a block the actor made, whose links must be reachable already, and returns its handle.
    mutating func insertCreated(_ block: Block) throws(ExecutionError) -> UInt32 {
        try refuseWhenFull()
        if reachable == nil { try Self.checkCodec(block.codec) }
        for link in block.links { try requireReachable(link) }
        return append(block)
    }

    /// Lets the actor use a CID.
    mutating func makeReachable(_ cid: Cid) { reachable?.insert(cid) }

    /// Refuses a CID the actor has no right to; never without reachability.
    func requireReachable(_ cid: Cid) throws(ExecutionError) {
        guard reachable?.contains(cid) ?? true else {
            throw .syscall(.notFound, "\(cid.text) is not reachable for the actor")
        }
    }

    private func refuseWhenFull() throws(ExecutionError) {
        guard !isFull else { throw .syscall(.limitExceeded, "the block registry is full") }
    }

    private mutating func append(_ block: Block) -> UInt32 {
        blocks.append(block)
        return UInt32(blocks.count)
    }

    /// Refuses a codec that an actor's blocks may not have.
    static func checkCodec(_ codec: UInt64) throws(ExecutionError) {
        guard codec == Cid.cbor || codec == Cid.raw || codec == Cid.dagCbor else {
            throw .syscall(.illegalCodec, "codec 0x\(String(codec, radix: 16)) is not allowed in blocks")
        }
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
