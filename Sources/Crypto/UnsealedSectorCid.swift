import Primitives

/// The commitment to a sector's data (CommD) from those of its pieces (FVM syscall layer,
/// `compute_unsealed_sector_cid`).
public enum UnsealedSectorCid {
    /// One piece of a sector.
    public struct Piece: Sendable, Equatable {
        /// Bytes with padding.
        public var size: UInt64
        /// The commitment to the piece's data.
        public var cid: Cid

        public init(size: UInt64, cid: Cid) {
            self.size = size
            self.cid = cid
        }
    }

    /// Bytes with padding of the smallest piece.
    public static let minPieceSize: UInt64 = 128

    private static let sectorSizes: [UInt64] = [2 << 10, 8 << 20, 512 << 20, 32 << 30, 64 << 30]

    /// Bytes of a sector of a seal proof type; nil for a number that names none. Types come in groups of five
    /// sizes: V1, V1P1, synthetic, and (for `nonInteractive`, FVM v4) V1P2.
    public static func sectorSize(sealProof: Int64, nonInteractive: Bool = false) -> UInt64? {
        let groups: Int64 = nonInteractive ? 4 : 3
        guard (0..<groups * 5).contains(sealProof) else { return nil }
        return sectorSizes[Int(sealProof % 5)]
    }

    /// Commitments to zeros by size: element n is for 32 · 2^n bytes, up to the largest sector.
    private static let zeroCommitments: [[UInt8]] = {
        var out = [[UInt8](repeating: 0, count: 32)]
        while UInt64(32) << UInt64(out.count - 1) < 64 << 30 {
            out.append(join(out[out.count - 1], out[out.count - 1]))
        }
        return out
    }()

    /// A tree node: SHA-256 of both children with the two highest bits cleared, which makes it a field element.
    private static func join(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var digest = Sha2.hash256(left + right)
        digest[31] &= 0x3f
        return digest
    }

    /// The commitment to `size` zero bytes; nil for a size that no tree of 32-byte leaves up to 64 GiB has.
    public static func zeroCommitment(size: UInt64) -> [UInt8]? {
        guard size >= 32, size.nonzeroBitCount == 1, size <= 64 << 30 else { return nil }
        return zeroCommitments[size.trailingZeroBitCount - 5]
    }

    /// The CID of a sector of `sectorSize` bytes that holds `pieces` in order, each aligned to its own size, the
    /// gaps and the end filled with zeros.
    public static func compute(sectorSize: UInt64, pieces: [Piece]) throws(UnsealedSectorError) -> Cid {
        var tree = Tree()
        for (index, piece) in pieces.enumerated() {
            guard piece.size >= minPieceSize, piece.size.nonzeroBitCount == 1 else {
                throw .pieceSize(piece: index, piece.size)
            }
            guard piece.cid.codec == Cid.unsealedCommitment, piece.cid.hashCode == Cid.sha2256Trunc254Padded,
                piece.cid.digest.count == 32
            else { throw .pieceCid(piece: index, piece.cid) }
            guard piece.size <= sectorSize else { throw .overflow(piece: index) }
            try tree.pad(to: piece.size, sector: sectorSize, piece: index)
            try tree.push(size: piece.size, piece.cid.digest, sector: sectorSize, piece: index)
        }
        if tree.total == 0 {
            guard let zeros = zeroCommitment(size: sectorSize) else { throw .sectorSize(sectorSize) }
            try tree.push(size: sectorSize, zeros, sector: sectorSize, piece: 0)
        }
        try tree.pad(to: sectorSize, sector: sectorSize, piece: pieces.count)
        guard tree.stack.count == 1, let root = tree.stack.first, root.size == sectorSize else {
            throw .sectorSize(sectorSize)
        }
        do {
            return try Cid(
                codec: Cid.unsealedCommitment, hashCode: Cid.sha2256Trunc254Padded, digest: root.commitment)
        } catch {
            throw .sectorSize(sectorSize)
        }
    }

    /// Subtrees from left to right, equal neighbours joined.
    private struct Tree {
        var stack: [(size: UInt64, commitment: [UInt8])] = []
        var total: UInt64 = 0

        mutating func push(
            size: UInt64, _ commitment: [UInt8], sector: UInt64, piece: Int
        ) throws(UnsealedSectorError) {
            // Neither exceeds 64 GiB, so the sum is exact.
            guard size <= sector - min(total, sector) else { throw .overflow(piece: piece) }
            total += size
            var top = (size: size, commitment: commitment)
            while let left = stack.last, left.size == top.size {
                stack.removeLast()
                top = (size: left.size * 2, commitment: UnsealedSectorCid.join(left.commitment, top.commitment))
            }
            stack.append(top)
        }

        /// Zeros up to the next multiple of `size`, in the largest aligned pieces.
        mutating func pad(to size: UInt64, sector: UInt64, piece: Int) throws(UnsealedSectorError) {
            while total % size != 0 {
                let gap = total & (~total &+ 1)
                guard let zeros = UnsealedSectorCid.zeroCommitment(size: gap) else { throw .sectorSize(gap) }
                try push(size: gap, zeros, sector: sector, piece: piece)
            }
        }
    }
}

/// Why pieces do not make a sector.
public enum UnsealedSectorError: Error, Sendable, Equatable, CustomStringConvertible {
    case pieceSize(piece: Int, UInt64)
    case pieceCid(piece: Int, Cid)
    case overflow(piece: Int)
    case sectorSize(UInt64)

    public var description: String {
        switch self {
        case .pieceSize(let piece, let size):
            "piece \(piece): size \(size) is not a power of two of at least \(UnsealedSectorCid.minPieceSize)"
        case .pieceCid(let piece, let cid): "piece \(piece): \(cid) is not an unsealed commitment"
        case .overflow(let piece): "piece \(piece): does not fit in the sector"
        case .sectorSize(let size): "no sector has \(size) bytes"
        }
    }
}
