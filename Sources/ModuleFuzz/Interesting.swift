import WasmFormat

/// Values at which operators change what they do.
enum Interesting {
    private static let i32: [UInt64] = [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFF8, 0xFFFF,
        0x1_0000, 0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FF80, 0xFFFF_FFFE, 0xFFFF_FFFF,
        0x1234_5678,
    ]
    private static let i64: [UInt64] =
        i32 + [
            0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0x8000_0000_0000_0001, .max, .max - 1,
            0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_7FFF_FFFF, 0x0123_4567_89AB_CDEF, 0x0020_0000_0000_0001,
            0x7FFF_FFFF_FFFF_FBFF, 0x7FFF_FF40_0000_0001, 0xFFFF_FFFF_FFFF_F400,
        ]
    private static let f32: [UInt64] =
        [
            0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 3, 0.99999994, -0.99999994, 2_147_483_520, 2_147_483_648,
            -2_147_483_648, -2_147_483_904, 4_294_967_296, 9_223_371_487_098_961_920, 9_223_372_036_854_775_808,
            -9_223_373_136_366_403_584, 18_446_744_073_709_551_616, 8388608.5, 1e10, .greatestFiniteMagnitude,
            .leastNormalMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity, .pi,
        ].map { (number: Float) in UInt64(number.bitPattern) } + [
            0x7FC0_0000, 0xFFC0_0000, 0x7FC0_0001, 0x7F80_0001, 0xFF80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF,
        ]
    private static let f64: [UInt64] =
        [
            0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 3, 0.9999999999999999, 2147483647.9999998, 2_147_483_648,
            -2147483648.9999995, -2_147_483_649, 4294967295.9999995, 4_294_967_296, 9_223_372_036_854_775_808,
            -9_223_372_036_854_777_856, 18_446_744_073_709_551_616, 4503599627370496.5, 1e300,
            .greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity, .pi,
            3.4028235677973366e38, 1.401298464324817e-45,
        ].map { (number: Double) in number.bitPattern } + [
            0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FF0_0000_0000_0001,
            0xFFF0_0000_0000_0001, 0x7FFF_FFFF_FFFF_FFFF, .max, 0x7FF0_0000_2000_0000,
        ]

    /// Bits of a value of this type: from the lists above, a small number, or any bits.
    static func bits(_ type: ValueType, _ random: inout FuzzRandom) -> UInt64 {
        let choice = random.below(10)
        switch type {
        case .i32:
            if choice < 5 { return random.pick(i32) ?? 0 }
            return choice < 8 ? UInt64(random.below(200)) : random.next() & 0xFFFF_FFFF
        case .i64:
            if choice < 5 { return random.pick(i64) ?? 0 }
            return choice < 7 ? UInt64(random.below(200)) : random.next()
        case .f32:
            if choice < 6 { return random.pick(f32) ?? 0 }
            return choice < 9 ? UInt64(Float(random.below(2_000) - 1_000).bitPattern) : random.next() & 0xFFFF_FFFF
        case .f64:
            if choice < 6 { return random.pick(f64) ?? 0 }
            return choice < 9 ? (Double(random.below(2_000) - 1_000) / 8).bitPattern : random.next()
        case .funcref: return 0
        }
    }

    /// Offsets of loads and stores in a memory of `bytes` bytes, mostly small.
    static func offset(memory bytes: Int, _ random: inout FuzzRandom) -> UInt64 {
        switch random.below(40) {
        case 0: return random.pick([0xFFFF_FFFF, 0xFFFF_FFF8, 0x8000_0000, 0x7FFF_FFFF, 0xFFFF_0000]) ?? 0
        case 1, 2: return UInt64(max(0, bytes - random.below(20)))
        case 3...20: return UInt64(random.below(64))
        case 21...24: return UInt64(random.below(5_000))
        default: return 0
        }
    }
}
