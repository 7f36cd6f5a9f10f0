import Testing

@testable import WasmFormat

@Suite struct ReaderTests {
    private func u32(_ bytes: [UInt8]) -> UInt32? {
        var reader = Reader(bytes.span)
        return try? reader.u32()
    }

    private func signed(_ bits: Int, _ bytes: [UInt8]) -> Int64? {
        var reader = Reader(bytes.span)
        return try? reader.signed(bits: bits)
    }

    @Test func unsignedTakesPaddingUpToFiveBytes() {
        #expect(u32([0x00]) == 0)
        #expect(u32([0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) == .max)
        #expect(u32([0x80, 0x80, 0x80, 0x80, 0x00]) == 0)
        #expect(u32([0x80, 0x80, 0x80, 0x80, 0x80, 0x00]) == nil)
    }

    @Test func unsignedRefusesUnusedBitsAndTruncation() {
        #expect(u32([0xFF, 0xFF, 0xFF, 0xFF, 0x1F]) == nil)
        #expect(u32([0xFF, 0xFF, 0xFF, 0xFF, 0x7F]) == nil)
        #expect(u32([0xFF]) == nil)
        #expect(u32([]) == nil)
    }

    @Test func signedExtendsTheSign() {
        #expect(signed(32, [0x7F]) == -1)
        #expect(signed(32, [0x40]) == -64)
        #expect(signed(32, [0x80, 0x80, 0x80, 0x80, 0x78]) == Int64(Int32.min))
        #expect(signed(32, [0xFF, 0xFF, 0xFF, 0xFF, 0x07]) == Int64(Int32.max))
        #expect(signed(64, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F]) == .min)
        #expect(signed(33, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) == 0xFFFF_FFFF)
    }

    @Test func signedRefusesUnusedBitsThatAreNotTheSign() {
        #expect(signed(32, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) == nil)
        #expect(signed(32, [0x80, 0x80, 0x80, 0x80, 0x70]) == nil)
        #expect(signed(32, [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]) == nil)
        #expect(signed(64, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]) == nil)
        #expect(signed(64, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]) == nil)
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xE2, 0x82], [0xFF],
            [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func namesThatAreNotUTF8AreRefused(bytes: [UInt8]) {
        #expect(!Name.isValid(bytes))
    }

    @Test func namesMayHoldAnyScalar() {
        #expect(Name.isValid([]))
        #expect(Name.isValid([0x00]))
        #expect(Name.isValid([0xF4, 0x8F, 0xBF, 0xBF]))
        #expect(Name.isValid([0xEF, 0xBB, 0xBF]))
    }

    @Test func namesAreComparedByteByByte() {
        let composed = Name(bytes: [0xC3, 0xA9])
        let decomposed = Name(bytes: [0x65, 0xCC, 0x81])
        #expect(composed != decomposed)
        #expect(composed.text == decomposed.text)
    }

    @Test func quotedNamesHideControlCharactersAndEnd() {
        #expect(Name(bytes: [0x1B, 0x5B, 0x41]).quoted == "\"\\u{1B}[A\"")
        #expect(Name(bytes: Array(repeating: 0x61, count: 90)).quoted.count == 67)
    }
}
