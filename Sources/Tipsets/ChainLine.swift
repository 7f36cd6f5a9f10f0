import Chain
import Crypto
import IPLD
import Primitives

/// The tipsets of a chain, from one down, read so far as somebody asks; of each what lookups need is kept.
/// Not safe to use from several threads.
public final class ChainLine {
    /// What lookups need of a tipset.
    public struct Link: Sendable, Equatable {
        public var key: [Cid]
        public var height: Int64
        public var parents: [Cid]
        public var parentStateRoot: Cid
        /// Of the block with the smallest ticket.
        public var ticketDigest: [UInt8]
        public var beaconEntries: [BlockHeader.BeaconEntry]

        init(_ tipset: TipSet) {
            key = tipset.key
            height = tipset.height
            parents = tipset.parents
            parentStateRoot = tipset.parentStateRoot
            ticketDigest = tipset.blocks[0].ticketDigest
            beaconEntries = tipset.blocks[0].beaconEntries
        }
    }

    let store: any Blockstore
    /// From the top, with an index that grows towards genesis; new tops go to `newer`, oldest first.
    private var older: [Link]
    private var newer: [Link] = []

    /// - Parameters:
    ///   - top: the highest tipset of the line.
    ///   - store: has the headers.
    public init(top: TipSet, store: any Blockstore) {
        older = [Link(top)]
        self.store = store
    }

    /// Puts a child of the top on top.
    public func grow(_ tipset: TipSet) { newer.append(Link(tipset)) }

    private var count: Int { newer.count + older.count }

    /// Index 0 is the top.
    private subscript(index: Int) -> Link {
        index < newer.count ? newer[newer.count - 1 - index] : older[index - newer.count]
    }

    /// The place of the highest tipset that is not above a height; headers are read down to it and no further.
    private func place(_ height: Int64) throws(ChainError) -> Int {
        while self[count - 1].height > height {
            let last = self[count - 1]
            guard last.height > 0 else { return count - 1 }
            let parent = try TipSet(key: last.parents, from: store)
            guard parent.height < last.height else {
                throw .malformed(
                    "tipset \(parent.keyText) has height \(parent.height), its child at \(last.height) is not higher")
            }
            older.append(Link(parent))
        }
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high) / 2
            if self[middle].height > height { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The tipset at a height, or where that is a null round the next below.
    public func atOrBelow(_ height: Int64) throws(ChainError) -> Link { self[try place(height)] }

    /// The tipset at a height, or where that is a null round the next above; not above the top.
    public func atOrAbove(_ height: Int64) throws(ChainError) -> Link {
        let place = try place(height)
        return self[self[place].height >= height ? place : max(0, place - 1)]
    }

    /// The parents of a tipset of the line.
    public func parent(of link: Link) throws(ChainError) -> Link? {
        guard link.height > 0 else { return nil }
        return try atOrBelow(link.height - 1)
    }

    /// The tipsets of a range of heights, ascending, as links.
    public func links(_ range: ClosedRange<Int64>) throws(ChainError) -> [Link] {
        var found: [Link] = []
        var next: Link? = try atOrBelow(range.upperBound)
        while let link = next, link.height >= range.lowerBound {
            if link.height <= range.upperBound { found.append(link) }
            guard link.height > range.lowerBound else { break }
            next = try parent(of: link)
        }
        return found.reversed()
    }
}
