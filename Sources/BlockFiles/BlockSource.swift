import IPLD
import Primitives
import Synchronization

/// Finds blocks in one kind of file. Safe to use from several threads.
protocol BlockSource: Sendable {
    /// The block, not verified, and a number below `slotCount` that stands for it; nil when it is not there.
    func find(_ cid: Cid) throws(BlockFileError) -> (data: [UInt8], slot: Int)?
    /// Whether the block is there, told with as little reading as possible.
    func has(_ cid: Cid) throws(BlockFileError) -> Bool
    var slotCount: Int { get }
}

extension BlockSource {
    func has(_ cid: Cid) throws(BlockFileError) -> Bool { try find(cid) != nil }
}

/// An archive that is small enough to be in memory.
struct MemorySource: BlockSource {
    private let bytes: [UInt8]
    private let places: [Cid: (range: Range<Int>, slot: Int)]

    var slotCount: Int { places.count }

    /// - Parameter bytes: an archive of either version, unpacked.
    init(_ bytes: [UInt8], path: String) throws(BlockFileError) {
        self.bytes = bytes
        var places: [Cid: (range: Range<Int>, slot: Int)] = [:]
        do throws(CarError) {
            var rest: ArraySlice<UInt8>? = bytes[...]
            let stream = try CarStream(limit: bytes.count, versions: 1...2) { () throws(CarError) in
                defer { rest = nil }
                return rest
            }
            while let section = try stream.next() {
                // The block is the end of its section.
                let end = stream.offset
                places[section.cid] = (end - section.data.count..<end, places[section.cid]?.slot ?? places.count)
            }
        } catch { throw .car(path: path, error) }
        self.places = places
    }

    func find(_ cid: Cid) -> (data: [UInt8], slot: Int)? {
        places[cid].map { (Array(bytes[$0.range]), $0.slot) }
    }

    func has(_ cid: Cid) -> Bool { places[cid] != nil }
}

/// A plain archive, read in place by a table of its sections.
struct PlainSource: BlockSource {
    let file: RandomAccessFile
    /// Values are where sections begin.
    let table: SlotTable

    var slotCount: Int { table.count }

    /// Read at once: most blocks of chain state are smaller.
    private static let firstRead = 4096

    func find(_ cid: Cid) throws(BlockFileError) -> (data: [UInt8], slot: Int)? {
        let wanted = cid.bytes
        for (slot, offset) in try table.find(SlotTable.hash(cid)) {
            guard offset < UInt64(file.size) else { throw Self.foreign(file.path) }
            let start = Int(offset)
            let head = try file.read(at: start, upTo: Self.firstRead)
            var at = 0
            guard let length = try? Varint.read(head.span, at: &at), length <= UInt64(file.size - start - at) else {
                throw Self.foreign(file.path)
            }
            guard head.count - at >= wanted.count, length >= UInt64(wanted.count),
                head[at..<at + wanted.count].elementsEqual(wanted)
            else { continue }
            let from = at + wanted.count
            let size = Int(length) - wanted.count
            guard from + size > head.count else { return (Array(head[from..<from + size]), slot) }
            return (try file.read(at: start + from, count: size), slot)
        }
        return nil
    }

    private static func foreign(_ path: String) -> BlockFileError {
        .index(path: path, "names places where no block begins; it belongs to another file")
    }
}

/// Which blocks have been verified since the file was opened: each is when it is first read.
final class VerifiedSlots: Sendable {
    private let words: Mutex<[UInt64]>

    init(count: Int) { words = Mutex([UInt64](repeating: 0, count: (count + 63) / 64)) }

    func contains(_ slot: Int) -> Bool { words.withLock { $0[slot / 64] >> UInt64(slot % 64) & 1 == 1 } }

    func insert(_ slot: Int) { words.withLock { $0[slot / 64] |= 1 << UInt64(slot % 64) } }
}
