/// Numeric semantics of WebAssembly where they differ from Swift's operators (core spec 4.3), with NaN
/// results canonicalised as the FVM's engine does.
enum Numerics {
    /// The bits of an arithmetic result: any NaN becomes the positive canonical one.
    @inline(__always)
    static func canonical(_ value: Float) -> UInt32 { value == value ? value.bitPattern : 0x7FC0_0000 }

    /// As above.
    @inline(__always)
    static func canonical(_ value: Double) -> UInt64 {
        value == value ? value.bitPattern : 0x7FF8_0000_0000_0000
    }

    /// `fmin`: NaN when either is NaN, and -0 below +0.
    @inline(__always)
    static func minimum<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T {
        if a < b { return a }
        if b < a { return b }
        if a == b { return a.sign == .minus ? a : b }
        return a + b
    }

    /// `fmax`: NaN when either is NaN, and +0 above -0.
    @inline(__always)
    static func maximum<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T {
        if a > b { return a }
        if b > a { return b }
        if a == b { return a.sign == .minus ? b : a }
        return a + b
    }

    /// The exclusive bounds between which truncation to a type succeeds. Both are exact in binary64, save
    /// the lower one of i64, where the next representable value below -2^63 stands in.
    struct Range {
        let above: Double
        let below: Double

        static var i32: Range { Range(above: -2_147_483_649, below: 2_147_483_648) }
        static var u32: Range { Range(above: -1, below: 4_294_967_296) }
        static var i64: Range { Range(above: -9_223_372_036_854_777_856, below: 9_223_372_036_854_775_808) }
        static var u64: Range { Range(above: -1, below: 18_446_744_073_709_551_616) }

        @inline(__always)
        func contains(_ value: Double) -> Bool { value > above && value < below }
    }

    /// Saturating truncation: NaN gives 0, values outside give the nearest end.
    @inline(__always)
    static func saturate<I: FixedWidthInteger>(_ value: Double, _ range: Range, as type: I.Type) -> I {
        if value != value { return 0 }
        if value <= range.above { return I.min }
        if value >= range.below { return I.max }
        return I(value)
    }
}
