import Glibc

/// What the file system says of a file's content without reading it. The time of the last change of the inode is
/// the system's own and cannot be set by programs, so two contents of one file have two stamps, unless the second
/// was written within the clock's resolution of the first: see `isSettled`.
public struct FileStamp: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64
    /// Bytes.
    public var size: UInt64
    /// Nanoseconds of the system's clock: of the content, and of the inode.
    public var modified: UInt64
    public var changed: UInt64

    public init(device: UInt64, inode: UInt64, size: UInt64, modified: UInt64, changed: UInt64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// What the system says of a file.
    public init(_ status: stat) {
        self.init(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: UInt64(clamping: status.st_size),
            modified: Self.nanoseconds(status.st_mtim), changed: Self.nanoseconds(status.st_ctim))
    }

    private static func nanoseconds(_ time: timespec) -> UInt64 {
        UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }

    /// Of the file that a path leads to now; nil with `errno` set where it leads to none.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Nanoseconds of the system's clock, as stamps have them.
    public static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return nanoseconds(time)
    }

    /// Whether a later change would certainly give another stamp: the last one lies two seconds back, far more than
    /// the resolution of any file system's clock.
    ///
    /// - Parameter now: nanoseconds of the system's clock, taken before the content was read.
    public func isSettled(now: UInt64) -> Bool {
        max(modified, changed) < now && now - max(modified, changed) > 2_000_000_000
    }

    /// Five decimal numbers.
    public var text: String { "\(device) \(inode) \(size) \(modified) \(changed)" }

    /// Reads what `text` writes; nil for anything else.
    public init?(text: String) {
        let numbers: [UInt64] = text.split(separator: " ", omittingEmptySubsequences: false).compactMap {
            decimal(String($0))
        }
        guard numbers.count == 5 else { return nil }
        self.init(
            device: numbers[0], inode: numbers[1], size: numbers[2], modified: numbers[3], changed: numbers[4])
        guard self.text == text else { return nil }
    }
}

extension FieldText {
    /// Appends a line `digest STAMP HEX` for each, in an order that does not depend on hash seeds.
    public mutating func append(digests: [FileStamp: Digest]) {
        for line in digests.map({ "\($0.key.text) \($0.value.hex)" }).sorted() { append("digest", line) }
    }

    /// What the lines `digest` say; nil when one is malformed.
    public var digests: [FileStamp: Digest]? {
        var found: [FileStamp: Digest] = [:]
        for line in all("digest") {
            guard let space = line.lastIndex(of: " "), let stamp = FileStamp(text: String(line[..<space])),
                let digest = Digest(hex: String(line[line.index(after: space)...]))
            else { return nil }
            found[stamp] = digest
        }
        return found
    }
}

/// Where a file was, and which one.
public struct PlacedFile: Hashable, Sendable {
    public var path: String
    public var stamp: FileStamp

    public init(path: String, stamp: FileStamp) {
        self.path = path
        self.stamp = stamp
    }

    /// The file that a path leads to now; nil where it leads to none.
    public init?(path: String) {
        guard let stamp = FileStamp(path: path) else { return nil }
        self.init(path: path, stamp: stamp)
    }

    /// Whether the path still leads to that file, unchanged.
    public var isUnchanged: Bool { FileStamp(path: path) == stamp }
}

extension FieldText {
    /// Appends a line `place STAMP PATH` for each.
    public mutating func append(files: [PlacedFile]) {
        for file in files { append("place", "\(file.stamp.text) \(file.path)") }
    }

    /// What the lines `place` say; nil when one is malformed.
    public var files: [PlacedFile]? {
        var found: [PlacedFile] = []
        for line in all("place") {
            let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
            guard parts.count == 6, let stamp = FileStamp(text: parts[..<5].joined(separator: " ")) else { return nil }
            found.append(PlacedFile(path: String(parts[5]), stamp: stamp))
        }
        return found
    }
}
