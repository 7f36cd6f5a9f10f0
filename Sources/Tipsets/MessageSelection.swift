import Chain
import IPLD
import Primitives
import StateTree

/// Which messages of a tipset's blocks are applied (FVM chain layer 2.2; Lotus, chain/store/messages.go).
public struct MessageSelection {
    /// A message that is not applied and has no receipt.
    public struct Dropped: Sendable, Equatable {
        /// Of the tipset, from 0.
        public var block: Int
        public var cid: Cid
        /// The nonce it would have needed; its own for a message that was applied already.
        public var expectedNonce: UInt64
        public var nonce: UInt64
    }

    /// For each block what is applied, in order.
    public private(set) var blocks: [[ChainMessage]] = []
    public private(set) var dropped: [Dropped] = []
    /// All messages, those that are dropped too.
    public private(set) var all: [[ChainMessage]] = []

    /// - Parameters:
    ///   - blocks: the messages of each block, in the tipset's order.
    ///   - resolve: the id behind an address in the parents' state; nil compares addresses as they are written.
    init(
        _ blocks: [BlockMessages], resolve: ((Address) throws(TipsetError) -> Address)?
    ) throws(TipsetError) {
        var next: [Address: UInt64] = [:]
        var comparesIDs = false
        func sender(_ from: Address) throws(TipsetError) -> Address {
            guard let resolve else { return from }
            if !comparesIDs, from.id != nil {
                comparesIDs = true
                var resolved: [Address: UInt64] = [:]
                for (address, nonce) in next { resolved[try resolve(address)] = nonce }
                next = resolved
            }
            return comparesIDs ? try resolve(from) : from
        }
        for (index, messages) in blocks.enumerated() {
            var applied: [ChainMessage] = []
            for message in messages.all {
                let sender = try sender(message.message.from)
                let expected = next[sender] ?? message.message.nonce
                guard message.message.nonce == expected else {
                    dropped.append(
                        Dropped(block: index, cid: message.cid, expectedNonce: expected, nonce: message.message.nonce))
                    continue
                }
                next[sender] = expected &+ 1
                applied.append(message)
            }
            self.blocks.append(applied)
            all.append(messages.all)
        }
    }

    /// Reads a tipset's messages and selects.
    ///
    /// - Parameters:
    ///   - messages: of each block, where they have been read already.
    ///   - store: has the messages and, where senders are resolved, the parents' state.
    public init(
        _ tipset: TipSet, messages: [BlockMessages]? = nil, store: any Blockstore, network: ChainNetwork,
        rules: NodeRules
    ) throws(TipsetError) {
        let blocks: [BlockMessages]
        if let messages {
            blocks = messages
        } else {
            blocks = try TipsetError.onChain { () throws(ChainError) in try tipset.messages(in: store) }
        }
        guard rules.resolvesSenders, tipset.height >= network.hyperdrive else {
            self = try MessageSelection(blocks, resolve: nil)
            return
        }
        var tree: StateTree?
        self = try MessageSelection(
            blocks,
            resolve: { (address) throws(TipsetError) in
                try TipsetError.onState { () throws(StateError) in
                    let state: StateTree
                    if let tree {
                        state = tree
                    } else {
                        state = try StateTree(store: store, root: tipset.parentStateRoot)
                        tree = state
                    }
                    guard let id = try state.resolve(address) else {
                        throw .invalid("the sender \(address) is not in the state")
                    }
                    return .id(id)
                }
            })
    }
}

extension TipSet {
    /// Reads the messages of each block.
    func messages(in store: any Blockstore) throws(ChainError) -> [BlockMessages] {
        try blocks.map { (header) throws(ChainError) in try BlockMessages(header.messages, in: store) }
    }
}
