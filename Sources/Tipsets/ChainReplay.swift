import BlockFiles
import Chain
import Engine
import IPLD
import Primitives

/// Executes the tipsets of a range of heights, in a file, and compares each with its child.
///
/// Ranges are independent of each other as long as the file has the states they begin with. A tipset begins with what
/// the one before it came to, where that is the same root, and otherwise with the state in the file.
public final class ChainReplay {
    /// Which tipsets.
    public enum Range: Sendable, Equatable {
        case heights(ClosedRange<Int64>)
        /// So many below the head.
        case last(Int)
        /// All whose headers are there, but for those at the bottom without a state to begin with.
        case complete
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
        /// Of `time` what passed until headers and messages were there.
        public var reading = ElapsedTime.zero
    }

    /// In ascending order.
    public let entries: [Entry]
    public let execution: TipsetExecution
    private let base: any Blockstore
    private let reader: TipsetReader
    /// What tipsets wrote that followed one another.
    private(set) var written: OverlayBlockstore
    /// Bytes of `written` from which on it begins anew, where the file has the state.
    var writtenLimit = 256 << 20
    /// The entry that was executed last, and the state it came to.
    private var last: (index: Int, stateRoot: Cid)?

    /// Finds the tipsets of a range.
    ///
    /// - Parameters:
    ///   - head: the highest tipset of the file, which has no child and cannot be checked.
    ///   - store: the file's blocks; nothing is written to it.
    ///   - ahead: opens the same blocks for a thread that reads the next tipset; nil reads nothing ahead.
    /// - Throws: where a header is missing or lies, and for a range without a tipset that can be checked.
    public init(
        head: TipSet, store: any Blockstore, _ range: Range, network: ChainNetwork, rules: NodeRules,
        engine: any ActorEngine, ahead: (@Sendable () -> any Blockstore)? = nil
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
        if range == .complete {
            while let lowest = chosen.last, try !store.hasChainBlock(lowest.link.parentStateRoot) {
                chosen.removeLast()
            }
        }
        guard !chosen.isEmpty else { throw .malformed(Self.nothing(range, top)) }
        entries = chosen.reversed()
        reader = TipsetReader(entries, store: store, ahead: ahead)
    }

    private static func nothing(_ range: Range, _ top: ChainLine.Link) -> String {
        switch range {
        case .heights(let heights) where heights.lowerBound >= top.height:
            "no tipset from height \(heights.lowerBound) on has a child: the head is at \(top.height)"
        case .heights(let heights) where heights.lowerBound == heights.upperBound:
            "height \(heights.lowerBound) is a null round"
        case .heights(let heights):
            "no tipset has a height from \(heights.lowerBound) to \(heights.upperBound)"
        case .complete where top.height > 0:
            "no tipset below the head at height \(top.height) has its state in the file"
        case .last, .complete: "the head at height \(top.height) has no parents in the file, so nothing can be checked"
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
        var reading = ElapsedTime.zero
        let result = Result { () throws(TipsetError) in
            let store = try store(for: index)
            let contents = try TipsetError.onChain { () throws(ChainError) in try reader.contents(index) }
            reading = clock.elapsed
            return try check(contents, store)
        }
        last = (try? result.get()).map { (index, $0.outcome.stateRoot) }
        return Report(
            height: entry.link.height, key: entry.link.key, result: result, time: clock.elapsed, reading: reading)
    }

    /// Executes all entries from the lowest on.
    ///
    /// - Parameter body: gets what came of each; false ends the replay.
    public func run(_ body: (Report) throws -> Bool) rethrows {
        for index in entries.indices where try !body(run(index)) { return }
    }

    /// Has the state that an entry begins with, as far as that is there, and gets what is new. Where entries follow one
    /// another it stays the same, so that machines take over what the one before them has in memory.
    private func store(for index: Int) throws(TipsetError) -> OverlayBlockstore {
        let root = entries[index].link.parentStateRoot
        let follows = last.map { $0.index == index - 1 && $0.stateRoot == root } ?? false
        if !follows || written.bytes > writtenLimit,
            try TipsetError.onChain({ () throws(ChainError) in try base.hasChainBlock(root) })
        {
            written = OverlayBlockstore(base: base)
        }
        return written
    }

    private func check(
        _ contents: TipsetReader.Contents, _ store: OverlayBlockstore
    ) throws(TipsetError) -> TipsetCheck {
        let (tipset, child) = (contents.tipset, contents.child)
        try checkTimes(tipset, child)
        let outcome = try execution.execute(tipset, messages: contents.messages, store: store)
        let check = TipsetCheck(outcome, child: child, store: store)
        guard !check.isEqual else { return check }
        return inferred(contents, store, proofs: outcome.answered.total) ?? check
    }

    /// Proofs of a tipset of which one can have been the reason for other roots, at most.
    private static let inferenceLimit = 200

    /// Whether the chain's roots come when one proof is answered otherwise.
    private func inferred(
        _ contents: TipsetReader.Contents, _ store: OverlayBlockstore, proofs: Int
    ) -> TipsetCheck? {
        let (observer, applied, refused) = (execution.observer, execution.applied, execution.refusedProof)
        (execution.observer, execution.applied) = (nil, nil)
        defer { (execution.observer, execution.applied, execution.refusedProof) = (observer, applied, refused) }
        for call in 0..<min(proofs, Self.inferenceLimit) {
            execution.refusedProof = call
            guard
                let outcome = try? execution.execute(contents.tipset, messages: contents.messages, store: store)
            else { continue }
            var check = TipsetCheck(outcome, child: contents.child, store: store)
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
