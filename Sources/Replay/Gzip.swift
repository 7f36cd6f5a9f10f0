import CZlib

/// Reads and writes gzip data through zlib.
enum Gzip {
    /// One gzip member without name and time, so that equal input gives equal bytes.
    static func compress(_ input: [UInt8]) throws(GzipError) -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .outOfMemory }
        defer { deflateEnd(&stream) }
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var consumed = 0
        while true {
            let isLast = input.count - consumed <= mostAtOnce
            let (status, produced) = step(&stream, input, &consumed, &piece) { stream in
                deflate(&stream, isLast ? Z_FINISH : Z_NO_FLUSH)
            }
            output.append(contentsOf: piece[..<produced])
            if status == Z_STREAM_END { return output }
            // With room in both buffers nothing else can go wrong.
            guard status == Z_OK else { throw .outOfMemory }
        }
    }

    /// Bytes of input that zlib is given at a time; it counts in 32 bits.
    private static let mostAtOnce = 1 << 30

    /// One call of zlib: what it said, and how many bytes of `piece` it made.
    private static func step(
        _ stream: inout z_stream, _ input: [UInt8], _ consumed: inout Int, _ piece: inout [UInt8],
        _ work: (inout z_stream) -> Int32
    ) -> (status: Int32, produced: Int) {
        let room = min(input.count - consumed, mostAtOnce)
        // Sound: zlib reads at most `avail_in` bytes of `input` and writes at most `avail_out` bytes of
        // `piece`; both outlive the call, and the pointers are not used after it.
        let (status, produced) = input.withUnsafeBufferPointer { source in
            piece.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress.map { UnsafeMutablePointer(mutating: $0 + consumed) }
                stream.avail_in = UInt32(room)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                let status = work(&stream)
                return (status, target.count - Int(stream.avail_out))
            }
        }
        consumed += room - Int(stream.avail_in)
        return (status, produced)
    }

    /// Decompresses the gzip members that fill `input`, one after another; zeros may follow the last, as archivers pad.
    /// - Parameter limit: bytes of output at most; more is an error, so that a small file cannot fill memory.
    static func decompress(_ input: [UInt8], limit: Int) throws(GzipError) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window, 16 more for "gzip header required".
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .outOfMemory
        }
        defer { inflateEnd(&stream) }

        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var consumed = 0
        while true {
            let (status, produced) = step(&stream, input, &consumed, &piece) { inflate(&$0, Z_NO_FLUSH) }
            guard output.count + produced <= limit else { throw .tooLarge(limit: limit) }
            output.append(contentsOf: piece[..<produced])
            if status == Z_STREAM_END {
                guard input[consumed...].contains(where: { $0 != 0 }) else { break }
                // What follows must be another member: its header decides.
                guard inflateReset(&stream) == Z_OK else { throw .malformed(at: consumed) }
                continue
            }
            if status == Z_BUF_ERROR || (status == Z_OK && produced == 0 && consumed == input.count) {
                throw .truncated(at: consumed)
            }
            guard status == Z_OK else { throw status == Z_MEM_ERROR ? .outOfMemory : .malformed(at: consumed) }
        }
        return output
    }
}

/// Why gzip data cannot be read; positions are byte offsets in the compressed data.
enum GzipError: Error, Equatable, CustomStringConvertible {
    case outOfMemory
    case tooLarge(limit: Int)
    case truncated(at: Int)
    case malformed(at: Int)

    var description: String {
        switch self {
        case .outOfMemory: "zlib has no memory"
        case .tooLarge(let limit): "gzip data expands to more than \(limit) bytes"
        case .truncated(let offset): "gzip data ends early, at 0x\(String(offset, radix: 16))"
        case .malformed(let offset): "gzip data is malformed near 0x\(String(offset, radix: 16))"
        }
    }
}
