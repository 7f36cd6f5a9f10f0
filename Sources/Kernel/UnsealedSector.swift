import Crypto
import Primitives

/// The commitment to a sector's data (CommD), from the commitments of its pieces (ref-fvm `commcid`,
/// filecoin-proofs `generate_piece_commitment`).
enum UnsealedSector {
    /// A piece: its size in padded bytes and its commitment.
    struct Piece {
        var size: UInt64
        var cid: Cid
    }

    /// Why there is no such sector.
    struct Refusal: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    /// Bytes of a sector, by the last part of a proof type's number (type mod 5).
    static let sectorSizes: [UInt64] = [2 << 10, 8 << 20, 512 << 20, 32 << 30, 64 << 30]
    private static let smallestPiece: UInt64 = 128

    /// The CID of a sector of `sectorSize` bytes (a power of two) that holds `pieces` in this order, each
    /// aligned to its own size, the gaps and the rest filled with zero pieces.
    static func cid(sectorSize: UInt64, pieces: [Piece]) throws(Refusal) -> Cid {
        var tree = PieceTree()
        for (index, piece) in pieces.enumerated() {
            guard piece.size >= smallestPiece, piece.size & (piece.size - 1) == 0 else {
                throw Refusal("piece \(index) has \(piece.size) bytes, not a power of two from \(smallestPiece) on")
            }
            try tree.align(to: piece.size, limit: sectorSize)
            try tree.add(commitment(of: piece.cid, index), size: piece.size, limit: sectorSize)
        }
        if pieces.isEmpty {
            try tree.add(zero(sectorSize), size: sectorSize, limit: sectorSize)
        } else {
            try tree.align(to: sectorSize, limit: sectorSize)
        }
        do throws(CidError) {
            return try Cid(
                codec: Cid.unsealedCommitment, hashCode: Cid.sha2256Trunc254Padded, digest: tree.root)
        } catch {
            throw Refusal(error.description)
        }
    }

    private static func commitment(of cid: Cid, _ index: Int) throws(Refusal) -> [UInt8] {
        let digest = cid.digest
        guard cid.codec == Cid.unsealedCommitment, cid.hashCode == Cid.sha2256Trunc254Padded, digest.count == 32
        else { throw Refusal("piece \(index): \(cid.text) is no piece commitment") }
        return digest
    }

    /// sha2-256 of both halves with the two top bits of the last byte cleared, so that it is a field element.
    private static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var digest = Sha2.hash256(left + right)
        digest[digest.count - 1] &= 0x3F
        return digest
    }

    /// The commitment of `size` zero bytes; `size` is 32 times a power of two, at most 64 GiB.
    private static func zero(_ size: UInt64) -> [UInt8] {
        zeros[min(max(size, 32).trailingZeroBitCount - 5, zeros.count - 1)]
    }

    /// Commitments of 32, 64, 128… zero bytes, up to the largest sector.
    private static let zeros: [[UInt8]] = {
        var all = [[UInt8](repeating: 0, count: 32)]
        while all.count <= (64 << 30).trailingZeroBitCount - 5 {
            all.append(node(all[all.count - 1], all[all.count - 1]))
        }
        return all
    }()

    /// A binary tree that grows from the left: pending subtrees of falling size.
    private struct PieceTree {
        private var pending: [(digest: [UInt8], size: UInt64)] = []
        private var total: UInt64 = 0

        var root: [UInt8] { pending.last?.digest ?? [] }

        mutating func add(_ digest: [UInt8], size: UInt64, limit: UInt64) throws(Refusal) {
            let (sum, overflow) = total.addingReportingOverflow(size)
            guard !overflow, sum <= limit else { throw Refusal("pieces exceed the sector's \(limit) bytes") }
            total = sum
            var subtree = (digest: digest, size: size)
            while let left = pending.last, left.size == subtree.size {
                pending.removeLast()
                subtree = (node(left.digest, subtree.digest), 2 * subtree.size)
            }
            pending.append(subtree)
        }

        /// Adds zero pieces, smallest first, until the total is a multiple of `size`, a power of two.
        mutating func align(to size: UInt64, limit: UInt64) throws(Refusal) {
            var missing = (0 &- total) & (size - 1)
            while missing != 0 {
                let piece = missing & (0 &- missing)
                try add(zero(piece), size: piece, limit: limit)
                missing &= missing - 1
            }
        }
    }
}
