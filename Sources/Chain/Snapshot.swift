import BlockFiles
import IPLD
import Primitives

/// A chain in files: a snapshot, an export, a genesis (FVM chain layer 4.1).
public final class Snapshot {
    /// What a snapshot of version 2 says of itself (FRC-0108).
    public struct Metadata: Sendable, Equatable {
        public var version: UInt64
        public var head: [Cid]
        /// Certificates of finality: a raw block.
        public var f3Data: Cid?
    }

    public let store: any Blockstore
    public let metadata: Metadata?
    public let head: TipSet
    /// The tipset of height 0, by which the network is known; nil where the file's headers do not lead there.
    public let genesis: TipSet?
    /// The height of the oldest tipset that headers lead to from the head.
    public let oldestHeight: Int64
    public let network: ChainNetwork?
    /// Tipsets from the head to the oldest.
    public let tipsetCount: Int

    /// - Parameters:
    ///   - roots: of the first file.
    ///   - progress: hears the height reached while headers are walked.
    public init(
        roots: [Cid], store: any Blockstore, progress: (Int64) -> Void = { _ in }
    ) throws(ChainError) {
        self.store = store
        metadata = try Snapshot.metadata(roots, store)
        head = try Snapshot.head(roots, metadata, store)
        var oldest = head
        var count = 1
        while let parent = try Snapshot.parent(of: oldest, in: store) {
            guard parent.height < oldest.height else {
                throw .malformed(
                    "tipset \(parent.keyText) has height \(parent.height), its child at \(oldest.height) is not higher")
            }
            oldest = parent
            count += 1
            if count % 1000 == 0 { progress(oldest.height) }
        }
        tipsetCount = count
        oldestHeight = oldest.height
        genesis = oldest.isGenesis ? oldest : nil
        network = genesis.flatMap { ChainNetwork.of(genesis: $0.key[0]) }
    }

    /// The head alone, without a walk through the headers below it.
    public static func head(roots: [Cid], store: any Blockstore) throws(ChainError) -> TipSet {
        try head(roots, metadata(roots, store), store)
    }

    private static func head(
        _ roots: [Cid], _ metadata: Metadata?, _ store: any Blockstore
    ) throws(ChainError) -> TipSet { try TipSet(key: metadata?.head ?? roots, from: store) }

    /// One root: a map of metadata, or else the head's only block.
    private static func metadata(_ roots: [Cid], _ store: any Blockstore) throws(ChainError) -> Metadata? {
        guard roots.count == 1, let data = try? store.get(roots[0]), case .map(let entries)? = try? CborValue(data)
        else { return nil }
        func value(_ key: String) -> CborValue? { entries.first { $0.key == key }?.value }
        guard case .unsigned(let version)? = value("Version"), case .array(let links)? = value("HeadTipsetKey") else {
            throw .malformed("root \(roots[0]) is a map, but not a snapshot's metadata")
        }
        guard version == 2 else { throw .malformed("snapshot version \(version), only 1 and 2 are known") }
        var head: [Cid] = []
        for link in links {
            guard case .link(let cid) = link else {
                throw .malformed("the metadata's head has something that is no link")
            }
            head.append(cid)
        }
        var f3Data: Cid?
        if case .link(let cid)? = value("F3Data") { f3Data = cid }
        return Metadata(version: version, head: head, f3Data: f3Data)
    }

    /// The parents; nil at height 0, and where none of them is in the file.
    private static func parent(of tipset: TipSet, in store: any Blockstore) throws(ChainError) -> TipSet? {
        guard !tipset.isGenesis else { return nil }
        do {
            for cid in tipset.parents where try store.has(cid) {
                return try TipSet(key: tipset.parents, from: store)
            }
            return nil
        } catch let error as ChainError { throw error } catch { throw .store("\(error)") }
    }

    /// The parents; nil at the oldest tipset.
    public func parent(of tipset: TipSet) throws(ChainError) -> TipSet? { try Snapshot.parent(of: tipset, in: store) }

    /// Calls `body` with the tipsets of a range of heights, from the highest on; false ends the walk.
    public func forEachTipset(
        _ range: ClosedRange<Int64>, _ body: (TipSet) throws(ChainError) -> Bool
    ) throws(ChainError) {
        var next: TipSet? = head
        while let tipset = next, tipset.height >= range.lowerBound {
            if tipset.height <= range.upperBound, try !body(tipset) { return }
            next = try parent(of: tipset)
        }
    }

    /// Whether a block is in the file.
    public func has(_ cid: Cid) throws(ChainError) -> Bool {
        do { return try store.has(cid) } catch { throw .store(error.description) }
    }
}
