import Drafts
import Glibc

/// Reads and writes whole files, with errors that name the path.
enum Files {
    /// The bytes of a regular file, or of standard input for `-`; nothing this program reads may be empty.
    static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { if path != "-" { close(descriptor) } }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path) }
        if status.st_mode & S_IFMT == S_IFDIR { throw CommandFailure(.badInput, "\(path): is a directory") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(max(status.st_size, 0)))
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            if count == 0 {
                if bytes.isEmpty { throw CommandFailure(.badInput, "\(path): is empty") }
                return bytes
            }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes a file through a temporary one in the same directory, so that it is whole or not there.
    ///
    /// A symbolic link stays, and the file it points to is written. What is no regular file (a device, a pipe) is
    /// not replaced by one but written to.
    static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        let target = target(of: path)
        var status = stat()
        let exists = stat(target, &status) == 0
        if exists && status.st_mode & S_IFMT == S_IFDIR {
            throw CommandFailure(.failure, "\(path): is a directory")
        }
        if exists && status.st_mode & S_IFMT != S_IFREG { return try writeDirectly(bytes, to: path) }
        let mode = exists ? status.st_mode & 0o777 : 0o644
        try Drafts.write { () throws(CommandFailure) in try writeDraft(bytes, to: target, path, mode: mode) }
    }

    /// Where a chain of symbolic links ends, whether something is there or not.
    private static func target(of path: String) -> String {
        var at = path
        for _ in 0..<40 {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = buffer.withUnsafeMutableBytes { bytes in
                bytes.withMemoryRebound(to: CChar.self) { readlink(at, $0.baseAddress!, $0.count) }
            }
            guard count > 0, count < buffer.count else { return at }
            let link = String(decoding: buffer[..<count], as: UTF8.self)
            at = link.hasPrefix("/") ? link : parent(of: at) + "/" + link
        }
        return at
    }

    /// The directory part of a path.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func writeDirectly(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, .failure) }
        guard fill(descriptor, bytes) else { throw discard(descriptor, nil, path) }
        guard close(descriptor) == 0 else { throw failure(path, .failure) }
    }

    /// Writes all bytes; false with `errno` set.
    static func fill(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func writeDraft(
        _ bytes: [UInt8], to target: String, _ path: String, mode: mode_t
    ) throws(CommandFailure) {
        // Not the process alone: its number may be that of one that was killed here.
        let temporary = "\(target).\(getpid()).\(UInt64.random(in: 0...UInt64.max)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(path, .failure) }
        guard fill(descriptor, bytes), fsync(descriptor) == 0 else { throw discard(descriptor, temporary, path) }
        guard close(descriptor) == 0, rename(temporary, target) == 0 else { throw discard(-1, temporary, path) }
    }

    /// Makes a directory and its parents.
    static func makeDirectory(_ path: String) throws(CommandFailure) {
        var at = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            at += "/" + part
            if mkdir(at, 0o755) != 0 && errno != EEXIST { throw failure(at, .failure) }
        }
        guard isDirectory(path) else { throw CommandFailure(.failure, "\(path): is not a directory") }
    }

    /// Why a file could not be written at `path`, as far as that can be told before; nil when nothing is in the way.
    static func obstacle(at path: String) -> String? {
        let target = target(of: path)
        var status = stat()
        if stat(target, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFDIR { return "\(path): is a directory" }
            if status.st_mode & S_IFMT != S_IFREG {
                return access(target, W_OK) == 0 ? nil : "\(path): \(String(cString: strerror(errno)))"
            }
        }
        guard access(parent(of: target), W_OK | X_OK) == 0 else {
            return "\(path): directory \(parent(of: target)): \(String(cString: strerror(errno)))"
        }
        return nil
    }

    /// Why files could not be written into a directory that is made when needed; nil when nothing is in the way.
    static func obstacle(inDirectory path: String) -> String? {
        var at = path
        while true {
            var status = stat()
            if stat(at, &status) == 0 {
                if status.st_mode & S_IFMT != S_IFDIR { return "\(at): is not a directory" }
                return access(at, W_OK | X_OK) == 0 ? nil : "\(at): \(String(cString: strerror(errno)))"
            }
            guard errno == ENOENT, at != parent(of: at) else { return "\(at): \(String(cString: strerror(errno)))" }
            at = parent(of: at)
        }
    }

    /// Whether two paths name one file.
    static func isSame(_ left: String, _ right: String) -> Bool {
        var (one, other) = (stat(), stat())
        return stat(left, &one) == 0 && stat(right, &other) == 0 && one.st_dev == other.st_dev
            && one.st_ino == other.st_ino
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func failure(_ path: String, _ status: ExitStatus = .badInput) -> CommandFailure {
        CommandFailure(status, "\(path): \(String(cString: strerror(errno)))")
    }

    private static func discard(_ descriptor: Int32, _ temporary: String?, _ path: String) -> CommandFailure {
        let error = failure(path, .failure)
        if descriptor >= 0 { close(descriptor) }
        if let temporary { unlink(temporary) }
        return error
    }
}
