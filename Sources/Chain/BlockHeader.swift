import Crypto
import IPLD
import Primitives
import StateTree

/// A block's header (FVM chain layer 1.1; Lotus, chain/types/blockheader.go): a CBOR tuple of 16.
public struct BlockHeader: Sendable, Equatable {
    /// An entry of the drand beacon.
    public struct BeaconEntry: Sendable, Equatable {
        public var round: UInt64
        public var data: [UInt8]

        public init(round: UInt64, data: [UInt8]) {
            self.round = round
            self.data = data
        }
    }

    /// The proof of having won.
    public struct ElectionProof: Sendable, Equatable {
        public var winCount: Int64
        public var vrfProof: [UInt8]

        public init(winCount: Int64, vrfProof: [UInt8]) {
            self.winCount = winCount
            self.vrfProof = vrfProof
        }
    }

    /// A proof of storage.
    public struct PoStProof: Sendable, Equatable {
        public var type: Int64
        public var bytes: [UInt8]

        public init(type: Int64, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }
    }

    public var miner: Address
    /// The ticket's VRF proof.
    public var ticket: [UInt8]?
    public var electionProof: ElectionProof?
    public var beaconEntries: [BeaconEntry]
    public var winPoStProof: [PoStProof]
    public var parents: [Cid]
    public var parentWeight: TokenAmount
    public var height: Int64
    /// The state that executing the parents left.
    public var parentStateRoot: Cid
    /// The receipts of executing the parents.
    public var parentMessageReceipts: Cid
    /// The pair of lists of messages.
    public var messages: Cid
    /// Type and signature.
    public var blsAggregate: [UInt8]?
    /// Unix seconds.
    public var timestamp: UInt64
    /// Type and signature.
    public var blockSignature: [UInt8]?
    public var forkSignaling: UInt64
    /// attoFIL per gas for the messages of this header's tipset.
    public var parentBaseFee: TokenAmount

    public init(
        miner: Address, ticket: [UInt8]?, electionProof: ElectionProof?, beaconEntries: [BeaconEntry],
        winPoStProof: [PoStProof], parents: [Cid], parentWeight: TokenAmount, height: Int64, parentStateRoot: Cid,
        parentMessageReceipts: Cid, messages: Cid, blsAggregate: [UInt8]?, timestamp: UInt64,
        blockSignature: [UInt8]?, forkSignaling: UInt64, parentBaseFee: TokenAmount
    ) {
        self.miner = miner
        self.ticket = ticket
        self.electionProof = electionProof
        self.beaconEntries = beaconEntries
        self.winPoStProof = winPoStProof
        self.parents = parents
        self.parentWeight = parentWeight
        self.height = height
        self.parentStateRoot = parentStateRoot
        self.parentMessageReceipts = parentMessageReceipts
        self.messages = messages
        self.blsAggregate = blsAggregate
        self.timestamp = timestamp
        self.blockSignature = blockSignature
        self.forkSignaling = forkSignaling
        self.parentBaseFee = parentBaseFee
    }

    /// Decodes a header.
    public init(cbor: [UInt8]) throws(CborError) {
        var reader = CborReader(cbor)
        try reader.tuple(16)
        miner = try reader.address()
        ticket = try BlockHeader.ticket(&reader)
        if try reader.null() {
            electionProof = nil
        } else {
            try reader.tuple(2)
            electionProof = ElectionProof(winCount: try reader.int64(), vrfProof: try reader.byteString())
        }
        beaconEntries = []
        for _ in 0..<(try reader.array()) {
            try reader.tuple(2)
            beaconEntries.append(BeaconEntry(round: try reader.unsigned(), data: try reader.byteString()))
        }
        winPoStProof = []
        for _ in 0..<(try reader.array()) {
            try reader.tuple(2)
            winPoStProof.append(PoStProof(type: try reader.int64(), bytes: try reader.byteString()))
        }
        parents = []
        for _ in 0..<(try reader.array()) { parents.append(try reader.link()) }
        parentWeight = try reader.tokenAmount()
        height = try reader.int64()
        parentStateRoot = try reader.link()
        parentMessageReceipts = try reader.link()
        messages = try reader.link()
        blsAggregate = try reader.null() ? nil : try reader.byteString()
        timestamp = try reader.unsigned()
        blockSignature = try reader.null() ? nil : try reader.byteString()
        forkSignaling = try reader.unsigned()
        parentBaseFee = try reader.tokenAmount()
        try reader.finish()
    }

    private static func ticket(_ reader: inout CborReader) throws(CborError) -> [UInt8]? {
        if try reader.null() { return nil }
        try reader.tuple(1)
        return try reader.byteString()
    }

    /// The header as the chain has it.
    public func encoded() throws(TokenAmountError) -> [UInt8] {
        var writer = CborWriter()
        writer.array(16)
        writer.byteString(miner.bytes)
        if let ticket {
            writer.array(1)
            writer.byteString(ticket)
        } else {
            writer.null()
        }
        if let electionProof {
            writer.array(2)
            writer.int64(electionProof.winCount)
            writer.byteString(electionProof.vrfProof)
        } else {
            writer.null()
        }
        writer.array(beaconEntries.count)
        for entry in beaconEntries {
            writer.array(2)
            writer.unsigned(entry.round)
            writer.byteString(entry.data)
        }
        writer.array(winPoStProof.count)
        for proof in winPoStProof {
            writer.array(2)
            writer.int64(proof.type)
            writer.byteString(proof.bytes)
        }
        writer.array(parents.count)
        for parent in parents { writer.link(parent) }
        writer.byteString(try parentWeight.cborBytes)
        writer.int64(height)
        writer.link(parentStateRoot)
        writer.link(parentMessageReceipts)
        writer.link(messages)
        if let blsAggregate { writer.byteString(blsAggregate) } else { writer.null() }
        writer.unsigned(timestamp)
        if let blockSignature { writer.byteString(blockSignature) } else { writer.null() }
        writer.unsigned(forkSignaling)
        writer.byteString(try parentBaseFee.cborBytes)
        return writer.bytes
    }
}
