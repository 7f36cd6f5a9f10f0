import Glibc
import Synchronization

/// Standard output is data, standard error is progress and diagnostics; each line is written whole.
enum Output {
    private static let lock = Mutex(())

    /// Occupies what the caller closed of 0, 1 and 2, so that no file opened later gets such a number and then
    /// receives what is printed. Each is opened for the wrong direction: using it stays the error it was.
    static func occupyStandardDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is this one: those below are open by now.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Writes `text` and a newline to standard output.
    ///
    /// - Throws: `CommandFailure` when the reader has gone or the disk is full: data must not be lost silently.
    static func data(_ text: String, terminator: String = "\n") throws(CommandFailure) {
        try raw(Array((text + terminator).utf8))
    }

    /// Writes bytes to standard output.
    static func raw(_ bytes: [UInt8]) throws(CommandFailure) {
        guard write(bytes, to: STDOUT_FILENO) else {
            throw CommandFailure(.failure, "standard output: \(String(cString: strerror(errno)))")
        }
    }

    /// Writes `text` and a newline to standard error; a failure there has nowhere to be told.
    static func note(_ text: String) {
        _ = write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    /// Replaces the progress line of a terminal.
    static func status(_ text: String) {
        _ = write(Array("\r\u{1B}[K\(text)".utf8), to: STDERR_FILENO)
    }

    static var progressIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var dataIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        lock.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}

/// Reads and writes whole files, with errors that name the path.
enum Files {
    /// The bytes of a regular file, or of standard input for `-`.
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
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes a file through a temporary one in the same directory, so that it is whole or not there. What is no
    /// regular file (a device, a pipe) is written to, not replaced.
    static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        var status = stat()
        if stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG {
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure(path, .failure) }
            guard fill(descriptor, bytes) else { throw discard(descriptor, nil, path) }
            guard close(descriptor) == 0 else { throw failure(path, .failure) }
            return
        }
        // Not the process alone: its number may be that of one that was killed here.
        let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path, .failure) }
        guard fill(descriptor, bytes), fsync(descriptor) == 0 else { throw discard(descriptor, temporary, path) }
        guard close(descriptor) == 0, rename(temporary, path) == 0 else { throw discard(-1, temporary, path) }
    }

    /// Writes all bytes; false with `errno` set.
    private static func fill(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
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

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
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
