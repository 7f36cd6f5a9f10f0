import Crypto
import IPLD
import Primitives
import Zstandard

/// An archive of blocks in a file, read in place: CAR version 1 or 2, plain or in Zstandard frames, or Forest's
/// indexed form. Safe to use from several threads; a block is verified when it is first read.
///
/// Small archives are read whole. Larger ones need a table of their blocks: Forest's have one; for others it is made
/// on first use and kept in the cache.
public final class CarArchive: BlockArchive {
    /// How the file is made.
    public enum Form: String, Sendable, CaseIterable {
        /// CAR version 1.
        case plain
        /// CAR version 2: version 1 with an index around it.
        case version2 = "v2"
        /// Version 1 or 2 in Zstandard frames.
        case zstd
        /// Zstandard frames with Forest's index.
        case forest
    }

    /// How far a long operation has come.
    public struct Progress: Sendable {
        public var operation: String
        /// Bytes of the file.
        public var done: Int
        public var total: Int
    }

    public let path: String
    /// Bytes of the file.
    public let size: Int
    public let form: Form
    public var formName: String { form.rawValue }
    public let roots: [Cid]
    private let file: RandomAccessFile
    private let isCompressed: Bool
    /// Where the blocks end in the file.
    private let end: Int
    private let source: any BlockSource
    private let verified: VerifiedSlots

    /// Opens the archive at `path`.
    ///
    /// - Parameters:
    ///   - cache: the directory in which tables of blocks are kept; with nil an archive that needs one is an error.
    ///   - memoryLimit: bytes, unpacked, up to which an archive is read whole.
    ///   - progress: hears of the making of a table.
    public init(
        path: String, cache: String?, memoryLimit: Int = 32 << 20, progress: (Progress) -> Void = { _ in }
    ) throws(BlockFileError) {
        let file = try RandomAccessFile(path: path)
        self.file = file
        self.path = path
        size = file.size
        let look = try Look(file)
        roots = look.stream.roots
        form = look.form
        end = look.end
        isCompressed = look.isCompressed
        if form == .forest {
            source = try ForestSource(file, indexOffset: end)
        } else if let bytes = try ArchivePieces.whole(file, isCompressed: isCompressed, limit: memoryLimit) {
            source = try MemorySource(bytes, path: path)
        } else {
            guard let cache else {
                throw .system(path: path, doing: "index", reason: "there is no cache directory for a table of blocks")
            }
            source = try IndexCache(directory: cache).source(for: file, isCompressed: isCompressed, progress)
        }
        verified = VerifiedSlots(count: source.slotCount)
    }

    /// The block; nil when the archive does not have it.
    ///
    /// - Throws: `.damaged` where its bytes are not what the CID says.
    public func block(_ cid: Cid) throws(BlockFileError) -> [UInt8]? {
        guard let (data, slot) = try source.find(cid) else { return nil }
        if !verified.contains(slot) {
            guard cid.verifies(data) == true else { throw .damaged(path: path, cid) }
            verified.insert(slot)
        }
        return data
    }

    public func has(_ cid: Cid) throws(BlockFileError) -> Bool { try source.has(cid) }

    /// All sections in the order of the file, none of them verified.
    ///
    /// - Parameter body: false ends the walk.
    /// - Throws: a `BlockFileError`, or what `body` throws.
    public func forEachSection(
        progress: (Progress) -> Void = { _ in }, _ body: (CarStream.Section) throws -> Bool
    ) throws {
        var read = 0
        let stream = try ArchivePieces.stream(file, isCompressed: isCompressed, end: end) { read = $0 }
        var told = 0
        while true {
            let section: CarStream.Section?
            do { section = try stream.next() } catch { throw BlockFileError.car(path: path, error) }
            guard let section, try body(section) else { return }
            if read - told >= 1 << 22 {
                told = read
                progress(Progress(operation: "reading", done: read, total: end))
            }
        }
    }
}

