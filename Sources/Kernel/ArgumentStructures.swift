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
