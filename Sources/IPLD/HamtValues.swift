/// What a map's values are. The reference decodes every pair of a node it reads into its type, and writes it from there:
/// a value that is none makes the node unreadable, whichever key was looked for, and one in another form than its type
/// would write is rewritten with its node.
public struct HamtValues: Sendable {
    /// The end of a value at an offset that is canonical CBOR, of the type, and as the type would write it. A quick look,
    /// which may find none where there is one.
    let plainEnd: @Sendable (Span<UInt8>, Int) -> Int?
    /// A value in canonical CBOR as the type writes it.
    let rewritten: @Sendable ([UInt8]) throws(CborError) -> [UInt8]

    public init(
        plainEnd: @escaping @Sendable (Span<UInt8>, Int) -> Int?,
        rewritten: @escaping @Sendable ([UInt8]) throws(CborError) -> [UInt8]
    ) {
        self.plainEnd = plainEnd
        self.rewritten = rewritten
    }

    /// Anything that is one item.
    public static let any = HamtValues(
        plainEnd: { CanonicalScan.item($0, $1) }, rewritten: { (value) throws(CborError) in value })

    /// Unsigned 64-bit numbers.
    public static let unsigned = HamtValues(
        plainEnd: { CanonicalScan.unsigned($0, $1) },
        rewritten: { (value) throws(CborError) in
            var reader = CborReader(value, mode: .dynamic)
            let number: UInt64 = try reader.unsigned()
            try reader.finish()
            var writer = CborWriter()
            writer.unsigned(number)
            return writer.bytes
        })
}
