import Drafts
import Glibc
import IPLD
import Primitives
import Zstandard

/// Writes an archive block by block, in any form but version 2; of each block the caller says that it is one.
///
/// The file is there when it is complete, or not at all.
public final class ArchiveWriter {
    /// Frames of Forest's form are closed when they have more compressed bytes.
    static let frameSize = 8192

    private let form: CarArchive.Form
    private let sink: Sink
    private let encoder: ZstandardEncoder?
    private let builder: SlotTableBuilder?
    private let path: String
    /// Where the frame being written begins, and what it has so far.
    private var frameStart = 0
    private var frame: [UInt8] = []
    /// Sections the frame being written has.
    private var frameSections = 0
    /// Blocks written.
    public private(set) var count = 0

    /// Begins the archive.
    ///
    /// - Parameters:
    ///   - path: `-` is standard output.
    ///   - scratch: a directory for what sorting a large index takes; nil is the system's.
    public init(
        path: String, form: CarArchive.Form, roots: [Cid], scratch: String? = nil
    ) throws(BlockFileError) {
        self.path = path
        self.form = form
        sink = try Sink(path: path)
        do {
            encoder = form == .zstd || form == .forest ? try ZstandardEncoder() : nil
        } catch { throw .zstd(path: path, error) }
        builder = form == .forest ? SlotTableBuilder(directory: scratch ?? "/tmp") : nil
        try write(Car.header(roots: roots))
        if form == .forest { try closeFrame() }
    }

    public func append(_ cid: Cid, _ data: [UInt8]) throws(BlockFileError) {
        count += 1
        if let builder { try builder.add(SlotTable.hash(cid), UInt64(frameStart)) }
        try write(Car.section(cid, data))
        frameSections += 1
        if form == .forest, frame.count > Self.frameSize { try closeFrame() }
    }

    private func write(_ bytes: [UInt8]) throws(BlockFileError) {
        guard let encoder else { return try sink.append(bytes) }
        do throws(ZstandardError) {
            // What Forest's frames have so far decides about their end, so nothing may be held back.
            frame += form == .forest ? try encoder.flush(bytes) : try encoder.append(bytes)
        } catch { throw .zstd(path: path, error) }
        guard form == .zstd else { return }
        try sink.append(frame)
        frame.removeAll(keepingCapacity: true)
    }

    private func closeFrame() throws(BlockFileError) {
        guard let encoder else { return }
        do { frame += try encoder.finish() } catch { throw .zstd(path: path, error) }
        try sink.append(frame)
        frameStart += frame.count
        frame.removeAll(keepingCapacity: true)
        frameSections = 0
    }

    /// Completes the archive and gives the file its name.
    public func finish() throws(BlockFileError) {
        switch form {
        case .plain, .version2: break
        case .zstd: try closeFrame()
        case .forest:
            if frameSections > 0 { try closeFrame() }
            try writeIndex()
        }
        try sink.commit()
    }

    private func writeIndex() throws(BlockFileError) {
        guard let builder else { return }
        let first = frameStart + 8
        var left = try builder.size()
        var room = 0
        try builder.write { (bytes) throws(BlockFileError) in
            var rest = bytes[...]
            while !rest.isEmpty {
                if room == 0 {
                    room = min(left, ForestSource.indexFrameSize)
                    left -= room
                    try sink.append(ForestSource.indexMagic + SlotTable.bytes(UInt64(room)).prefix(4))
                }
                let part = rest.prefix(room)
                try sink.append(Array(part))
                room -= part.count
                rest = rest.dropFirst(part.count)
            }
        }
        try sink.append(ForestSource.indexMagic + [8, 0, 0, 0] + SlotTable.bytes(UInt64(first)))
    }

    /// A file in the making, or standard output.
    private final class Sink {
        private let draft: DraftFile?

        init(path: String) throws(BlockFileError) {
            draft = path == "-" ? nil : try BlockFileError.of { () throws(DraftError) in try DraftFile(path: path) }
        }

        func append(_ bytes: [UInt8]) throws(BlockFileError) {
            if let draft { return try BlockFileError.of { () throws(DraftError) in try draft.append(bytes) } }
            var written = 0
            while written < bytes.count {
                // Sound: the range written lies inside the array, which outlives the call.
                let count = bytes.withUnsafeBytes {
                    Glibc.write(STDOUT_FILENO, $0.baseAddress! + written, $0.count - written)
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else {
                    throw .system(path: "standard output", doing: "write", reason: String(cString: strerror(errno)))
                }
                written += count
            }
        }

        func commit() throws(BlockFileError) {
            if let draft { try BlockFileError.of { () throws(DraftError) in try draft.commit() } }
        }
    }
}
