import Primitives

// The structures of the proof and event syscalls, element by element (FVM syscalls specification, section 2).

extension UnsealedSector.Piece {
    init(_ reader: inout ArgumentReader) throws(ArgumentError) {
        try reader.tuple(2)
        self.init(size: try reader.u64(), cid: try reader.cid())
    }
}

extension WindowPoStInfo {
    init(_ reader: inout ArgumentReader) throws(ArgumentError) {
        try reader.tuple(4)
        self.init(
            randomness: try reader.byteString(),
            proofs: try reader.list { (element) throws(ArgumentError) in
                try element.tuple(2)
                return Proof(type: try element.i64(), bytes: try element.byteString())
            },
            challengedSectors: try reader.list { (element) throws(ArgumentError) in
                try element.tuple(3)
                return Sector(
                    proofType: try element.i64(), number: try element.u64(), sealedCid: try element.cid())
            },
            prover: try reader.u64())
    }
}

extension AggregateSealInfo {
    init(_ reader: inout ArgumentReader) throws(ArgumentError) {
        try reader.tuple(5)
        self.init(
            miner: try reader.u64(), sealProofType: try reader.i64(), aggregateProofType: try reader.i64(),
            proof: try reader.byteString(),
            sectors: try reader.list { (element) throws(ArgumentError) in
                try element.tuple(5)
                return Sector(
                    number: try element.u64(), randomness: try element.byteString(),
                    interactiveRandomness: try element.byteString(), sealedCid: try element.cid(),
                    unsealedCid: try element.cid())
            })
    }
}

extension ReplicaUpdateInfo {
    init(_ reader: inout ArgumentReader) throws(ArgumentError) {
        try reader.tuple(5)
        self.init(
            proofType: try reader.i64(), oldSealedCid: try reader.cid(), newSealedCid: try reader.cid(),
            newUnsealedCid: try reader.cid(),
            // A list of small integers, not a byte string.
            proof: try reader.list { (element) throws(ArgumentError) in try element.u8() })
    }
}

extension SealInfo {
    init(_ reader: inout ArgumentReader) throws(ArgumentError) {
        try reader.tuple(8)
        let proofType = try reader.i64()
        try reader.tuple(2)
        self.init(
            proofType: proofType, miner: try reader.u64(), sectorNumber: try reader.u64(),
            deals: try reader.list { (element) throws(ArgumentError) in try element.u64() },
            randomness: try reader.byteString(), interactiveRandomness: try reader.byteString(),
            proof: try reader.byteString(), sealedCid: try reader.cid(), unsealedCid: try reader.cid())
    }
}

extension ActorEvent.Entry {
    init(_ reader: inout ArgumentReader) throws(ArgumentError) {
        try reader.tuple(4)
        self.init(
            flags: try reader.u64(), key: try reader.textString(), codec: try reader.u64(),
            value: try reader.byteString())
    }
}
