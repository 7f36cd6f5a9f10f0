import Primitives

/// Blocks by CID. A store neither computes nor checks hashes; whoever fills it from outside does.
public protocol Blockstore: AnyObject {
    /// The block, or nil when the store does not have it.
    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]?
    /// Keeps the block; overwriting one is harmless.
    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError)
    /// Keeps several blocks, none of which leads to one that comes later.
    func put(_ blocks: [(cid: Cid, data: [UInt8])]) throws(BlockstoreError)
    func has(_ cid: Cid) throws(BlockstoreError) -> Bool
}

extension Blockstore {
    /// Keeps one block after the other.
    public func put(_ blocks: [(cid: Cid, data: [UInt8])]) throws(BlockstoreError) {
        for block in blocks { try put(block.cid, block.data) }
    }

    /// Whether the store has the block, found by getting it.
    public func has(_ cid: Cid) throws(BlockstoreError) -> Bool { try get(cid) != nil }
}

/// A failure of a store, not the absence of a block.
public enum BlockstoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The storage below failed.
    case storage(String)
    /// A root to be flushed leads to a CID that no block of chain state may have.
    case refusedCid(Cid, String)
    /// A block on the way from a root to be flushed has no readable links.
    case malformedLinks(Cid, String)

    /// Whether it is of this machine alone; otherwise something is wrong with the blocks.
    public var isLocal: Bool { if case .storage = self { true } else { false } }

    public var description: String {
        switch self {
        case .storage(let what): what
        case .refusedCid(let cid, let why): "block \(cid) cannot be flushed: \(why)"
        case .malformedLinks(let cid, let why): "block \(cid): links cannot be read: \(why)"
        }
    }
}

/// Blocks in memory.
public final class MemoryBlockstore: Blockstore {
    /// All blocks there are.
    public private(set) var blocks: [Cid: [UInt8]]

    public init(_ blocks: [Cid: [UInt8]] = [:]) {
        self.blocks = blocks
    }

    public func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? { blocks[cid] }

    public func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { blocks[cid] = data }

    public func has(_ cid: Cid) throws(BlockstoreError) -> Bool { blocks[cid] != nil }
}

/// A write buffer in front of a base store (FVM machine layer, "write buffer"): reads see both, the base gets only
/// what a flushed root reaches.
public final class BufferedBlockstore: Blockstore {
    /// Gets what is flushed.
    public let base: any Blockstore
    private var buffer: [Cid: [UInt8]] = [:]

    public init(base: any Blockstore) {
        self.base = base
    }

    /// Number of blocks not in the base yet, as far as this buffer knows.
    public var bufferedCount: Int { buffer.count }

    public func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        if let block = buffer[cid] { return block }
        return try base.get(cid)
    }

    public func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { buffer[cid] = data }

    public func has(_ cid: Cid) throws(BlockstoreError) -> Bool {
        if buffer[cid] != nil { return true }
        return try base.has(cid)
    }

    /// Forgets what is buffered.
    public func discard() { buffer = [:] }

    /// Moves the buffered blocks that `root` reaches through DAG-CBOR links to the base. A block that is not
    /// buffered is taken to be in the base with everything below it; blocks not reached stay buffered.
    public func flush(_ root: Cid) throws(BlockstoreError) {
        var pending = [root]
        var reached: [(cid: Cid, data: [UInt8])] = []
        var seen: Set<Cid> = []
        while let cid = pending.popLast() {
            switch cid.codec {
            case Cid.unsealedCommitment, Cid.sealedCommitment: continue
            case Cid.raw, Cid.dagCbor, Cid.cbor: break
            default: throw .refusedCid(cid, "codec 0x\(String(cid.codec, radix: 16))")
            }
            if cid.hashCode == Cid.identity {
                if cid.codec == Cid.dagCbor { pending += try links(cid.digest, of: cid) }
                continue
            }
            guard cid.isBlake2b256 else { throw .refusedCid(cid, "hash 0x\(String(cid.hashCode, radix: 16))") }
            guard let block = buffer[cid], seen.insert(cid).inserted else { continue }
            if cid.codec == Cid.dagCbor { pending += try links(block, of: cid) }
            reached.append((cid, block))
        }
        // What leads to others was met before them.
        reached.reverse()
        try base.put(reached)
        // They leave the buffer only when the base has them, so that a failing base loses nothing.
        for block in reached { buffer[block.cid] = nil }
    }

    private func links(_ block: [UInt8], of cid: Cid) throws(BlockstoreError) -> [Cid] {
        do { return try LinkScan.links(block) } catch { throw .malformedLinks(cid, error.description) }
    }
}
