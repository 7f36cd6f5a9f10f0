import Glibc

/// Reading at a place of a file, whatever its descriptor's own place is.
enum PositionalRead {
    /// Why fewer bytes came than were asked for.
    enum Failure: Error {
        /// The file ends there.
        case end(at: Int)
        /// The system's number.
        case system(Int32)
    }

    /// `count` bytes from `offset` on.
    static func bytes(_ descriptor: Int32, at offset: Int, count: Int) throws(Failure) -> [UInt8] {
        var failure: Failure?
        // Sound: pread writes at most what is left of the buffer, and what it wrote is what counts as initialized.
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let more = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if more < 0 && errno == EINTR { continue }
                guard more > 0 else {
                    failure = more == 0 ? .end(at: offset + filled) : .system(errno)
                    return
                }
                filled += more
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
