import Crypto
import IPLD
import Primitives
import Testing

@testable import Kernel

/// What a verifier outside of the machine gets is what the actor gave.
@Suite struct ProofStructureTests {
    private let sealed = Cid.blake2b256(codec: Cid.raw, data: [1])
    private let unsealed = Cid.blake2b256(codec: Cid.raw, data: [2])

    @Test func windowPoSts() throws {
        let info = WindowPoStInfo(
            randomness: [1, 2], proofs: [.init(type: -1, bytes: [3]), .init(type: 9, bytes: [])],
            challengedSectors: [.init(proofType: 8, number: .max, sealedCid: sealed)], prover: 1000)
        var reader = CborReader(info.cbor)
        #expect(try WindowPoStInfo(&reader) == info)
        try reader.finish()
    }

    @Test func aggregateSeals() throws {
        let info = AggregateSealInfo(
            miner: 7, sealProofType: 8, aggregateProofType: -2, proof: [9],
            sectors: [
                .init(number: 1, randomness: [], interactiveRandomness: [5], sealedCid: sealed, unsealedCid: unsealed)
            ])
        var reader = CborReader(info.cbor)
        #expect(try AggregateSealInfo(&reader) == info)
        try reader.finish()
    }

    @Test func replicaUpdates() throws {
        let info = ReplicaUpdateInfo(
            proofType: 3, oldSealedCid: sealed, newSealedCid: unsealed, newUnsealedCid: sealed, proof: [0, 24, 255])
        var reader = CborReader(info.cbor)
        #expect(try ReplicaUpdateInfo(&reader) == info)
        try reader.finish()
    }

    @Test func seals() throws {
        let info = SealInfo(
            proofType: 8, miner: 1, sectorNumber: 2, deals: [3, .max], randomness: [4], interactiveRandomness: [5, 6],
            proof: [], sealedCid: sealed, unsealedCid: unsealed)
        var reader = CborReader(info.cbor)
        #expect(try SealInfo(&reader) == info)
        try reader.finish()
    }
}
