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
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure() }
        // What the system says of a file's size is room to begin with; where it ends is where reading ends.
        var out = try read(file, min(max(0, Int(status.st_size)), limit), path)
        while true {
            let more = try read(file, 1 << 16, path)
            guard !more.isEmpty else { return out }
            guard more.count <= limit - out.count else { throw .tooLarge(limit: limit) }
            out += more
        }
    }

    /// So many bytes, or fewer where the file ends.
    private static func read(_ file: Int32, _ size: Int, _ path: String) throws(BundleError) -> [UInt8] {
        var why: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { room, filled in
            while filled < size {
                // Sound: the range from `filled` to `size` lies inside the room, which is not empty; what is counted as
                // filled was written by the call.
                let count = Glibc.read(file, room.baseAddress! + filled, size - filled)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { why = errno }
                guard count > 0 else { return }
                filled += count
            }
        }
        guard why == 0 else { throw .file("\(path): \(String(cString: strerror(why)))") }
        return bytes
    }
}
