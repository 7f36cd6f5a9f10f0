import IPLD
import Primitives
import Synchronization
import Zstandard

/// Forest's `.forest.car.zst`: frames of whole sections, and at the end a table of them in skippable frames (FVM chain
/// layer 4.2).
final class ForestSource: BlockSource {
    /// The magic of the frames that hold the index.
    static let indexMagic: [UInt8] = [0x50, 0x2A, 0x4D, 0x18]
    /// A skippable frame of eight bytes.
    static let footerSize = 16
    /// Bytes of index that one frame holds at most.
    static let indexFrameSize = 512 << 20
    /// The most bytes a frame may unpack to. Blocks have less than 1 MiB, but certificates of finality come as one
    /// block of 100 MiB and more.
    static let frameLimit = 1 << 30

    private let file: RandomAccessFile
    private let table: SlotTable
    private let frames: FrameCache
    /// Where the first frame of the index begins: the end of the blocks.
    let indexOffset: Int

    var slotCount: Int { table.count }

    /// Where the index is, by the footer; nil for a file without one.
    static func footer(_ file: RandomAccessFile) throws(BlockFileError) -> Int? {
        guard file.size >= footerSize else { return nil }
        let bytes = try file.read(at: file.size - footerSize, count: footerSize)
        guard bytes.starts(with: indexMagic + [8, 0, 0, 0]) else { return nil }
        let offset = SlotTable.number(bytes, 8)
        guard offset >= 8, offset <= UInt64(file.size - footerSize) else {
            throw .index(path: file.path, "the file's end says that it is at \(offset)")
        }
        return Int(offset) - 8
    }

    init(_ file: RandomAccessFile, indexOffset: Int) throws(BlockFileError) {
        self.file = file
        self.indexOffset = indexOffset
        var parts: [Range<Int>] = []
        var offset = indexOffset
        let end = file.size - Self.footerSize
        while offset < end {
            let head = try file.read(at: offset, upTo: 8)
            guard head.starts(with: Self.indexMagic), head.count == 8 else {
                throw .index(path: file.path, "no frame of it begins at 0x\(String(offset, radix: 16))")
            }
            let size = Int(SlotTable.number(head + [0, 0, 0, 0], 4) & 0xFFFF_FFFF)
            guard size <= end - offset - 8 else {
                throw .index(path: file.path, "a frame of it claims \(size) bytes, \(end - offset - 8) are left")
            }
            parts.append(offset + 8..<offset + 8 + size)
            offset += 8 + size
        }
        let ranges = parts
        table = try SlotTable(path: file.path, size: ranges.reduce(0) { $0 + $1.count }) {
            (offset, count) throws(BlockFileError) in try Self.read(file, ranges, offset, count)
        }
        frames = FrameCache(limit: 64 << 20)
    }

    /// Bytes of the joined parts.
    private static func read(
        _ file: RandomAccessFile, _ parts: [Range<Int>], _ offset: Int, _ count: Int
    ) throws(BlockFileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var start = offset
        for part in parts {
            guard start < part.count else {
                start -= part.count
                continue
            }
            let more = min(count - bytes.count, part.count - start)
            bytes += try file.read(at: part.lowerBound + start, count: more)
            start = 0
            if bytes.count == count { return bytes }
        }
        throw .index(path: file.path, "ends early")
    }

    func find(_ cid: Cid) throws(BlockFileError) -> (data: [UInt8], slot: Int)? {
        for (slot, offset) in try table.find(SlotTable.hash(cid)) {
            guard offset < UInt64(indexOffset) else {
                throw .index(path: file.path, "names a frame at \(offset), behind the blocks")
            }
            let frame = try frame(at: Int(offset))
            if let range = frame.places[cid] { return (Array(frame.bytes[range]), slot) }
        }
        return nil
    }

    private func frame(at offset: Int) throws(BlockFileError) -> FrameCache.Frame {
        if let known = frames[offset] { return known }
        let frame = try FrameCache.Frame(unpack(from: offset), path: file.path, at: offset)
        frames[offset] = frame
        return frame
    }

    /// What the frame at `offset` holds.
    private func unpack(from offset: Int) throws(BlockFileError) -> [UInt8] {
        do throws(ZstandardError) {
            let decoder = try ZstandardDecoder()
            var out: [UInt8] = []
            var position = offset
            var size = 16 << 10
            while true {
                let piece: [UInt8]
                do throws(BlockFileError) {
                    piece = try file.read(at: position, upTo: min(size, indexOffset - position))
                } catch { throw ZstandardError.malformed(error.description, offset: UInt64(position)) }
                guard !piece.isEmpty else { throw .malformed("frame is truncated", offset: UInt64(position)) }
                var at = 0
                while at < piece.count || !decoder.isDrained {
                    out += try decoder.decode(piece, from: &at)
                    guard out.count <= Self.frameLimit else { throw .tooLarge(limit: Self.frameLimit) }
                    if decoder.isComplete { return out }
                }
                position += piece.count
                size = min(size * 4, 1 << 20)
            }
        } catch {
            throw .zstd(path: file.path, error)
        }
    }
}

/// Frames unpacked last, so far as they fit a limit.
final class FrameCache: Sendable {
    final class Frame: Sendable {
        let bytes: [UInt8]
        let places: [Cid: Range<Int>]

        /// - Parameter bytes: whole sections.
        init(_ bytes: [UInt8], path: String, at offset: Int) throws(BlockFileError) {
            self.bytes = bytes
            var places: [Cid: Range<Int>] = [:]
            var position = 0
            while position < bytes.count {
                let start = position
                do throws(CarError) {
                    let length: UInt64
                    do { length = try Varint.read(bytes.span, at: &position) } catch {
                        throw CarError(.length(error), at: start)
                    }
                    guard length <= UInt64(bytes.count - position) else {
                        throw CarError(.truncated(needed: length, left: bytes.count - position), at: start)
                    }
                    let end = position + Int(length)
                    let cid: Cid
                    do { cid = try Cid.read(bytes.span, at: &position) } catch {
                        throw CarError(.cid(error), at: start)
                    }
                    guard position <= end else { throw CarError(.cid(.truncated), at: start) }
                    places[cid] = position..<end
                    position = end
                } catch {
                    throw .car(path: "\(path): frame at 0x\(String(offset, radix: 16))", error)
                }
            }
            self.places = places
        }
    }

    private struct State {
        var frames: [Int: (frame: Frame, used: UInt64)] = [:]
        var size = 0
        var clock: UInt64 = 0
    }
    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: bytes of all frames together.
    init(limit: Int) { self.limit = limit }

    subscript(offset: Int) -> Frame? {
        get {
            state.withLock { state in
                guard let found = state.frames[offset] else { return nil }
                state.clock += 1
                state.frames[offset] = (found.frame, state.clock)
                return found.frame
            }
        }
        set {
            guard let frame = newValue, frame.bytes.count <= limit else { return }
            state.withLock { state in
                guard state.frames[offset] == nil else { return }
                state.size += frame.bytes.count
                state.clock += 1
                state.frames[offset] = (frame, state.clock)
                guard state.size > limit else { return }
                // The older half goes at once, so that looking for it is seldom.
                for (offset, entry) in state.frames.sorted(by: { $0.value.used < $1.value.used }) {
                    guard state.size > limit / 2 else { break }
                    state.size -= entry.frame.bytes.count
                    state.frames[offset] = nil
                }
            }
        }
    }
}
