import Chain
import Crypto
import Engine
import IPLD
import Machine
import Primitives

/// Makes chains: tipsets on top of a head, each with what executing the one below it came to. What needs keys or
/// sealed sectors (tickets, proofs, signatures) is made up from hashes, so that equal input gives equal bytes; what
/// execution reads of it has the form the format demands.
public final class ChainMaker {
    /// What a block of the next tipset has.
    public struct Block: Sendable, Equatable {
        public var miner: Address
        public var winCount: Int64
        /// Messages without a signature of their own.
        public var bls: [Message]
        public var signed: [SignedMessage]

        public init(miner: Address, winCount: Int64 = 1, bls: [Message] = [], signed: [SignedMessage] = []) {
            self.miner = miner
            self.winCount = winCount
            self.bls = bls
            self.signed = signed
        }

        /// Sorts messages by the kind of their senders' keys and makes up signatures where there has to be one.
        public init(miner: Address, winCount: Int64 = 1, messages: [Message]) {
            self.init(miner: miner, winCount: winCount)
            for message in messages { add(message, signature: nil) }
        }

        /// Puts a message into the list it belongs to.
        ///
        /// - Parameter signature: type and data; nil makes one up where the sender's address says that its key is no
        ///   BLS key, whose signatures are aggregated.
        public mutating func add(_ message: Message, signature: [UInt8]?) {
            let made: UInt8? =
                switch message.from.addressProtocol {
                case .secp256k1: 1
                case .delegated: 3
                default: nil
                }
            if let signature, signature.first != 2 {
                signed.append(SignedMessage(message: message, signature: signature))
            } else if signature == nil, let made {
                signed.append(SignedMessage(message: message, signature: Made.signature(made, message)))
            } else {
                bls.append(message)
            }
        }
    }

    public private(set) var head: TipSet
    public let execution: TipsetExecution
    let store: any Blockstore
    /// What the head came to, where it was executed.
    private var outcome: TipsetOutcome?

    /// Goes on from a head.
    ///
    /// - Parameter store: has the chain, and gets what is new.
    public init(
        head: TipSet, network: ChainNetwork, rules: NodeRules, engine: any ActorEngine, store: any Blockstore
    ) {
        self.head = head
        self.store = store
        execution = TipsetExecution(
            network: network, rules: rules, line: ChainLine(top: head, store: store), engine: engine)
    }

    /// A tipset of height 0 (FVM chain layer 1.1).
    ///
    /// - Parameters:
    ///   - stateRoot: of the state the chain begins with.
    ///   - baseFee: attoFIL per gas; the networks began with 100 million.
    public static func genesis(
        stateRoot: Cid, network: ChainNetwork, baseFee: TokenAmount = TokenAmount(100_000_000),
        store: any Blockstore
    ) throws(TipsetError) -> TipSet {
        let before = CborValue.text(network.name).encoded
        let parent: Cid
        do throws(CidError) {
            parent = try Cid(codec: Cid.dagCbor, hashCode: Cid.sha2256, digest: Sha2.hash256(before))
        } catch { throw .local(error.description) }
        try put(parent, before, store)
        let receipts = ReceiptList.list([])
        for block in receipts.blocks { try put(block.cid, block.data, store) }
        let header = BlockHeader(
            miner: .id(0), ticket: Made.bytes("ticket \(network.name)", 96),
            electionProof: .init(winCount: 0, vrfProof: []),
            beaconEntries: [.init(round: 0, data: [UInt8](repeating: 0, count: 32))], winPoStProof: [],
            parents: [parent], parentWeight: .zero, height: 0, parentStateRoot: stateRoot,
            parentMessageReceipts: receipts.root, messages: try putMessages(Block(miner: .id(0)), store),
            blsAggregate: nil, timestamp: network.genesisTimestamp, blockSignature: nil, forkSignaling: 0,
            parentBaseFee: baseFee)
        return try tipset([header], store)
    }

    /// What executing the head comes to.
    public func headOutcome() throws(TipsetError) -> TipsetOutcome {
        if let outcome { return outcome }
        let made = try execution.execute(head, store: store)
        outcome = made
        return made
    }

