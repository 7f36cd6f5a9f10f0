import Crypto
import Glibc
import Primitives

/// A file that is read at any place, by `pread` and not by a map: a file that shrinks is an error then, not a signal,
/// and what was read once stays in the system's cache all the same.
public final class RandomAccessFile: Sendable {
    public let path: String
    /// Bytes it had when it was opened.
    public let size: Int
    /// When it was last written, nanoseconds since 1970.
    let modified: UInt64
    private let descriptor: Int32

    public init(path: String) throws(BlockFileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .system(path: path, doing: "open", reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let reason = status.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is no regular file"
            close(descriptor)
            throw .system(path: path, doing: "open", reason: reason)
        }
        size = Int(status.st_size)
        modified = UInt64(status.st_mtim.tv_sec) * 1_000_000_000 + UInt64(status.st_mtim.tv_nsec)
    }

    deinit { close(descriptor) }

    /// The bytes from `offset` on, `count` of them.
    public func read(at offset: Int, count: Int) throws(BlockFileError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size - count else {
            throw .shrunk(path: path, offset: offset, size: size)
        }
        do throws(PositionalRead.Failure) {
            return try PositionalRead.bytes(descriptor, at: offset, count: count)
        } catch {
            switch error {
            case .end(let at): throw .shrunk(path: path, offset: at, size: size)
            case .system(let number):
                throw .system(path: path, doing: "read", reason: String(cString: strerror(number)))
            }
        }
    }

    /// As `read`, but fewer bytes where the file ends.
    func read(at offset: Int, upTo count: Int) throws(BlockFileError) -> [UInt8] {
        try read(at: offset, count: max(0, min(count, size - offset)))
    }

    /// What tells this file's content from another's without reading all of it: its size, when it was written, and a
    /// hash of both its ends.
    func identity() throws(BlockFileError) -> [UInt8] {
        let end = 1 << 16
        var bytes = try read(at: 0, upTo: end)
        bytes += try read(at: max(0, size - end), upTo: end)
        for number in [UInt64(size), modified] { bytes += SlotTable.bytes(number) }
        return Cid.blake2b256(codec: Cid.raw, data: bytes).digest
    }
}
