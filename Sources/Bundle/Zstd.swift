import CZstd

/// Decompression of zstd frames with a limit on what comes out, whatever the frame says of itself.
enum Zstd {
    private static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    /// Whether `bytes` start as a zstd frame does.
    static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

    /// All of `bytes`, one or more frames, decompressed.
    ///
    /// - Throws: `.tooLarge` beyond `limit` bytes of output, `.zstd` for anything that is not whole frames.
    static func decompress(_ bytes: [UInt8], limit: Int) throws(BundleError) -> [UInt8] {
        guard let stream = ZSTD_createDStream() else { throw .zstd("no memory for the stream", offset: 0) }
        defer { ZSTD_freeDStream(stream) }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        var consumed = 0
        while true {
            var input = ZSTD_inBuffer(src: nil, size: bytes.count, pos: consumed)
            var output = ZSTD_outBuffer(dst: nil, size: chunk.count, pos: 0)
            // The library stays within the sizes given, which are those of the arrays.
            let hint = bytes.withUnsafeBytes { source in
                chunk.withUnsafeMutableBytes { target in
                    input.src = source.baseAddress
                    output.dst = target.baseAddress
                    return ZSTD_decompressStream(stream, &output, &input)
                }
            }
            guard ZSTD_isError(hint) == 0 else {
                throw .zstd(String(cString: ZSTD_getErrorName(hint)), offset: consumed)
            }
            guard output.pos <= limit - out.count else { throw .tooLarge(limit: limit) }
            out += chunk[..<output.pos]
            let progress = input.pos > consumed || output.pos > 0
            consumed = input.pos
            if hint == 0 && consumed == bytes.count { return out }
            guard progress else { throw .zstd("frame is truncated", offset: consumed) }
        }
    }
}
