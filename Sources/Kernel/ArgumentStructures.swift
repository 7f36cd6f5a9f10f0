import Crypto
import IPLD
import Primitives

// The structures of the proof and event syscalls, element by element (FVM syscalls specification, section 2).
// The reader has the reference's leniency, which actors can observe.

extension CborReader {
    /// A list of any length.
    mutating func list<T>(_ element: (inout CborReader) throws(CborError) -> T) throws(CborError) -> [T] {
        let count = try enterList()
        defer { leave() }
        var all: [T] = []
        // Only elements that are there cost anything, whatever the head says.
        for _ in 0..<count { all.append(try element(&self)) }
        return all
    }
}

extension UnsealedSectorCid.Piece {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.enter(2)
        defer { reader.leave() }
        self.init(size: try reader.unsigned(), cid: try reader.link())
    }
}

extension WindowPoStInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.enter(4)
        defer { reader.leave() }
        self.init(
            randomness: try reader.byteString(),
            proofs: try reader.list { (element) throws(CborError) in
                try element.enter(2)
                defer { element.leave() }
                return Proof(type: try element.int64(), bytes: try element.byteString())
            },
            challengedSectors: try reader.list { (element) throws(CborError) in
                try element.enter(3)
                defer { element.leave() }
                return Sector(
                    proofType: try element.int64(), number: try element.unsigned(), sealedCid: try element.link())
            },
            prover: try reader.unsigned())
    }
}

extension AggregateSealInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.enter(5)
        defer { reader.leave() }
        self.init(
            miner: try reader.unsigned(), sealProofType: try reader.int64(),
            aggregateProofType: try reader.int64(), proof: try reader.byteString(),
            sectors: try reader.list { (element) throws(CborError) in
                try element.enter(5)
                defer { element.leave() }
                return Sector(
                    number: try element.unsigned(), randomness: try element.byteString(),
                    interactiveRandomness: try element.byteString(), sealedCid: try element.link(),
                    unsealedCid: try element.link())
            })
    }
}

extension ReplicaUpdateInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.enter(5)
        defer { reader.leave() }
        self.init(
            proofType: try reader.int64(), oldSealedCid: try reader.link(), newSealedCid: try reader.link(),
            newUnsealedCid: try reader.link(),
            // A list of small integers, not a byte string.
            proof: try reader.list { (element) throws(CborError) in try element.unsigned(UInt8.self) })
    }
}

extension SealInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.enter(8)
        defer { reader.leave() }
        let proofType = try reader.int64()
        try reader.enter(2)
        let miner: UInt64 = try reader.unsigned()
        let sectorNumber: UInt64 = try reader.unsigned()
        reader.leave()
        self.init(
            proofType: proofType, miner: miner, sectorNumber: sectorNumber,
            deals: try reader.list { (element) throws(CborError) in try element.unsigned() },
            randomness: try reader.byteString(), interactiveRandomness: try reader.byteString(),
            proof: try reader.byteString(), sealedCid: try reader.link(), unsealedCid: try reader.link())
    }
}

extension ActorEvent.Entry {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.enter(4)
        defer { reader.leave() }
        self.init(
            flags: try reader.unsigned(), key: Array(try reader.text().utf8), codec: try reader.unsigned(),
            value: try reader.byteString())
    }
}

// The same structures written again, for verifiers that take them in CBOR.

extension CborWriter {
    /// A list with its head.
    fileprivate mutating func list<T>(_ elements: [T], _ write: (inout CborWriter, T) -> Void) {
        array(elements.count)
        for element in elements { write(&self, element) }
    }
}

extension WindowPoStInfo {
    /// The structure as the actor gave it, but for its encoder's liberties.
    public var cbor: [UInt8] {
        var writer = CborWriter()
        writer.array(4)
        writer.byteString(randomness)
        writer.list(proofs) { writer, proof in
            writer.array(2)
            writer.int64(proof.type)
            writer.byteString(proof.bytes)
        }
        writer.list(challengedSectors) { writer, sector in
            writer.array(3)
            writer.int64(sector.proofType)
            writer.unsigned(sector.number)
            writer.link(sector.sealedCid)
        }
        writer.unsigned(prover)
        return writer.bytes
    }
}

extension AggregateSealInfo {
    /// The structure as the actor gave it, but for its encoder's liberties.
    public var cbor: [UInt8] {
        var writer = CborWriter()
        writer.array(5)
        writer.unsigned(miner)
        writer.int64(sealProofType)
        writer.int64(aggregateProofType)
        writer.byteString(proof)
        writer.list(sectors) { writer, sector in
            writer.array(5)
            writer.unsigned(sector.number)
            writer.byteString(sector.randomness)
            writer.byteString(sector.interactiveRandomness)
            writer.link(sector.sealedCid)
            writer.link(sector.unsealedCid)
        }
        return writer.bytes
    }
}

extension ReplicaUpdateInfo {
    /// The structure as the actor gave it, but for its encoder's liberties.
    public var cbor: [UInt8] {
        var writer = CborWriter()
        writer.array(5)
        writer.int64(proofType)
        writer.link(oldSealedCid)
        writer.link(newSealedCid)
        writer.link(newUnsealedCid)
        writer.list(proof) { writer, byte in writer.unsigned(byte) }
        return writer.bytes
    }
}

extension SealInfo {
    /// The structure as the actor gave it, but for its encoder's liberties.
    public var cbor: [UInt8] {
        var writer = CborWriter()
        writer.array(8)
        writer.int64(proofType)
        writer.array(2)
        writer.unsigned(miner)
        writer.unsigned(sectorNumber)
        writer.list(deals) { writer, deal in writer.unsigned(deal) }
        writer.byteString(randomness)
        writer.byteString(interactiveRandomness)
        writer.byteString(proof)
        writer.link(sealedCid)
        writer.link(unsealedCid)
        return writer.bytes
    }
}
