import CZstd

/// Zstandard frames (RFC 8878), with limits on what comes out, whatever a frame says of itself.
public enum Zstandard {
    /// A frame with content.
    public static let frameMagic: UInt32 = 0xFD2F_B528
    /// Frames that readers pass over: user data.
    public static let skippableMagics: ClosedRange<UInt32> = 0x184D_2A50...0x184D_2A5F

    /// Whether `bytes` begin as a frame does, of either kind: parallel compressors put a skippable one first.
    public static func isCompressed(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 4 else { return false }
        let magic = UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16 | UInt32(bytes[3]) << 24
        return magic == frameMagic || skippableMagics.contains(magic)
    }

    /// One frame of `bytes`.
    public static func compress(_ bytes: [UInt8], level: Int = 3) throws(ZstandardError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        // The library stays within the sizes given, which are those of the arrays.
        let count = bytes.withUnsafeBytes { source in
            out.withUnsafeMutableBytes { target in
                ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, Int32(level))
            }
        }
        guard ZSTD_isError(count) == 0 else {
            throw .malformed(String(cString: ZSTD_getErrorName(count)), offset: 0)
        }
        out.removeLast(out.count - count)
        return out
    }
}

/// Why bytes could not be decompressed or compressed.
public enum ZstandardError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The library's words, and how many bytes it had taken in.
    case malformed(String, offset: UInt64)
    /// A frame has more than a caller takes.
    case tooLarge(limit: Int)
    case noMemory

    public var description: String {
        switch self {
        case .malformed(let why, let offset): "zstd at 0x\(String(offset, radix: 16)): \(why)"
        case .tooLarge(let limit): "unpacks to more than \(limit) bytes"
        case .noMemory: "no memory for zstd"
        }
    }
}

/// Decompresses frames that follow one another, piece by piece.
public final class ZstandardDecoder {
    private let stream: OpaquePointer
    private var buffer: [UInt8]
    /// Bytes taken in so far.
    private var consumed: UInt64 = 0
    /// Whether the last frame begun is complete.
    public private(set) var isComplete = true
    /// Whether nothing waits in the library for room to be put into.
    public private(set) var isDrained = true

    public init() throws(ZstandardError) {
        guard let stream = ZSTD_createDStream() else { throw .noMemory }
        self.stream = stream
        buffer = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
    }

    deinit { ZSTD_freeDStream(stream) }

    /// Takes in some of `input` from `position`, which moves on; the answer, at most 128 KiB, may be empty.
    public func decode(_ input: [UInt8], from position: inout Int) throws(ZstandardError) -> ArraySlice<UInt8> {
        var source = ZSTD_inBuffer(src: nil, size: input.count, pos: position)
        var target = ZSTD_outBuffer(dst: nil, size: buffer.count, pos: 0)
        // The library stays within the sizes given, which are those of the arrays.
        let hint = input.withUnsafeBytes { bytes in
            buffer.withUnsafeMutableBytes { room in
                source.src = bytes.baseAddress
                target.dst = room.baseAddress
                return ZSTD_decompressStream(stream, &target, &source)
            }
        }
        guard ZSTD_isError(hint) == 0 else {
            throw .malformed(String(cString: ZSTD_getErrorName(hint)), offset: consumed)
        }
        consumed += UInt64(source.pos - position)
        position = source.pos
        isComplete = hint == 0
        isDrained = target.pos < buffer.count
        return buffer[..<target.pos]
    }

    /// What comes out of bytes that come in pieces, in pieces that are never empty; nil at the end.
    ///
    /// - Parameters:
    ///   - more: the next bytes of the frames; nil at their end.
    ///   - failure: what a frame that is malformed, or not whole, is told as.
    public func pieces<Failure: Error>(
        of more: @escaping () throws(Failure) -> [UInt8]?, failure: @escaping (ZstandardError) -> Failure
    ) -> () throws(Failure) -> ArraySlice<UInt8>? {
        var input: [UInt8] = []
        var position = 0
        return { () throws(Failure) in
            while true {
                if position == input.count, let next = try more() {
                    input = next
                    position = 0
                }
                do throws(ZstandardError) {
                    let piece =
                        position < input.count ? try self.decode(input, from: &position) : try self.rest()
                    guard let piece else { return nil }
                    if !piece.isEmpty { return piece }
                } catch { throw failure(error) }
            }
        }
    }

    /// What is left when there is no more input; nil at the end.
    private func rest() throws(ZstandardError) -> ArraySlice<UInt8>? {
        guard !isComplete || !isDrained else { return nil }
        var position = 0
        let piece = try decode([], from: &position)
        guard !piece.isEmpty else {
            guard isComplete else { throw .malformed("frame is truncated", offset: consumed) }
            return nil
        }
        return piece
    }
}

/// Compresses into one frame at a time, piece by piece.
public final class ZstandardEncoder {
    private let stream: OpaquePointer
    private var buffer: [UInt8]

    /// - Parameter level: the library's.
    public init(level: Int = 3) throws(ZstandardError) {
        guard let stream = ZSTD_createCCtx() else { throw .noMemory }
        self.stream = stream
        buffer = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
        let status = ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, Int32(level))
        guard ZSTD_isError(status) == 0 else {
            throw .malformed(String(cString: ZSTD_getErrorName(status)), offset: 0)
        }
    }

    deinit { ZSTD_freeCCtx(stream) }

    /// What `bytes` add to the frame, as far as it can be told already.
    public func append(_ bytes: [UInt8]) throws(ZstandardError) -> [UInt8] { try run(bytes, ZSTD_e_continue) }

    /// What `bytes` add, with nothing held back: so the frame's size so far is known.
    public func flush(_ bytes: [UInt8]) throws(ZstandardError) -> [UInt8] { try run(bytes, ZSTD_e_flush) }

    /// The frame's end; what is appended next begins another.
    public func finish() throws(ZstandardError) -> [UInt8] { try run([], ZSTD_e_end) }

    private func run(_ bytes: [UInt8], _ directive: ZSTD_EndDirective) throws(ZstandardError) -> [UInt8] {
        var out: [UInt8] = []
        var position = 0
        while true {
            var source = ZSTD_inBuffer(src: nil, size: bytes.count, pos: position)
            var target = ZSTD_outBuffer(dst: nil, size: buffer.count, pos: 0)
            // The library stays within the sizes given, which are those of the arrays.
            let left = bytes.withUnsafeBytes { input in
                buffer.withUnsafeMutableBytes { room in
                    source.src = input.baseAddress
                    target.dst = room.baseAddress
                    return ZSTD_compressStream2(stream, &target, &source, directive)
                }
            }
            guard ZSTD_isError(left) == 0 else {
                throw .malformed(String(cString: ZSTD_getErrorName(left)), offset: 0)
            }
            position = source.pos
            out += buffer[..<target.pos]
            let isDone = directive == ZSTD_e_continue ? position == bytes.count : left == 0
            if isDone { return out }
        }
    }
}
