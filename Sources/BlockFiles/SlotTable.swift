import IPLD
import Primitives

/// The table that finds blocks in a file: Forest's (its `forest.car.zst`, FVM chain layer 4.2), used for any archive.
///
/// Slots ascend by hash, each at or behind its ideal place; an empty one ends a search.
struct SlotTable: Sendable {
    /// What stands in front of the slots, four numbers of 64 bits, little-endian.
    struct Header: Equatable, Sendable {
        static let version: UInt64 = 0xDEAD_BEF0
        static let size = 32
        /// How far a slot is from its ideal place at most.
        var longestDistance: UInt64
        /// Entries that have the hash of the one in front of them.
        var collisions: UInt64
        var buckets: UInt64

        var bytes: [UInt8] {
            [Self.version, longestDistance, collisions, buckets].flatMap(SlotTable.bytes)
        }
    }

    static let slotSize = 16
    static let empty = UInt64.max

    let header: Header
    /// Slots there are; at least the buckets.
    let count: Int
    private let read: @Sendable (_ offset: Int, _ count: Int) throws(BlockFileError) -> [UInt8]

    /// - Parameters:
    ///   - size: bytes of the table with its header.
    ///   - read: gives bytes of it.
    init(
        path: String, size: Int,
        read: @escaping @Sendable (_ offset: Int, _ count: Int) throws(BlockFileError) -> [UInt8]
    ) throws(BlockFileError) {
        guard size >= Header.size + Self.slotSize, (size - Header.size) % Self.slotSize == 0 else {
            throw .index(path: path, "has \(size) bytes, which is no header and slots of \(Self.slotSize)")
        }
        let bytes = try read(0, Header.size)
        let version = Self.number(bytes, 0)
        guard version == Header.version else {
            throw .index(path: path, "version 0x\(String(version, radix: 16)) is not known")
        }
        header = Header(
            longestDistance: Self.number(bytes, 8), collisions: Self.number(bytes, 16), buckets: Self.number(bytes, 24))
        count = (size - Header.size) / Self.slotSize
        guard header.buckets >= 1, header.buckets <= UInt64(count), header.longestDistance <= UInt64(count) else {
            throw .index(
                path: path,
                "claims \(header.buckets) buckets and a distance of \(header.longestDistance), "
                    + "but has \(count) slots")
        }
        self.read = read
    }

    /// The hash of a CID: codec, hash code and each whole word of the digest, exclusive or, minus one.
    static func hash(_ cid: Cid) -> UInt64 {
        var hash = cid.codec ^ cid.hashCode
        let digest = cid.digest
        for index in 0..<digest.count / 8 { hash ^= number(digest, 8 * index) }
        return hash == 0 ? 0 : hash - 1
    }

    /// The place where a search for `hash` begins.
    static func ideal(_ hash: UInt64, buckets: UInt64) -> Int { Int(hash.multipliedFullWidth(by: buckets).high) }

    /// The values that stand for `hash`, each with its slot.
    func find(_ hash: UInt64) throws(BlockFileError) -> [(slot: Int, value: UInt64)] {
        let first = Self.ideal(hash, buckets: header.buckets)
        var found: [(slot: Int, value: UInt64)] = []
        var slot = first
        var piece: [UInt8] = []
        var pieceStart = first
        while slot < count, slot - first <= Int(header.longestDistance) + found.count {
            if slot == first || (slot - pieceStart + 1) * Self.slotSize > piece.count {
                pieceStart = slot
                let slots = min(count - slot, 32)
                piece = try read(Header.size + slot * Self.slotSize, slots * Self.slotSize)
            }
            let at = (slot - pieceStart) * Self.slotSize
            let there = Self.number(piece, at)
            let value = Self.number(piece, at + 8)
            if there == Self.empty && value == Self.empty { break }
            if there == hash { found.append((slot, value)) } else if there > hash { break }
            slot += 1
        }
        return found
    }

    static func number(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes.span.littleEndianWord(at: offset)
    }

    static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }
}
