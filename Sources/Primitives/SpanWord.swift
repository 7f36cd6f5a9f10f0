extension Span<UInt8> {
    /// The eight bytes from `offset` on as one number, the first the most significant.
    ///
    /// - Precondition: they are in the span.
    @inlinable public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8, "a word outside of its span")
        // Sound: the eight bytes are in the span, and every pattern of bits is a number.
        let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return UInt64(bigEndian: word)
    }

    /// The same with the first byte the least significant.
    ///
    /// - Precondition: they are in the span.
    @inlinable public func littleEndianWord(at offset: Int) -> UInt64 { word(at: offset).byteSwapped }
}
