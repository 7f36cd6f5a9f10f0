import Primitives
import Testing

private func read(_ bytes: [UInt8]) throws(VarintError) -> UInt64 {
    var offset = 0
    return try Varint.read(bytes.span, at: &offset)
}

@Suite struct VarintTests {
    @Test(
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7f]), (128, [0x80, 1]), (300, [0xac, 2]), (16_383, [0xff, 0x7f]),
            (16_384, [0x80, 0x80, 1]), (0xb220, [0xa0, 0xe4, 2]),
            (.max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] as [(UInt64, [UInt8])])
    func encodingIsMinimalAndReadsBack(value: UInt64, bytes: [UInt8]) throws {
        #expect(Varint.encode(value) == bytes)
        #expect(try read(bytes) == value)
    }

    @Test func everyLengthReadsBackAtItsEdges() throws {
        for bits in 0..<64 {
            for value in [UInt64(1) << UInt64(bits), (UInt64(1) << UInt64(bits)) - 1] {
                #expect(try read(Varint.encode(value)) == value)
            }
        }
    }

    @Test func tenthByteLosesBitsBeyond64() throws {
        let ones = [UInt8](repeating: 0xff, count: 9)
        #expect(try read(ones + [3]) == .max)
        #expect(try read(ones + [0x7e]) == UInt64.max >> 1)
    }

    @Test func tenthByteWithContinuationIsRefused() {
        let ones = [UInt8](repeating: 0xff, count: 10)
        #expect(throws: VarintError.tooLong) { try read(ones) }
        #expect(throws: VarintError.tooLong) { try read(ones + [1]) }
    }

    @Test func finalZeroByteIsRefused() {
        #expect(throws: VarintError.notMinimal) { try read([0x80, 0]) }
        #expect(throws: VarintError.notMinimal) { try read([0xff, 0x80, 0]) }
    }

    @Test func missingBytesAreRefusedAndOffsetStays() {
        for bytes in [[], [0x80], [0xff, 0xff]] as [[UInt8]] {
            var offset = 0
            #expect(throws: VarintError.truncated) { try Varint.read(bytes.span, at: &offset) }
            #expect(offset == 0)
        }
    }

    @Test func offsetOutsideTheBytesIsTruncatedNotATrap() {
        for start in [-1, 1, 2, Int.max] {
            #expect(throws: VarintError.truncated) {
                var offset = start
                _ = try Varint.read([UInt8(1)].span, at: &offset)
            }
        }
    }

    @Test func offsetMovesBehindTheNumber() throws {
        var offset = 1
        #expect(try Varint.read([9, 0x80, 1, 7].span, at: &offset) == 128)
        #expect(offset == 3)
    }
}
