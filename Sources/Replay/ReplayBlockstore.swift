import IPLD
import Primitives

/// Blocks every vector may read: those of the actor bundles. Immutable, shared by all threads.
public struct SharedBlocks: Sendable {
    private var blocks: [Cid: [UInt8]] = [:]
    /// Asked for code (raw blocks) that is nowhere else: the artifact store.
    private let codeProvider: @Sendable (Cid) -> [UInt8]?

    public init(codeProvider: @escaping @Sendable (Cid) -> [UInt8]? = { _ in nil }) {
        self.codeProvider = codeProvider
    }

    /// Adds blocks; of equal CIDs the later one stays.
    public mutating func add(_ more: [Cid: [UInt8]]) { blocks.merge(more) { _, new in new } }

    func get(_ cid: Cid) -> [UInt8]? {
        if let data = blocks[cid] { return data }
        return cid.codec == Cid.raw ? codeProvider(cid) : nil
    }
}

/// The blocks of one run: what the vector brings and the run writes, in front of the shared ones.
final class ReplayBlockstore: Blockstore {
    private let shared: SharedBlocks
    /// What the vector brought and what was written since.
    private(set) var own: [Cid: [UInt8]]
    /// Those of `own` that were asked for since this was last emptied; nil, which costs nothing, where nobody wants to know.
    var asked: Set<Cid>?
    /// Those that were asked for and are nowhere.
    private(set) var missed: Set<Cid> = []

    init(_ blocks: [Cid: [UInt8]], shared: SharedBlocks) {
        own = blocks
        self.shared = shared
    }

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        guard let data = own[cid] else {
            let found = shared.get(cid)
            if found == nil { missed.insert(cid) }
            return found
        }
        asked?.insert(cid)
        return data
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) { own[cid] = data }

    func has(_ cid: Cid) throws(BlockstoreError) -> Bool { try get(cid) != nil }
}
