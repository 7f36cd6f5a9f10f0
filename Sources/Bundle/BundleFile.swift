import Glibc

/// Reading a bundle's file.
enum BundleFile {
    /// The content of the file at `path`.
    ///
    /// - Throws: `.file` with the path and the system's words, `.tooLarge` above `limit` bytes.
    static func read(_ path: String, limit: Int) throws(BundleError) -> [UInt8] {
        func failure() -> BundleError { .file("\(path): \(String(cString: strerror(errno)))") }
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            // The kernel writes at most the array's length.
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            guard count > 0 else { return out }
            guard count <= limit - out.count else { throw .tooLarge(limit: limit) }
            out += chunk[..<count]
        }
    }
}
