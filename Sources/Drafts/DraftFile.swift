import Glibc

/// A file in the making: it gets its name when it is complete, so that it is there with all its bytes or not at all.
/// To be used inside `Drafts.write`.
public final class DraftFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    /// Small pieces are written together.
    private var pending: [UInt8] = []
    private static let pieceSize = 1 << 18

    /// Begins a file beside `path`.
    public init(path: String) throws(DraftError) {
        self.path = path
        // Not the process alone: its number may be that of one that was killed here.
        temporary = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max)).new"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw DraftError(path: path, doing: "create") }
    }

    deinit { discard() }

    public func append(_ bytes: [UInt8]) throws(DraftError) {
        pending += bytes
        if pending.count >= Self.pieceSize { try flush() }
    }

    private func flush() throws(DraftError) {
        var written = 0
        while written < pending.count {
            // Sound: the range written lies inside the array, which outlives the call.
            let count = pending.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw DraftError(path: path, doing: "write") }
            written += count
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name; nothing can be appended after that.
    public func commit() throws(DraftError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw DraftError(path: path, doing: "write") }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporary, path) == 0 else {
            let error = DraftError(path: path, doing: "write")
            unlink(temporary)
            throw error
        }
    }

    /// Drops the file; nothing happens to one that has its name.
    public func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(temporary)
    }
}

/// A file that could not be made.
public struct DraftError: Error, Sendable, Equatable, CustomStringConvertible {
    public var path: String
    /// The operation as a verb.
    public var operation: String
    public var reason: String

    init(path: String, doing operation: String) {
        self.path = path
        self.operation = operation
        reason = String(cString: strerror(errno))
    }

    public var description: String { "cannot \(operation) \(path): \(reason)" }
}
