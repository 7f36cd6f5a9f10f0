// Gas amounts are unsigned 64-bit counts of milligas. The reference saturates everywhere: additions and
// products stop at 2^64 − 1, differences at 0 (FVM `Gas` type).

extension UInt64 {
    /// The sum, or 2^64 − 1 when it does not fit.
    @inlinable
    public func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The product, or 2^64 − 1 when it does not fit.
    @inlinable
    public func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// The difference, or 0 when `other` is larger.
    @inlinable
    public func subtractingSaturating(_ other: UInt64) -> UInt64 {
        self > other ? self - other : 0
    }
}

/// Conversions between gas and milligas (1 gas = 1000 milligas).
public enum Milligas {
    /// Milligas in one gas.
    public static let perGas: UInt64 = 1000

    /// Whole gas as milligas, saturating.
    public static func fromGas(_ gas: UInt64) -> UInt64 { gas.multipliedSaturating(by: perGas) }

    /// The smallest whole gas amount that covers `milligas`.
    public static func roundedUp(_ milligas: UInt64) -> UInt64 {
        milligas / perGas + (milligas % perGas == 0 ? 0 : 1)
    }

    /// The whole gas contained in `milligas`.
    public static func roundedDown(_ milligas: UInt64) -> UInt64 { milligas / perGas }
}
