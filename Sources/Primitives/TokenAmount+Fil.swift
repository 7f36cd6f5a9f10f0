extension TokenAmount {
    /// Digits of a FIL after the point.
    private static let decimals = 18

    /// The amount in `fil`, FIL as people write it: digits, then perhaps a point and up to 18 digits.
    ///
    /// - Throws: `.notFil` for anything else, signs and exponents included.
    public init(fil: String) throws(TokenAmountError) {
        let parts = fil.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }),
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } })
        else { throw .notFil }
        let fraction = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
        guard fraction.utf8.count <= Self.decimals else { throw .notFil }
        let zeros = String(repeating: "0", count: Self.decimals - fraction.utf8.count)
        do { try self.init(decimal: String(decoding: parts[0], as: UTF8.self) + fraction + zeros) } catch {
            throw .notFil
        }
    }

    /// The amount in FIL, exactly and without needless zeros.
    public var fil: String {
        let digits = decimal.utf8.drop { $0 == UInt8(ascii: "-") }
        let padding = String(repeating: "0", count: max(0, Self.decimals + 1 - digits.count))
        let padded = Array((padding + String(decoding: Array(digits), as: UTF8.self)).utf8)
        let whole = padded.dropLast(Self.decimals)
        var fraction = padded.suffix(Self.decimals)
        while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        return (isNegative ? "-" : "") + String(decoding: whole, as: UTF8.self)
            + (fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self))
    }
}
