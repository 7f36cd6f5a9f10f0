import CGMP

/// An owner of a GMP integer for amounts beyond 128 bits.
///
/// Sendable although it holds a pointer: `value` is written only in the initialisers and read only afterwards, and
/// GMP's reading functions keep no hidden state. Readers pass a copy of the header, which GMP does not change; the
/// limbs behind it live as long as the owner, which each reader keeps alive.
final class BigNumber: @unchecked Sendable {
    private var value = __mpz_struct()

    private init() {
        __gmpz_init(&value)
    }

    deinit {
        __gmpz_clear(&value)
    }

    /// `magnitude` is big-endian.
    convenience init(magnitude: some Collection<UInt8>, negative: Bool) {
        self.init()
        let bytes = Array(magnitude)
        // GMP reads exactly `count` bytes of the array.
        __gmpz_import(&value, bytes.count, 1, 1, 1, 0, bytes)
        if negative { value._mp_size = -value._mp_size }
    }

    convenience init(_ small: Int128) {
        let magnitude = small.magnitude.bigEndian
        self.init(magnitude: withUnsafeBytes(of: magnitude) { Array($0) }, negative: small < 0)
    }

    /// nil when `decimal` is not digits with an optional minus.
    convenience init?(decimal: String) {
        self.init()
        guard __gmpz_set_str(&value, decimal, 10) == 0 else { return nil }
    }

    enum Operation {
        case add
        case subtract
        case multiply
    }

    convenience init(_ left: BigNumber, _ operation: Operation, _ right: BigNumber) {
        self.init()
        withExtendedLifetime((left, right)) {
            var a = left.value
            var b = right.value
            switch operation {
            case .add: __gmpz_add(&value, &a, &b)
            case .subtract: __gmpz_sub(&value, &a, &b)
            case .multiply: __gmpz_mul(&value, &a, &b)
            }
        }
    }

    var isNegative: Bool { value._mp_size < 0 }

    /// Big-endian, without leading zeros.
    var magnitude: [UInt8] {
        withExtendedLifetime(self) {
            var number = value
            let count = number._mp_size == 0 ? 0 : (__gmpz_sizeinbase(&number, 2) + 7) / 8
            var out = [UInt8](repeating: 0, count: count)
            // GMP writes exactly the number's bytes, which is what `count` is.
            __gmpz_export(&out, nil, 1, 1, 1, 0, &number)
            return out
        }
    }

    /// The value when 128 bits hold it.
    var small: Int128? {
        let bytes = magnitude
        guard bytes.count <= 16 else { return nil }
        let positive = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        if isNegative { return positive <= UInt128(1) << 127 ? Int128(truncatingIfNeeded: 0 &- positive) : nil }
        return Int128(exactly: positive)
    }

    var decimal: String {
        withExtendedLifetime(self) {
            var number = value
            // One byte for a sign, one for the terminator (GMP manual, mpz_get_str).
            var buffer = [CChar](repeating: 0, count: __gmpz_sizeinbase(&number, 10) + 2)
            __gmpz_get_str(&buffer, 10, &number)
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    static func compare(_ left: BigNumber, _ right: BigNumber) -> Int {
        withExtendedLifetime((left, right)) {
            var a = left.value
            var b = right.value
            return Int(__gmpz_cmp(&a, &b))
        }
    }
}
