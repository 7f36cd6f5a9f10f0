import Crypto
import JSON
import Primitives
import TestSupport
import Testing

private func piece(_ size: UInt64, _ commitment: [UInt8]) throws -> UnsealedSectorCid.Piece {
    let cid = try Cid(codec: Cid.unsealedCommitment, hashCode: Cid.sha2256Trunc254Padded, digest: commitment)
    return UnsealedSectorCid.Piece(size: size, cid: cid)
}

private func zeros(_ size: UInt64) throws -> UnsealedSectorCid.Piece {
    try piece(size, try #require(UnsealedSectorCid.zeroCommitment(size: size)))
}

@Suite struct UnsealedSectorCidTests {
    @Test func zeroCommitmentsOfSmallSizes() {
        #expect(UnsealedSectorCid.zeroCommitment(size: 32) == [UInt8](repeating: 0, count: 32))
        #expect(
            Hex.encode(UnsealedSectorCid.zeroCommitment(size: 128) ?? [])
                == "3731bb99ac689f66eef5973e4a94da188f4ddcae580724fc6f3fd60dfd488333")
        #expect(
            Hex.encode(UnsealedSectorCid.zeroCommitment(size: 2048) ?? [])
                == "fc7e928296e516faade986b28f92d44a4f24b935485223376a799027bc18f833")
        for size: UInt64 in [0, 1, 31, 33, 96, 64 << 30 + 1, 128 << 30, .max] {
            #expect(UnsealedSectorCid.zeroCommitment(size: size) == nil)
        }
    }

    @Test func noPiecesAreASectorOfZeros() throws {
        let cid = try UnsealedSectorCid.compute(sectorSize: 2048, pieces: [])
        #expect(cid.codec == Cid.unsealedCommitment && cid.hashCode == Cid.sha2256Trunc254Padded)
        #expect(cid.digest == UnsealedSectorCid.zeroCommitment(size: 2048))
        let halves = [try zeros(1024), try zeros(1024)]
        #expect(try UnsealedSectorCid.compute(sectorSize: 2048, pieces: halves) == cid)
        #expect(try UnsealedSectorCid.compute(sectorSize: 2048, pieces: [try zeros(128)]) == cid)
    }

    @Test func piecesAreAlignedToTheirSize() throws {
        let mark = [UInt8](repeating: 0xff, count: 32)
        let direct = try UnsealedSectorCid.compute(
            sectorSize: 2048, pieces: [try piece(128, mark), try piece(1024, mark)])
        let padded = try UnsealedSectorCid.compute(
            sectorSize: 2048,
            pieces: [try piece(128, mark), try zeros(128), try zeros(256), try zeros(512), try piece(1024, mark)])
        #expect(direct == padded)
        let whole = try UnsealedSectorCid.compute(sectorSize: 2048, pieces: [try piece(2048, mark)])
        #expect(whole.digest == mark)
    }

    @Test func piecesThatAreNoPowersOfTwoOrTooSmallAreRefused() throws {
        let mark = [UInt8](repeating: 1, count: 32)
        for size: UInt64 in [0, 1, 32, 64, 127, 129, 192, .max] {
            #expect(throws: UnsealedSectorError.pieceSize(piece: 0, size)) {
                try UnsealedSectorCid.compute(sectorSize: 2048, pieces: [try piece(size, mark)])
            }
        }
    }

    @Test func piecesThatDoNotFitAreRefused() throws {
        let mark = [UInt8](repeating: 1, count: 32)
        for sizes: [UInt64] in [[4096], [2048, 128], [1024, 1024, 128], [128, 2048], [1 << 63], [1024, 128, 1024]] {
            #expect(throws: UnsealedSectorError.overflow(piece: sizes.count - 1)) {
                let pieces = try sizes.map { try piece($0, mark) }
                _ = try UnsealedSectorCid.compute(sectorSize: 2048, pieces: pieces)
            }
        }
        let seventeen = try (0..<17).map { _ in try piece(128, mark) }
        #expect(throws: UnsealedSectorError.overflow(piece: 16)) {
            try UnsealedSectorCid.compute(sectorSize: 2048, pieces: seventeen)
        }
        _ = try UnsealedSectorCid.compute(sectorSize: 2048, pieces: Array(seventeen.dropLast()))
    }

    @Test func cidsThatAreNoCommitmentsAreRefused() throws {
        let digest = [UInt8](repeating: 1, count: 32)
        let wrong = [
            try Cid(codec: Cid.dagCbor, hashCode: Cid.sha2256Trunc254Padded, digest: digest),
            try Cid(codec: Cid.unsealedCommitment, hashCode: Cid.sha2256, digest: digest),
            try Cid(codec: Cid.unsealedCommitment, hashCode: Cid.sha2256Trunc254Padded, digest: [1]),
        ]
        for cid in wrong {
            #expect(throws: UnsealedSectorError.pieceCid(piece: 0, cid)) {
                try UnsealedSectorCid.compute(
                    sectorSize: 2048, pieces: [UnsealedSectorCid.Piece(size: 2048, cid: cid)])
            }
        }
    }

    @Test func sealProofTypesHaveTheirSectorSizes() {
        #expect(
            (0..<5).map { UnsealedSectorCid.sectorSize(sealProof: $0) } == [
                2048, 8 << 20, 512 << 20, 32 << 30, 64 << 30,
            ])
        #expect(UnsealedSectorCid.sectorSize(sealProof: 8) == 32 << 30)
        #expect(UnsealedSectorCid.sectorSize(sealProof: 14) == 64 << 30)
        #expect(UnsealedSectorCid.sectorSize(sealProof: 15) == nil)
        #expect(UnsealedSectorCid.sectorSize(sealProof: 15, nonInteractive: true) == 2048)
        for type: Int64 in [-1, 20, .min, .max] {
            #expect(UnsealedSectorCid.sectorSize(sealProof: type, nonInteractive: true) == nil)
        }
    }

    @Test func mainnetSectorsHaveTheirCommitments() throws {
        guard let file = sharedBytes("fvm/selfcheck/commd.json") else { return }
        let fixture = try JSON.parse(file)
        let commitments = try #require(fixture["zero_piece_commitments"]?.members)
        for member in commitments {
            let size = try #require(UInt64(member.name))
            guard size <= 64 << 30 else { continue }
            #expect(Hex.encode(UnsealedSectorCid.zeroCommitment(size: size) ?? []) == member.value.string)
        }
        var count = 0
        for vector in try fixture.list("vectors") {
            for sector in try vector.list("sectors") where sector["commd"] != nil {
                let proof: Int64 = try #require(sector["seal_proof"]?.integer())
                let size = try #require(UnsealedSectorCid.sectorSize(sealProof: proof))
                let pieces = try sector.list("pieces").map { row in
                    try piece(try #require(row["size"]?.integer()), try row.hex("commitment"))
                }
                #expect(
                    try UnsealedSectorCid.compute(sectorSize: size, pieces: pieces).text == sector["commd"]?.string)
                count += 1
            }
        }
        #expect(count == 100)
    }
}
