import Primitives

/// A syscall's result as it lies in guest memory: little-endian, packed, in order of its fields (FVM syscalls
/// specification, section 2).
struct ResultBytes {
    private(set) var bytes: [UInt8] = []

    /// With room for the longest one, so that it grows once.
    init() { bytes.reserveCapacity(96) }

    /// Bytes as they are.
    init(raw: [UInt8]) { bytes = raw }

    init(_ value: some FixedWidthInteger) { append(value) }

    mutating func append(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// A token amount: low half, then high half. Fatal when it is negative or has more than 128 bits.
    mutating func append(_ amount: TokenAmount, _ what: String) throws(ExecutionError) {
        guard let halves = amount.u128 else {
            throw .fatal("\(what) of \(amount.decimal) attoFIL does not fit 128 bits")
        }
        append(halves.lo)
        append(halves.hi)
    }
}

extension SyscallResult {
    static func number(_ value: some FixedWidthInteger) -> SyscallResult { .value(ResultBytes(value)) }

    static func amount(_ amount: TokenAmount, _ what: String) throws(ExecutionError) -> SyscallResult {
        var result = ResultBytes()
        try result.append(amount, what)
        return .value(result)
    }
}
