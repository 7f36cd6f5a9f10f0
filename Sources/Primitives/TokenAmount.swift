/// A signed amount of attoFIL without bound (FVM machine layer, "token amounts and big integers").
///
/// Amounts that 128 bits hold, which all real ones do, are computed without allocation; GMP takes over beyond.
public struct TokenAmount: Hashable, Sendable {
    /// `big` is used exactly when `small` cannot hold the value, so equality is by form.
    private enum Storage: Sendable {
        case small(Int128)
        case big(BigNumber)
    }

    private let storage: Storage

    /// No attoFIL.
    public static let zero = TokenAmount(small: 0)

    /// attoFIL in one FIL.
    public static let attoPerFil: UInt64 = 1_000_000_000_000_000_000

    /// The longest encoding, sign byte included.
    public static let maxEncodedLength = 128

    private init(small: Int128) {
        storage = .small(small)
    }

    private init(big: BigNumber) {
        if let small = big.small { storage = .small(small) } else { storage = .big(big) }
    }

    /// `atto` attoFIL.
    public init(_ atto: UInt64) {
        storage = .small(Int128(atto))
    }

    /// hi · 2^64 + lo attoFIL, as amounts cross the syscall boundary.
    public init(hi: UInt64, lo: UInt64) {
        if hi >> 63 == 0 {
            storage = .small(Int128(hi) << 64 | Int128(lo))
        } else {
            let magnitude = (UInt128(hi) << 64 | UInt128(lo)).bigEndian
            storage = .big(BigNumber(magnitude: withUnsafeBytes(of: magnitude) { Array($0) }, negative: false))
        }
    }

    /// The longest decimal text that is read; 127 bytes of magnitude have 306 digits.
    public static let maxDecimalLength = 400

