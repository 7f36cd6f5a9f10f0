import Drafts
import Glibc

/// The few file operations of a replay; the only file here with system calls.
enum Files {
    /// What a path is.
    enum Kind { case file, directory, other }

    static func kind(of path: String) throws(FileError) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError(path: path, doing: "look at") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        default: return .other
        }
    }

    /// Bytes of a file; nil where there is none.
    static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The paths below a directory, at any depth, of files that end in `suffix`: ascending within each folder, folders in
    /// their order among the files; hidden ones and links to folders are left out.
    static func tree(_ directory: String, suffix: String) throws(FileError) -> [String] {
        var found: [String] = []
        for entry in try entries(of: directory) {
            if entry.isDirectory {
                for path in try tree("\(directory)/\(entry.name)", suffix: suffix) {
                    found.append("\(entry.name)/\(path)")
                }
            } else if entry.name.hasSuffix(suffix) {
                found.append(entry.name)
            }
        }
        return found
    }

    /// What is in a directory, ascending by name; hidden entries are left out.
    private static func entries(of directory: String) throws(FileError) -> [(name: String, isDirectory: Bool)] {
        guard let handle = opendir(directory) else { throw FileError(path: directory, doing: "list") }
        defer { closedir(handle) }
        var entries: [(name: String, isDirectory: Bool)] = []
        while let entry = readdir(handle) {
            // Sound: d_name is a zero-terminated field of the entry, which stays valid until the next readdir.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            var status = stat()
            let isDirectory = lstat("\(directory)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            entries.append((name, isDirectory))
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// Bytes a file may have; vectors and traces have a few megabytes.
    static let sizeLimit = 1 << 30

    /// The whole file.
    static func read(_ path: String) throws(FileError) -> [UInt8] {
        try withOpen(path) { (descriptor) throws(FileError) in try readWhole(descriptor, path) }
    }

    static func readStandardInput() throws(FileError) -> [UInt8] { try readWhole(STDIN_FILENO, "standard input") }

    private static func readWhole(_ descriptor: Int32, _ path: String) throws(FileError) -> [UInt8] {
        let bytes = try readAll(descriptor, path, limit: sizeLimit + 1)
        guard bytes.count <= sizeLimit else {
            throw FileError(path: path, doing: "read", reason: "it has more than \(sizeLimit) bytes")
        }
        return bytes
    }

    /// `count` bytes at `offset`, or fewer where the file ends.
    static func read(_ path: String, at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        try withOpen(path) { (descriptor) throws(FileError) in
            guard lseek(descriptor, offset, SEEK_SET) >= 0 else { throw FileError(path: path, doing: "read") }
            return try readAll(descriptor, path, limit: count)
        }
    }

    /// Calls `body` with the offset and length of each line that is not empty.
    static func lines(of path: String, _ body: (_ offset: Int, _ count: Int) -> Void) throws(FileError) {
        try withOpen(path) { (descriptor) throws(FileError) in
            var start = 0
            var position = 0
            while true {
                let piece = try readAll(descriptor, path, limit: 1 << 20)
                if piece.isEmpty { break }
                for byte in piece {
                    if byte == UInt8(ascii: "\n") {
                        if position > start { body(start, position - start) }
                        start = position + 1
                    }
                    position += 1
                }
            }
            if position > start { body(start, position - start) }
        }
    }

    /// A file in the making: it gets its name when it is complete, so that it is there with all its bytes or not at
    /// all.
    struct Draft {
        private let path: String
        private let temporary: String
        private let descriptor: Int32

        init(path: String) throws(FileError) {
            self.path = path
            temporary = "\(path).\(getpid()).tmp"
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw FileError(path: temporary, doing: "create") }
        }

        func append(_ bytes: [UInt8]) throws(FileError) {
            var written = 0
            while written < bytes.count {
                // Sound: the range written lies inside the array, which outlives the call.
                let count = bytes.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw FileError(path: temporary, doing: "write") }
                written += count
            }
        }

        /// Gives the file its name; the draft is gone then, also when this fails.
        func commit() throws(FileError) {
            guard close(descriptor) == 0, rename(temporary, path) == 0 else {
                let error = FileError(path: path, doing: "write")
                unlink(temporary)
                throw error
            }
        }

        /// Drops the file.
        func discard() {
            close(descriptor)
            unlink(temporary)
        }
    }

    /// Writes a whole file, in place of one that may be there.
    static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        try Drafts.write { () throws(FileError) in
            let draft = try Draft(path: path)
            do throws(FileError) { try draft.append(bytes) } catch {
                draft.discard()
                throw error
            }
            try draft.commit()
        }
    }

    /// What tells a file from any other, whatever its path.
    struct Identity: Hashable, Sendable {
        var device: UInt
        var number: UInt
    }

    /// nil where there is none.
    static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt(status.st_dev), number: UInt(status.st_ino))
    }

    /// Makes a directory and those above it; one that exists is fine.
    static func makeDirectory(_ path: String) throws(FileError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/\(part)"
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
                throw FileError(path: made, doing: "create directory")
            }
        }
        guard try kind(of: path) == .directory else {
            throw FileError(path: path, doing: "create directory", reason: "a file is in the way")
        }
    }

    private static func withOpen<R>(_ path: String, _ body: (Int32) throws(FileError) -> R) throws(FileError) -> R {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path: path, doing: "open") }
        defer { close(descriptor) }
        return try body(descriptor)
    }

    private static func readAll(_ descriptor: Int32, _ path: String, limit: Int) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(limit, 1 << 18))
        while bytes.count < limit {
            let count = Glibc.read(descriptor, &piece, min(piece.count, limit - bytes.count))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError(path: path, doing: "read") }
            if count == 0 { break }
            bytes.append(contentsOf: piece[..<count])
        }
        return bytes
    }
}

/// A file operation that failed.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    public var path: String
    /// The operation as a verb.
    public var operation: String
    public var reason: String

    /// Describes the error of the system call just made, or `reason`.
    init(path: String, doing operation: String, reason: String? = nil) {
        self.path = path
        self.operation = operation
        self.reason = reason ?? String(cString: strerror(errno))
    }

    public var description: String { "cannot \(operation) \(path): \(reason)" }
}
