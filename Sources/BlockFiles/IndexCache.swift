import Drafts
import Glibc
import IPLD
import Primitives

/// Tables of archives that have none of their own, made on first use.
///
/// A plain archive gets a table of its sections; of one in Zstandard frames, which cannot be entered in the middle, a
/// copy in Forest's form is kept. Both have the name of the file's identity: a file that was moved keeps its table, one
/// that changed gets another.
struct IndexCache {
    let directory: String

    private static let magic = Array("SMELTCAR".utf8)
    private static let version: UInt64 = 1
    /// The magic, the version and the file's identity.
    private static let headerSize = 48

    /// The archive by its table, which is made when there is none.
    func source(
        for file: RandomAccessFile, isCompressed: Bool, _ progress: (CarArchive.Progress) -> Void
    ) throws(BlockFileError) -> any BlockSource {
        let identity = try file.identity()
        let name = identity.prefix(20).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        if isCompressed {
            let path = "\(directory)/\(name).forest.car.zst"
            if access(path, R_OK) != 0 {
                try prepare()
                let from = try ArchivePieces.stream(file, isCompressed: true, end: file.size)
                let out = try ArchiveWriter(path: path, form: .forest, roots: from.roots, scratch: directory)
                try copy(from, file, progress, "indexing") { (section) throws(BlockFileError) in
                    try out.append(section.cid, section.data)
                }
                try out.finish()
            }
            let copy = try RandomAccessFile(path: path)
            guard let index = try ForestSource.footer(copy) else { throw .index(path: path, "has no footer") }
            return try ForestSource(copy, indexOffset: index)
        }
        let path = "\(directory)/\(name).car.index"
        if access(path, R_OK) != 0 {
            try prepare()
            let from = try ArchivePieces.stream(file, isCompressed: false, end: file.size)
            let builder = SlotTableBuilder(directory: directory)
            try copy(from, file, progress, "indexing") { (section) throws(BlockFileError) in
                try builder.add(SlotTable.hash(section.cid), UInt64(section.offset))
            }
            try write(builder, identity, to: path)
        }
        return PlainSource(file: file, table: try table(path, identity))
    }

    private func table(_ path: String, _ identity: [UInt8]) throws(BlockFileError) -> SlotTable {
        let index = try RandomAccessFile(path: path)
        let head = try index.read(at: 0, upTo: Self.headerSize)
        guard head.count == Self.headerSize, head.starts(with: Self.magic),
            SlotTable.number(head, 8) == Self.version
        else { throw .index(path: path, "is no table of an archive's blocks; delete it and it is made again") }
        guard head[16...].elementsEqual(identity) else {
            throw .index(path: path, "belongs to another file; delete it and it is made again")
        }
        return try SlotTable(path: path, size: index.size - Self.headerSize) {
            (offset, count) throws(BlockFileError) in try index.read(at: Self.headerSize + offset, count: count)
        }
    }

    private func write(_ builder: SlotTableBuilder, _ identity: [UInt8], to path: String) throws(BlockFileError) {
        try Drafts.write { () throws(BlockFileError) in
            let draft = try BlockFileError.of { () throws(DraftError) in try DraftFile(path: path) }
            func append(_ bytes: [UInt8]) throws(BlockFileError) {
                try BlockFileError.of { () throws(DraftError) in try draft.append(bytes) }
            }
            try append(Self.magic + SlotTable.bytes(Self.version) + identity)
            try builder.write(append)
            try BlockFileError.of { () throws(DraftError) in try draft.commit() }
        }
    }

    private func copy(
        _ stream: CarStream, _ file: RandomAccessFile, _ progress: (CarArchive.Progress) -> Void, _ what: String,
        _ body: (CarStream.Section) throws(BlockFileError) -> Void
    ) throws(BlockFileError) {
        var told = 0
        while true {
            let section: CarStream.Section?
            do { section = try stream.next() } catch { throw .car(path: file.path, error) }
            guard let section else { return }
            try body(section)
            if section.offset - told >= 1 << 24 {
                told = section.offset
                progress(CarArchive.Progress(operation: what, done: section.offset, total: file.size))
            }
        }
    }

    private func prepare() throws(BlockFileError) {
        var path = directory.hasPrefix("/") ? "" : "."
        for part in directory.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
                throw .system(path: path, doing: "create directory", reason: String(cString: strerror(errno)))
            }
        }
    }
}
