import Drafts
import Glibc

/// A system call of the store, for errors and for tests that make one fail.
public enum FileCall: String, Sendable, CaseIterable {
    case open, read, write, status, synchronize, close, rename, link, remove, makeDirectory, list, lock
}

/// A system call that failed.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    public var call: FileCall
    public var path: String
    /// The error number of the C library.
    public var code: Int32

    public init(_ call: FileCall, _ path: String, _ code: Int32) {
        self.call = call
        self.path = path
        self.code = code
    }

    /// Whether nothing is there by that name.
    public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// Whether something is there already.
    var isCollision: Bool { code == EEXIST }
    /// What an open that does not follow symbolic links says of one.
    var isSymbolicLink: Bool { code == ELOOP }

    public var description: String { "\(path): \(call.rawValue): \(String(cString: strerror(code)))" }
}

/// All system calls of the store.
struct Files: Sendable {
    /// Asked before each call; a number other than 0 is the error the call then has. Tests inject failures here.
    var fault: (@Sendable (FileCall, String) -> Int32)?

    /// What is known of an open file.
    struct Status {
        var isRegular: Bool
        var owner: UInt32
        /// Permission bits.
        var mode: UInt32
        var size: Int
    }

    private func run(_ call: FileCall, _ path: String, _ body: () -> Int) throws(FileError) -> Int {
        if let code = fault?(call, path), code != 0 { throw FileError(call, path, code) }
        while true {
            let result = body()
            if result >= 0 { return result }
            let code = errno
            guard code == EINTR, call != .close else { throw FileError(call, path, code) }
        }
    }

    private func run(_ call: FileCall, _ path: String, _ body: () -> Int32) throws(FileError) -> Int32 {
        Int32(truncatingIfNeeded: try run(call, path) { Int(body()) })
    }

    /// Opens a file for reading; a symbolic link is not followed.
    func open(_ path: String) throws(FileError) -> OpenFile {
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        return OpenFile(descriptor: try run(.open, path) { Glibc.open(path, flags) }, path: path)
    }

    func status(of file: borrowing OpenFile) throws(FileError) -> Status {
        var status = stat()
        let descriptor = file.descriptor
        _ = try run(.status, file.path) { fstat(descriptor, &status) }
        return Status(
            isRegular: status.st_mode & S_IFMT == S_IFREG, owner: status.st_uid, mode: status.st_mode & 0o7777,
            size: max(0, Int(status.st_size)))
    }

    /// The first `size` bytes of a file, or fewer when it is shorter by now.
    func read(_ file: borrowing OpenFile, size: Int) throws(FileError) -> [UInt8] {
        let descriptor = file.descriptor
        var failure: FileError?
        // Room that is not filled with zeros first: of an object that would be a quarter of what reading takes.
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            do throws(FileError) {
                while filled < size {
                    let start = filled
                    // Sound: the range from `start` to `size` lies inside the room, which is not empty; what is
                    // counted as filled was written by the call.
                    let count = try run(.read, file.path) {
                        Glibc.read(descriptor, buffer.baseAddress! + start, size - start)
                    }
                    if count == 0 { break }
                    filled += count
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Puts `bytes` at `path` so that readers see the old file, or nothing, or all of the new one: a temporary file
    /// in the same directory, synchronized, then renamed (or linked, when an existing file must stay).
    func write(_ bytes: [UInt8], to path: String, mode: mode_t, replace: Bool = true) throws(FileError) {
        try Drafts.write { () throws(FileError) in try writeDraft(bytes, to: path, mode: mode, replace: replace) }
    }

    private func writeDraft(_ bytes: [UInt8], to path: String, mode: mode_t, replace: Bool) throws(FileError) {
        let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max)).new"
        let descriptor = try run(.open, temporary) {
            Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        var renamed = false
        defer { if !renamed { unlink(temporary) } }
        do {
            defer { _ = Glibc.close(descriptor) }
            try fill(descriptor, temporary, bytes)
            _ = try run(.synchronize, temporary) { fsync(descriptor) }
        }
        if replace {
            _ = try run(.rename, path) { Glibc.rename(temporary, path) }
            renamed = true
        } else {
            _ = try run(.link, path) { link(temporary, path) }
        }
        try synchronizeDirectory(of: path)
    }

    private func fill(_ descriptor: Int32, _ path: String, _ bytes: [UInt8]) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let start = written
            written += try run(.write, path) {
                bytes.withUnsafeBytes { buffer in
                    // Sound: the range from `start` to the count lies inside the array, which is not empty.
                    Glibc.write(descriptor, buffer.baseAddress! + start, buffer.count - start)
                }
            }
        }
    }

    private func synchronizeDirectory(of path: String) throws(FileError) {
        let directory = parent(of: path)
        let descriptor = try run(.open, directory) { Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { _ = Glibc.close(descriptor) }
        _ = try run(.synchronize, directory) { fsync(descriptor) }
    }

    /// Makes a directory and those above it.
    func makeDirectories(_ path: String) throws(FileError) {
        do {
            _ = try run(.makeDirectory, path) { mkdir(path, 0o700) }
        } catch {
            if error.code == EEXIST || isDirectory(path) { return }
            guard error.code == ENOENT, path.contains("/"), parent(of: path) != path else { throw error }
            try makeDirectories(parent(of: path))
            do {
                _ = try run(.makeDirectory, path) { mkdir(path, 0o700) }
            } catch {
                guard error.code == EEXIST else { throw error }
            }
        }
    }

    func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Names in a directory, sorted, without those that start with a dot; empty when it is not there.
    func list(_ path: String) throws(FileError) -> [String] {
        if let code = fault?(.list, path), code != 0 { throw FileError(.list, path, code) }
        guard let directory = opendir(path) else {
            let error = FileError(.list, path, errno)
            if error.isMissing { return [] }
            throw error
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                // Sound: the field is a NUL-terminated array of characters inside the entry.
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        guard errno == 0 else { throw FileError(.list, path, errno) }
        return names.sorted()
    }

    func rename(_ path: String, to target: String) throws(FileError) {
        _ = try run(.rename, path) { Glibc.rename(path, target) }
    }

    /// Removes a file; that it is not there is no error.
    func remove(_ path: String) throws(FileError) {
        do {
            _ = try run(.remove, path) { unlink(path) }
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    /// Takes the lock of a file, which is made when missing; nil when `wait` is false and another process (or
    /// another holder in this one) has it. The kernel releases the lock of a process that dies.
    func lock(_ path: String, wait: Bool) throws(FileError) -> FileLock? {
        while true {
            let descriptor = try run(.open, path) { Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600) }
            do {
                _ = try run(.lock, path) { flock(descriptor, wait ? LOCK_EX : LOCK_EX | LOCK_NB) }
            } catch {
                _ = Glibc.close(descriptor)
                if error.code == EWOULDBLOCK { return nil }
                throw error
            }
            // `prune` may have removed the file between open and lock: then it is nobody's lock any more.
            var held = stat()
            var named = stat()
            if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino {
                return FileLock(descriptor)
            }
            _ = Glibc.close(descriptor)
        }
    }

    static var user: UInt32 { geteuid() }

    /// Nanoseconds of the system's clock.
    static var time: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ UInt64(clamping: time.tv_nsec)
    }

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// A file open for reading.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    let path: String

    deinit { _ = Glibc.close(descriptor) }
}

/// A held lock, released when the object goes away.
public final class FileLock: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = Glibc.close(descriptor) }
}

/// The directory part of a path.
func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
