import BlockFiles
import IPLD
import Primitives

/// Writes a part of a chain: headers of a range of heights with their messages and the states they begin with, so far
/// as the file has them. The root is the key of the highest tipset.
public struct ChainExport {
    public struct Options: Sendable {
        public var messages = true
        public var states = true
        /// The receipts that headers name, which nodes leave out.
        public var receipts = false

        public init(messages: Bool = true, states: Bool = true, receipts: Bool = false) {
            self.messages = messages
            self.states = states
            self.receipts = receipts
        }
    }

    /// What was written.
    public struct Summary: Sendable, Equatable {
        public var tipsets = 0
        public var blocks = 0
        public var states = 0
    }

    private let snapshot: Snapshot
    private let options: Options

    public init(_ snapshot: Snapshot, _ options: Options) {
        self.snapshot = snapshot
        self.options = options
    }

    /// - Parameters:
    ///   - make: begins the archive with these roots.
    ///   - progress: hears the height reached.
    /// - Throws: where the range has no tipset, or a block is missing below one that is there.
    public func run(
        _ range: ClosedRange<Int64>, progress: (Int64) -> Void = { _ in },
        make: ([Cid]) throws(BlockFileError) -> ArchiveWriter
    ) throws -> Summary {
        var summary = Summary()
        var seen: Set<Cid> = []
        var writer: ArchiveWriter?
        var next: TipSet? = snapshot.head
        while let tipset = next, tipset.height >= range.lowerBound {
            next = try snapshot.parent(of: tipset)
            guard tipset.height <= range.upperBound else { continue }
            progress(tipset.height)
            let out = try writer ?? make(tipset.key)
            writer = out
            summary.tipsets += 1
            for cid in tipset.key { try copy(cid, &seen, to: out, links: false) }
            // The block genesis names as its parent is in snapshots too.
            if tipset.isGenesis {
                for cid in tipset.parents where try snapshot.has(cid) { try copy(cid, &seen, to: out, links: false) }
            }
            if options.messages {
                for header in tipset.blocks where try snapshot.has(header.messages) {
                    try copy(header.messages, &seen, to: out, links: true)
                }
            }
            if options.receipts, try snapshot.has(tipset.parentMessageReceipts) {
                try copy(tipset.parentMessageReceipts, &seen, to: out, links: false)
            }
            if options.states, try snapshot.has(tipset.parentStateRoot) {
                summary.states += 1
                try copy(tipset.parentStateRoot, &seen, to: out, links: true)
            }
        }
        guard let writer else {
            throw ChainError.malformed("no tipset has a height from \(range.lowerBound) to \(range.upperBound)")
        }
        summary.blocks = writer.count
        try writer.finish()
        return summary
    }

    /// Writes a block and, with `links`, what it reaches.
    private func copy(_ root: Cid, _ seen: inout Set<Cid>, to out: ArchiveWriter, links: Bool) throws {
        var pending = [root]
        while let cid = pending.popLast() {
            switch cid.codec {
            case Cid.unsealedCommitment, Cid.sealedCommitment: continue
            default: break
            }
            guard seen.insert(cid).inserted else { continue }
            let data = try snapshot.store.chainBlock(cid, "block")
            if cid.hashCode != Cid.identity { try out.append(cid, data) }
            guard links, cid.codec == Cid.dagCbor else { continue }
            do { pending += try LinkScan.links(data).reversed() } catch {
                throw ChainError.malformed("block \(cid): \(error)")
            }
        }
    }
}
