import Glibc

/// A file without a name, which is gone with the process: what memory has no room for.
final class Spill {
    private let descriptor: Int32
    private let directory: String
    /// Bytes appended so far.
    private(set) var size = 0
    /// What each append wrote.
    private(set) var ranges: [Range<Int>] = []
    private let keepsRanges: Bool
    /// Linux's O_TMPFILE, a macro that the module of the C library leaves out.
    private static let withoutName = 0o20_000_000 | O_DIRECTORY

    init(directory: String, keepsRanges: Bool = true) throws(BlockFileError) {
        self.directory = directory
        self.keepsRanges = keepsRanges
        var descriptor = open(directory, Self.withoutName | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            // File systems without O_TMPFILE.
            let path = "\(directory)/smelt-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).spill"
            descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 { unlink(path) }
        }
        guard descriptor >= 0 else {
            throw .system(path: directory, doing: "create a file in", reason: String(cString: strerror(errno)))
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    @discardableResult
    func append(_ bytes: [UInt8]) throws(BlockFileError) -> Range<Int> {
        var written = 0
        while written < bytes.count {
            // Sound: the range written lies inside the array, which outlives the call.
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(size + written))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw .system(path: directory, doing: "write a file in", reason: String(cString: strerror(errno)))
            }
            written += count
        }
        let range = size..<size + bytes.count
        if keepsRanges { ranges.append(range) }
        size += bytes.count
        return range
    }

    func read(at offset: Int, count: Int) throws(BlockFileError) -> [UInt8] {
        do throws(PositionalRead.Failure) {
            return try PositionalRead.bytes(descriptor, at: offset, count: count)
        } catch {
            let number = if case .system(let number) = error { number } else { EIO }
            throw .system(path: directory, doing: "read a file in", reason: String(cString: strerror(number)))
        }
    }
}
