import BlockFiles
import Chain
import Engine
import IPLD
import Primitives

/// Executes the tipsets of a range of heights, in a file, and compares each with its child.
///
/// Ranges are independent of each other as long as the file has the states they begin with. A tipset whose state the
/// file lacks begins with what the one before it came to, where that is the same root.
public final class ChainReplay {
    /// Which tipsets.
    public enum Range: Sendable, Equatable {
        case heights(ClosedRange<Int64>)
        /// So many below the head.
        case last(Int)
    }

    /// A tipset to execute, and the one above it.
    public struct Entry: Sendable {
        public var link: ChainLine.Link
        /// What it is compared with.
        public var child: ChainLine.Link
    }

    /// What came of a tipset.
    public struct Report: Sendable {
        public var height: Int64
        public var key: [Cid]
        public var result: Result<TipsetCheck, TipsetError>
        public var time: ElapsedTime
    }

    /// In ascending order.
    public let entries: [Entry]
    public let execution: TipsetExecution
    private let base: any Blockstore
    /// What tipsets wrote since the last whose state the file has.
    private var written: OverlayBlockstore

    /// Finds the tipsets of a range.
    ///
    /// - Parameters:
    ///   - head: the highest tipset of the file, which has no child and cannot be checked.
    ///   - store: the file's blocks; nothing is written to it.
    /// - Throws: where a header is missing or lies, and for a range without a tipset that can be checked.
    public init(
        head: TipSet, store: any Blockstore, _ range: Range, network: ChainNetwork, rules: NodeRules,
        engine: any ActorEngine
    ) throws(ChainError) {
        base = store
        written = OverlayBlockstore(base: store)
        let line = ChainLine(top: head, store: store)
        execution = TipsetExecution(network: network, rules: rules, line: line, engine: engine)
        let top = try line.atOrBelow(head.height)
        var chosen: [Entry] = []
        var child = top
        while child.height > 0 {
            if case .heights(let heights) = range, child.height <= heights.lowerBound { break }
            if case .last(let count) = range, chosen.count == count { break }
            guard try store.hasChainBlock(child.parents[0]) else {
                if case .heights = range { _ = try line.atOrBelow(child.height - 1) }
                break
            }
            guard let link = try line.parent(of: child) else { break }
            if case .heights(let heights) = range, link.height < heights.lowerBound { break }
            switch range {
            case .heights(let heights) where link.height > heights.upperBound: break
            default: chosen.append(Entry(link: link, child: child))
            }
            child = link
        }
        guard !chosen.isEmpty else { throw .malformed(Self.nothing(range, top)) }
        entries = chosen.reversed()
    }

    private static func nothing(_ range: Range, _ top: ChainLine.Link) -> String {
        switch range {
        case .heights(let heights) where heights.lowerBound >= top.height:
            "no tipset from height \(heights.lowerBound) on has a child: the head is at \(top.height)"
        case .heights(let heights) where heights.lowerBound == heights.upperBound:
            "height \(heights.lowerBound) is a null round"
        case .heights(let heights):
            "no tipset has a height from \(heights.lowerBound) to \(heights.upperBound)"
        case .last: "the head at height \(top.height) has no parents in the file, so nothing can be checked"
        }
    }

    /// Why an entry cannot be executed, where its headers say so already.
    public func hindrance(_ entry: Entry) -> TipsetError? {
        let network = execution.network
        guard entry.link.height > 0, let parent = try? execution.line.parent(of: entry.link) else { return nil }
        if let height = network.migration(in: parent.height..<entry.link.height) { return .migration(height: height) }
        do throws(TipsetError) { _ = try network.executableVersion(at: parent.height + 1) } catch { return error }
        return nil
    }

    /// Executes an entry.
    ///
    /// - Parameter index: its place; ascending from call to call where the file lacks states.
    public func run(_ index: Int) -> Report {
        let entry = entries[index]
        let clock = ExecutionClock()
        let result = Result { () throws(TipsetError) in
            let hasState = try TipsetError.onChain { () throws(ChainError) in
                try base.hasChainBlock(entry.link.parentStateRoot)
            }
            if hasState { written = OverlayBlockstore(base: base) }
            return try check(entry, written)
        }
        return Report(height: entry.link.height, key: entry.link.key, result: result, time: clock.elapsed)
    }

    /// Executes all entries from the lowest on.
    ///
    /// - Parameter body: gets what came of each; false ends the replay.
    public func run(_ body: (Report) throws -> Bool) rethrows {
        for index in entries.indices where try !body(run(index)) { return }
    }

    private func check(_ entry: Entry, _ store: OverlayBlockstore) throws(TipsetError) -> TipsetCheck {
        let (tipset, child) = try TipsetError.onChain { () throws(ChainError) in
            (try TipSet(key: entry.link.key, from: base), try TipSet(key: entry.child.key, from: base))
        }
        try checkTimes(tipset, child)
        let check = TipsetCheck(try execution.execute(tipset, store: store), child: child, store: store)
        guard !check.isEqual else { return check }
        return inferred(tipset, child, store, proofs: check.outcome.answered.total) ?? check
    }

    /// Proofs of a tipset of which one can have been the reason for other roots, at most.
    private static let inferenceLimit = 200

    /// Whether the chain's roots come when one proof is answered otherwise.
    private func inferred(
        _ tipset: TipSet, _ child: TipSet, _ store: OverlayBlockstore, proofs: Int
    ) -> TipsetCheck? {
        let (observer, applied, refused) = (execution.observer, execution.applied, execution.refusedProof)
        (execution.observer, execution.applied) = (nil, nil)
        defer { (execution.observer, execution.applied, execution.refusedProof) = (observer, applied, refused) }
        for call in 0..<min(proofs, Self.inferenceLimit) {
            execution.refusedProof = call
            guard let outcome = try? execution.execute(tipset, store: store) else { continue }
            var check = TipsetCheck(outcome, child: child, store: store)
            guard check.isEqual else { continue }
            check.inferredRefusal = call
            return check
        }
        return nil
    }

    /// Headers that decode and lie.
    private func checkTimes(_ tipset: TipSet, _ child: TipSet) throws(TipsetError) {
        let expected = tipset.timestamp &+ ChainNetwork.blockDelay &* UInt64(child.height - tipset.height)
        guard child.timestamp == expected else {
            throw .chain(
                .malformed(
                    "tipset at \(child.height) has timestamp \(child.timestamp), by its parents' it would be \(expected)"
                ))
        }
    }
}

extension Blockstore {
    func hasChainBlock(_ cid: Cid) throws(ChainError) -> Bool {
        do throws(BlockstoreError) { return try has(cid) } catch { throw .store(error.description) }
    }
}
