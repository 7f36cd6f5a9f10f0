import Crypto
import IPLD
import Primitives

/// Looks at all of a chain that the chain itself says: headers, keys, message lists, base fees, and whether states and
/// messages are complete (FVM chain layer 1, 2.5, 4.1).
public struct ChainVerification {
    /// What was found wrong, and where.
    public struct Fault: Sendable, Equatable {
        public var height: Int64
        public var text: String
    }

    /// What was looked at.
    public struct Summary: Sendable, Equatable {
        public var tipsets = 0
        public var blocks = 0
        public var nullRounds: Int64 = 0
        public var messageLists = 0
        public var messages = 0
        /// Tipsets whose child's base fee follows from their messages.
        public var baseFees = 0
        /// Tipsets whose messages are all there, and the lowest height from which on that is so without a gap.
        public var tipsetsWithMessages = 0
        public var messagesFrom: Int64?
        /// Parent states that are whole, and the lowest height from which on tipsets have theirs.
        public var states = 0
        public var statesFrom: Int64?
        /// Blocks of states.
        public var stateBlocks = 0
        public var faults: [Fault] = []
    }

    private let snapshot: Snapshot
    private let walksStates: Bool
    private var summary = Summary()
    /// Blocks of states that were walked with everything below them.
    private var walked: Set<Cid> = []

    /// - Parameter walksStates: looks at every block of every state; otherwise at roots only.
    public init(_ snapshot: Snapshot, walksStates: Bool) {
        self.snapshot = snapshot
        self.walksStates = walksStates
    }

    /// Looks at everything from the head down.
    ///
    /// - Parameter progress: hears the height reached.
    /// - Throws: where a header cannot be read, so that there is no chain to go along; other faults are listed.
    public mutating func run(progress: (Int64) -> Void = { _ in }) throws(ChainError) -> Summary {
        var child: TipSet?
        var next: TipSet? = snapshot.head
        var messagesEnded = false
        var statesEnded = false
        while let tipset = next {
            progress(tipset.height)
            try headers(tipset)
            let entries = try messages(tipset)
            if entries != nil {
                summary.tipsetsWithMessages += 1
                if !messagesEnded { summary.messagesFrom = tipset.height }
            } else {
                messagesEnded = true
            }
            if let child, let entries { baseFee(tipset, child, entries) }
            if try state(tipset) {
                summary.states += 1
                if !statesEnded { summary.statesFrom = tipset.height }
            } else {
                statesEnded = true
            }
            next = try snapshot.parent(of: tipset)
            if let parent = next { between(parent, tipset) }
            child = tipset
        }
        return summary
    }

    private mutating func fault(_ height: Int64, _ text: String) {
        summary.faults.append(Fault(height: height, text: text))
    }

    private mutating func headers(_ tipset: TipSet) throws(ChainError) {
        summary.tipsets += 1
        summary.blocks += tipset.blocks.count
        for (cid, header) in zip(tipset.key, tipset.blocks) {
            guard let encoded = try? header.encoded(), Cid.blake2b256(codec: Cid.dagCbor, data: encoded) == cid else {
                fault(tipset.height, "header \(cid) is not encoded as the chain does, or has another hash")
                continue
            }
        }
        if let network = snapshot.network {
            let expected = network.genesisTimestamp + ChainNetwork.blockDelay * UInt64(tipset.height)
            if tipset.timestamp != expected {
                fault(tipset.height, "timestamp \(tipset.timestamp), the height's is \(expected)")
            }
        }
    }

    private mutating func between(_ parent: TipSet, _ tipset: TipSet) {
        guard parent.height < tipset.height else {
            return fault(tipset.height, "its parents have height \(parent.height)")
        }
        summary.nullRounds += tipset.height - parent.height - 1
        let expected = parent.timestamp &+ ChainNetwork.blockDelay &* UInt64(tipset.height - parent.height)
        if tipset.timestamp != expected {
            fault(tipset.height, "timestamp \(tipset.timestamp), by its parents' it would be \(expected)")
        }
        if tipset.parentWeight < parent.parentWeight {
            fault(tipset.height, "its weight is less than its parents'")
        }
    }

    /// All messages of a tipset's blocks; nil where they are not there.
    private mutating func messages(_ tipset: TipSet) throws(ChainError) -> [BaseFee.Entry]? {
        var entries: [BaseFee.Entry] = []
        for header in tipset.blocks {
            guard try snapshot.has(header.messages) else { return nil }
            do throws(ChainError) {
                let lists = try BlockMessages.lists(header.messages, in: snapshot.store)
                for list in [lists.bls, lists.secp] {
                    let cids = try BlockMessages.cids(list, in: snapshot.store)
                    let values = cids.map { cid in
                        var writer = CborWriter()
                        writer.link(cid)
                        return writer.bytes
                    }
                    if AmtVersion0.encode(values).root != list {
                        fault(tipset.height, "message list \(list) is not encoded as the chain does")
                    }
                    summary.messageLists += 1
                }
                let messages = try BlockMessages(header.messages, in: snapshot.store)
                summary.messages += messages.count
                entries += messages.all.map { BaseFee.Entry($0) }
            } catch {
                if case .store = error { throw error }
                fault(tipset.height, error.description)
                return nil
            }
        }
        return entries
    }

    private mutating func baseFee(_ tipset: TipSet, _ child: TipSet, _ entries: [BaseFee.Entry]) {
        guard let network = snapshot.network, !BaseFee.isSuspended(network, childHeight: child.height) else { return }
        let formula = BaseFee.Formula.of(network, height: tipset.height)
        let next = BaseFee.next(tipset.baseFee, formula, entries: entries, blocks: tipset.blocks.count)
        guard next == child.baseFee else {
            return fault(
                child.height,
                "base fee \(child.baseFee.decimal), by the messages of height \(tipset.height) it would be "
                    + (next?.decimal ?? "none"))
        }
        summary.baseFees += 1
    }

    /// Whether the state a tipset begins with is there.
    private mutating func state(_ tipset: TipSet) throws(ChainError) -> Bool {
        guard try snapshot.has(tipset.parentStateRoot) else { return false }
        guard walksStates else { return true }
        var pending = [tipset.parentStateRoot]
        var isWhole = true
        while let cid = pending.popLast() {
            switch cid.codec {
            case Cid.unsealedCommitment, Cid.sealedCommitment: continue
            default: break
            }
            guard walked.insert(cid).inserted else { continue }
            do throws(ChainError) {
                let data = try snapshot.store.chainBlock(cid, "block of the state \(tipset.parentStateRoot)")
                if cid.hashCode != Cid.identity { summary.stateBlocks += 1 }
                guard cid.codec == Cid.dagCbor else { continue }
                do { pending += try LinkScan.links(data) } catch {
                    throw .malformed("block \(cid) of the state: \(error)")
                }
            } catch {
                fault(tipset.height, error.description)
                isWhole = false
            }
        }
        return isWhole
    }
}
