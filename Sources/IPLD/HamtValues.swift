/// What a map's values are. The reference decodes every pair of a node it reads into its type, and writes it from there:
/// a value that is none makes the node unreadable, whichever key was looked for, and one in another form than its type
/// would write is rewritten with its node.
public struct HamtValues: Sendable {
    /// Whether a value in canonical CBOR is of the type, and as the type would write it. A quick look, which may say no
    /// to what is.
    let isPlain: @Sendable (Span<UInt8>) -> Bool
    /// The value as the type writes it.
    let rewritten: @Sendable ([UInt8]) throws(CborError) -> [UInt8]

    public init(
        isPlain: @escaping @Sendable (Span<UInt8>) -> Bool,
        rewritten: @escaping @Sendable ([UInt8]) throws(CborError) -> [UInt8]
    ) {
        self.isPlain = isPlain
        self.rewritten = rewritten
    }

    /// Anything that is one item.
    public static let any = HamtValues(isPlain: { _ in true }, rewritten: { (value) throws(CborError) in value })

    /// Unsigned 64-bit numbers.
    public static let unsigned = HamtValues(
        isPlain: { value in value.count > 0 && value[0] >> 5 == 0 },
        rewritten: { (value) throws(CborError) in
            var reader = CborReader(value, mode: .dynamic)
            let number: UInt64 = try reader.unsigned()
            try reader.finish()
            var writer = CborWriter()
            writer.unsigned(number)
            return writer.bytes
        })
}
