import Testing

@testable import Replay

@Suite struct GzipTests {
    static let data = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    @Test func storedDataComesBack() throws {
        #expect(try Gzip.decompress(gzip(Self.data), limit: 70_000) == Self.data)
        #expect(try Gzip.decompress(gzip([]), limit: 0) == [])
    }

    @Test func outputBeyondTheLimitIsRefused() {
        #expect(throws: GzipError.tooLarge(limit: 69_999)) { try Gzip.decompress(gzip(Self.data), limit: 69_999) }
    }

    @Test(arguments: [0, 1, 9, 10, 15, 1000, 70_010])
    func truncatedDataIsRefused(_ length: Int) {
        #expect(throws: GzipError.self) {
            try Gzip.decompress(Array(gzip(Self.data).prefix(length)), limit: 1 << 20)
        }
    }

    @Test func membersFollowOneAnotherAndZerosTheLast() throws {
        let two = gzip(Array(Self.data.prefix(100))) + gzip(Array(Self.data.dropFirst(100)))
        #expect(try Gzip.decompress(two, limit: 70_000) == Self.data)
        #expect(try Gzip.decompress(two + [0, 0, 0], limit: 70_000) == Self.data)
        #expect(throws: GzipError.tooLarge(limit: 69_999)) { try Gzip.decompress(two, limit: 69_999) }
        #expect(throws: GzipError.self) { try Gzip.decompress(Array(two.dropLast()), limit: 70_000) }
    }

    @Test func wrongChecksumAndBytesAfterTheEndAreRefused() {
        #expect(throws: GzipError.self) { try Gzip.decompress(gzip(Self.data, crc: 1), limit: 1 << 20) }
        #expect(throws: GzipError.self) { try Gzip.decompress(gzip(Self.data) + [1], limit: 1 << 20) }
        #expect(throws: GzipError.self) { try Gzip.decompress([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], limit: 99) }
    }
}
