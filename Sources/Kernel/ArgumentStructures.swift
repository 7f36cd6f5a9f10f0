import Crypto
import IPLD
import Primitives

// The structures of the proof and event syscalls, element by element (FVM syscalls specification, section 2).
// The reader has the reference's leniency, which actors can observe.

extension CborReader {
    /// A list of any length.
    mutating func list<T>(_ element: (inout CborReader) throws(CborError) -> T) throws(CborError) -> [T] {
        let count = try arrayHead()
        var all: [T] = []
        // Only elements that are there cost anything, whatever the head says.
        for _ in 0..<count { all.append(try element(&self)) }
        return all
    }
}

extension UnsealedSectorCid.Piece {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.tuple(2)
        self.init(size: try reader.unsigned(), cid: try reader.link())
    }
}

extension WindowPoStInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.tuple(4)
        self.init(
            randomness: try reader.byteString(),
            proofs: try reader.list { (element) throws(CborError) in
                try element.tuple(2)
                return Proof(type: try element.int64(), bytes: try element.byteString())
            },
            challengedSectors: try reader.list { (element) throws(CborError) in
                try element.tuple(3)
                return Sector(
                    proofType: try element.int64(), number: try element.unsigned(), sealedCid: try element.link())
            },
            prover: try reader.unsigned())
    }
}

extension AggregateSealInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.tuple(5)
        self.init(
            miner: try reader.unsigned(), sealProofType: try reader.int64(),
            aggregateProofType: try reader.int64(), proof: try reader.byteString(),
            sectors: try reader.list { (element) throws(CborError) in
                try element.tuple(5)
                return Sector(
                    number: try element.unsigned(), randomness: try element.byteString(),
                    interactiveRandomness: try element.byteString(), sealedCid: try element.link(),
                    unsealedCid: try element.link())
            })
    }
}

extension ReplicaUpdateInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.tuple(5)
        self.init(
            proofType: try reader.int64(), oldSealedCid: try reader.link(), newSealedCid: try reader.link(),
            newUnsealedCid: try reader.link(),
            // A list of small integers, not a byte string.
            proof: try reader.list { (element) throws(CborError) in try element.unsigned(UInt8.self) })
    }
}

extension SealInfo {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.tuple(8)
        let proofType = try reader.int64()
        try reader.tuple(2)
        self.init(
            proofType: proofType, miner: try reader.unsigned(), sectorNumber: try reader.unsigned(),
            deals: try reader.list { (element) throws(CborError) in try element.unsigned() },
            randomness: try reader.byteString(), interactiveRandomness: try reader.byteString(),
            proof: try reader.byteString(), sealedCid: try reader.link(), unsealedCid: try reader.link())
    }
}

extension ActorEvent.Entry {
    init(_ reader: inout CborReader) throws(CborError) {
        try reader.tuple(4)
        self.init(
            flags: try reader.unsigned(), key: Array(try reader.text().utf8), codec: try reader.unsigned(),
            value: try reader.byteString())
    }
}