extension CarArchive {
    /// What a file is, seen from its beginning and its end alone.
    public struct Outline: Sendable {
        public var form: Form
        /// Bytes of the file.
        public var size: Int
        public var roots: [Cid]
        /// The first block, not verified; nil where there is none.
        public var firstBlock: Car.Block?
    }

    /// Looks at a file without making a table for it.
    public static func outline(path: String) throws(BlockFileError) -> Outline {
        let file = try RandomAccessFile(path: path)
        let look = try Look(file)
        let first: CarStream.Section?
        do { first = try look.stream.next() } catch { throw .car(path: path, error) }
        return Outline(
            form: look.form, size: file.size, roots: look.stream.roots,
            firstBlock: first.map { Car.Block(cid: $0.cid, data: $0.data) })
    }
}

/// What the beginning and the end of a file say.
private struct Look {
    let isCompressed: Bool
    let form: CarArchive.Form
    /// Where the blocks end.
    let end: Int
    /// Behind the header.
    let stream: CarStream

    init(_ file: RandomAccessFile) throws(BlockFileError) {
        isCompressed = Zstandard.isCompressed(try file.read(at: 0, upTo: 4))
        let index = isCompressed ? try ForestSource.footer(file) : nil
        end = index ?? file.size
        stream = try ArchivePieces.stream(file, isCompressed: isCompressed, end: end)
        form = index != nil ? .forest : isCompressed ? .zstd : stream.version == 2 ? .version2 : .plain
    }
}

/// Reading an archive's bytes in their order.
enum ArchivePieces {
    /// The most bytes of a section: certificates of finality come as one block of 100 MiB and more.
    static let sectionLimit = 1 << 30

    /// The archive's header and sections.
    /// - Parameters:
    ///   - end: where the archive ends in the file.
    ///   - isRead: hears how many bytes of the file have been taken.
    static func stream(
        _ file: RandomAccessFile, isCompressed: Bool, end: Int, isRead: @escaping (Int) -> Void = { _ in }
    ) throws(BlockFileError) -> CarStream {
        let pieces = try unpacked(file, isCompressed: isCompressed, end: end, isRead)
        do {
            return try CarStream(limit: sectionLimit, versions: 1...2) { () throws(CarError) in
                do throws(BlockFileError) { return try pieces() } catch {
                    throw CarError(.source(error.reason(in: file.path)), at: 0)
                }
            }
        } catch { throw .car(path: file.path, error) }
    }

    /// The whole archive, unpacked; nil when it has more than `limit` bytes.
    static func whole(
        _ file: RandomAccessFile, isCompressed: Bool, limit: Int
    ) throws(BlockFileError) -> [UInt8]? {
        guard file.size <= limit else { return nil }
        let pieces = try unpacked(file, isCompressed: isCompressed, end: file.size) { _ in }
        var bytes: [UInt8] = []
        while let piece = try pieces() {
            guard piece.count <= limit - bytes.count else { return nil }
            bytes += piece
        }
        return bytes
    }

    /// The archive's bytes in pieces.
    private static func unpacked(
        _ file: RandomAccessFile, isCompressed: Bool, end: Int, _ isRead: @escaping (Int) -> Void
    ) throws(BlockFileError) -> () throws(BlockFileError) -> ArraySlice<UInt8>? {
        var offset = 0
        func more() throws(BlockFileError) -> [UInt8]? {
            guard offset < end else { return nil }
            let piece = try file.read(at: offset, upTo: min(1 << 20, end - offset))
            offset += piece.count
            isRead(offset)
            return piece
        }
        guard isCompressed else {
            return { () throws(BlockFileError) in try more()?[...] }
        }
        let decoder: ZstandardDecoder
        do { decoder = try ZstandardDecoder() } catch { throw .zstd(path: file.path, error) }
        return decoder.pieces(of: more) { .zstd(path: file.path, $0) }
    }
}

extension BlockFileError {
    /// The reason alone, where whoever adds it names the file.
    fileprivate func reason(in path: String) -> String {
        let text = description
        return text.hasPrefix("\(path): ") ? String(text.dropFirst(path.count + 2)) : text
    }
}
