import Crypto

/// A SHA-256 digest.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// The digest of `content`.
    public init(of content: [UInt8]) { self.init(of: content.span) }

    /// The digest of `content`.
    public init(of content: Span<UInt8>) {
        bytes = Sha2.hash256(content)
    }

    /// The digest of what comes in pieces.
    public init(_ body: (borrowing Sha2.Pieces) -> Void) {
        bytes = Sha2.hash256(body)
    }

    /// A digest made elsewhere; nil when it does not have 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 lower-case hexadecimal digits.
    public init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String {
        String(decoding: bytes.flatMap(hexDigits(of:)), as: UTF8.self)
    }

    public var description: String { hex }
}