    /// Puts a tipset on the head, which is executed for it.
    ///
    /// - Parameters:
    ///   - blocks: in the order in which they are to be executed; tickets are made for it.
    ///   - nullRounds: heights without a tipset before it.
    @discardableResult
    public func append(_ blocks: [Block], nullRounds: Int64 = 0) throws(TipsetError) -> TipSet {
        let outcome = try headOutcome()
        let height = head.height + 1 + nullRounds
        guard !blocks.isEmpty, nullRounds >= 0, height <= TipSet.maxHeight else {
            throw .state("a tipset needs a block, and a height that a chain can have")
        }
        let network = execution.network
        let name = "\(network.name) \(head.keyCid.text) \(height)"
        let tickets = blocks.indices.map { Made.bytes("ticket \(name) \($0)", 96) }
            .sorted { Blake2b.hash256($0).lexicographicallyPrecedes(Blake2b.hash256($1)) }
        let entries = ((head.height + 1)...height).map { epoch in
            let round = network.beaconRound(at: epoch)
            return BlockHeader.BeaconEntry(round: round, data: Made.bytes("beacon \(round)", 96))
        }
        var headers: [BlockHeader] = []
        for (block, ticket) in zip(blocks, tickets) {
            headers.append(
                BlockHeader(
                    miner: block.miner, ticket: ticket,
                    electionProof: .init(
                        winCount: block.winCount, vrfProof: Made.bytes("election \(name) \(block.miner)", 96)),
                    beaconEntries: entries,
                    winPoStProof: [.init(type: 3, bytes: Made.bytes("post \(name) \(block.miner)", 192))],
                    parents: head.key, parentWeight: head.parentWeight + Self.weight(head), height: height,
                    parentStateRoot: outcome.stateRoot, parentMessageReceipts: outcome.receiptsRoot,
                    messages: try Self.putMessages(block, store),
                    blsAggregate: [2] + (block.bls.isEmpty ? Made.noSignature : Made.bytes("aggregate \(name)", 96)),
                    timestamp: head.timestamp &+ ChainNetwork.blockDelay &* UInt64(height - head.height),
                    blockSignature: [2] + Made.bytes("signature \(name) \(block.miner)", 96), forkSignaling: 0,
                    parentBaseFee: outcome.nextBaseFee ?? head.baseFee))
        }
        let tipset = try Self.tipset(headers, store)
        execution.line.grow(tipset)
        head = tipset
        self.outcome = nil
        return tipset
    }

    /// Made up: what a tipset adds; more wins, more weight.
    private static func weight(_ tipset: TipSet) -> TokenAmount {
        tipset.blocks.reduce(TokenAmount(1 << 10)) { sum, header in
            sum + TokenAmount(UInt64(clamping: header.electionProof?.winCount ?? 0) << 8)
        }
    }

    // MARK: Blocks of the store

    private static func tipset(_ headers: [BlockHeader], _ store: any Blockstore) throws(TipsetError) -> TipSet {
        var blocks: [(cid: Cid, header: BlockHeader)] = []
        for header in headers {
            let data: [UInt8]
            do throws(TokenAmountError) { data = try header.encoded() } catch { throw .state("header: \(error)") }
            blocks.append((try put(data, store), header))
        }
        return try TipsetError.onChain { () throws(ChainError) in try TipSet(blocks) }
    }

    private static func putMessages(_ block: Block, _ store: any Blockstore) throws(TipsetError) -> Cid {
        var lists: [[Cid]] = [[], []]
        for message in block.bls { lists[0].append(try put(try encoded(message), store)) }
        for message in block.signed {
            var writer = CborWriter()
            writer.array(2)
            writer.encoded(try encoded(message.message))
            writer.byteString(message.signature)
            lists[1].append(try put(writer.bytes, store))
        }
        var meta = CborWriter()
        meta.array(2)
        for list in lists {
            let array = AmtVersion0.encode(
                list.map { cid in
                    var writer = CborWriter()
                    writer.link(cid)
                    return writer.bytes
                })
            for block in array.blocks { try put(block.cid, block.data, store) }
            meta.link(array.root)
        }
        return try put(meta.bytes, store)
    }

    private static func encoded(_ message: Message) throws(TipsetError) -> [UInt8] {
        do throws(MessageError) { return try message.encoded() } catch { throw .state("\(error)") }
    }

    @discardableResult
    private static func put(_ data: [UInt8], _ store: any Blockstore) throws(TipsetError) -> Cid {
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
        try put(cid, data, store)
        return cid
    }

    private static func put(_ cid: Cid, _ data: [UInt8], _ store: any Blockstore) throws(TipsetError) {
        do throws(BlockstoreError) { try store.put(cid, data) } catch { throw .local(error.description) }
    }
}

/// Bytes that stand for what only keys and sectors can make.
private enum Made {
    /// The sum of no signatures: the point at infinity.
    static let noSignature = [0xC0] + [UInt8](repeating: 0, count: 95)

    static func bytes(_ name: String, _ count: Int) -> [UInt8] {
        var out: [UInt8] = []
        var part = 0
        while out.count < count {
            out += Blake2b.hash256(Array("smelt \(name) \(part)".utf8))
            part += 1
        }
        return Array(out.prefix(count))
    }

    /// Of the length that messages pay for.
    static func signature(_ type: UInt8, _ message: Message) -> [UInt8] {
        let content = (try? message.encoded()) ?? []
        return [type] + bytes("message \(Hex.encode(Blake2b.hash256(content)))", 65)
    }
}