    /// The amount of attoFIL in `decimal`: digits, a minus before them when negative.
    public init(decimal: String) throws(TokenAmountError) {
        let digits = decimal.utf8.first == UInt8(ascii: "-") ? decimal.utf8.dropFirst() : decimal.utf8[...]
        guard !digits.isEmpty, digits.count <= TokenAmount.maxDecimalLength,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .notDecimal }
        if let small = Int128(decimal) {
            self.init(small: small)
        } else if let big = BigNumber(decimal: decimal) {
            self.init(big: big)
        } else {
            throw .notDecimal
        }
    }

    /// The content of the CBOR byte string that encodes an amount. Leading zero bytes and a lone sign byte are
    /// accepted, as the reference does.
    public init(cborBytes: [UInt8]) throws(TokenAmountError) {
        guard let sign = cborBytes.first else {
            self = .zero
            return
        }
        guard cborBytes.count <= TokenAmount.maxEncodedLength else { throw .tooLong(cborBytes.count) }
        guard sign <= 1 else { throw .signByte(sign) }
        let magnitude = cborBytes.dropFirst()
        if magnitude.count <= 15 {
            let value = magnitude.reduce(Int128(0)) { $0 << 8 | Int128($1) }
            self.init(small: sign == 1 ? -value : value)
        } else {
            self.init(big: BigNumber(magnitude: magnitude, negative: sign == 1))
        }
    }

    /// The content of the CBOR byte string that encodes the amount: empty for zero, else a sign byte and the
    /// big-endian magnitude.
    ///
    /// - Throws: `.tooLong` above 128 bytes, which the reference cannot encode either.
    public var cborBytes: [UInt8] {
        get throws(TokenAmountError) {
            if isZero { return [] }
            let magnitude: [UInt8]
            switch storage {
            case .small(let value):
                let bytes = withUnsafeBytes(of: value.magnitude.bigEndian) { Array($0) }
                magnitude = Array(bytes.drop { $0 == 0 })
            case .big(let value): magnitude = value.magnitude
            }
            guard magnitude.count < TokenAmount.maxEncodedLength else { throw .tooLong(magnitude.count + 1) }
            return [isNegative ? 1 : 0] + magnitude
        }
    }

    /// attoFIL in decimal.
    public var decimal: String {
        switch storage {
        case .small(let value): String(value)
        case .big(let value): value.decimal
        }
    }

    /// The two halves of the amount when it is within 0 ..< 2^128, as the syscall boundary needs it.
    public var u128: (hi: UInt64, lo: UInt64)? {
        switch storage {
        case .small(let value):
            guard value >= 0 else { return nil }
            return (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
        case .big(let big):
            let bytes = big.magnitude
            guard !big.isNegative, bytes.count <= 16 else { return nil }
            let value = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            return (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
        }
    }

    /// Whether this is 0.
    public var isZero: Bool {
        if case .small(0) = storage { true } else { false }
    }

    /// Whether this is below 0.
    public var isNegative: Bool {
        switch storage {
        case .small(let value): value < 0
        case .big(let value): value.isNegative
        }
    }

    private var big: BigNumber {
        switch storage {
        case .small(let value): BigNumber(value)
        case .big(let value): value
        }
    }

    private static func combine(
        _ left: TokenAmount, _ operation: BigNumber.Operation, _ right: TokenAmount
    ) -> TokenAmount {
        if case .small(let a) = left.storage, case .small(let b) = right.storage {
            let (value, overflow) =
                switch operation {
                case .add: a.addingReportingOverflow(b)
                case .subtract: a.subtractingReportingOverflow(b)
                case .multiply: a.multipliedReportingOverflow(by: b)
                }
            if !overflow { return TokenAmount(small: value) }
        }
        return TokenAmount(big: BigNumber(left.big, operation, right.big))
    }

    public static func + (left: TokenAmount, right: TokenAmount) -> TokenAmount { combine(left, .add, right) }

    public static func - (left: TokenAmount, right: TokenAmount) -> TokenAmount { combine(left, .subtract, right) }

    public static func * (left: TokenAmount, right: TokenAmount) -> TokenAmount { combine(left, .multiply, right) }

    public static func * (left: TokenAmount, right: UInt64) -> TokenAmount { left * TokenAmount(right) }

    public static prefix func - (amount: TokenAmount) -> TokenAmount { zero - amount }

    public static func += (left: inout TokenAmount, right: TokenAmount) { left = left + right }

    public static func -= (left: inout TokenAmount, right: TokenAmount) { left = left - right }

    public static func == (left: TokenAmount, right: TokenAmount) -> Bool {
        switch (left.storage, right.storage) {
        case (.small(let a), .small(let b)): a == b
        case (.big(let a), .big(let b)): BigNumber.compare(a, b) == 0
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch storage {
        case .small(let value): hasher.combine(value)
        case .big(let value):
            hasher.combine(value.isNegative)
            hasher.combine(value.magnitude)
        }
    }
}

extension TokenAmount: Comparable {
    public static func < (left: TokenAmount, right: TokenAmount) -> Bool {
        if case .small(let a) = left.storage, case .small(let b) = right.storage { return a < b }
        return BigNumber.compare(left.big, right.big) < 0
    }
}

extension TokenAmount: CustomStringConvertible {
    public var description: String { decimal }
}

/// Why bytes or text are not an amount, or an amount has no encoding.
public enum TokenAmountError: Error, Sendable, Equatable, CustomStringConvertible {
    case signByte(UInt8)
    case tooLong(Int)
    case notDecimal
    case notFil

    public var description: String {
        switch self {
        case .signByte(let byte): "big integer has sign byte \(byte), only 0 and 1 are known"
        case .tooLong(let count): "big integer has \(count) bytes, limit \(TokenAmount.maxEncodedLength)"
        case .notDecimal: "not a decimal number of at most \(TokenAmount.maxDecimalLength) digits"
        case .notFil: "not an amount of FIL: digits, then perhaps a point and at most 18 digits"
        }
    }
}
