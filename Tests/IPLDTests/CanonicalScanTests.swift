import Crypto
import Primitives
import Testing

@testable import IPLD

private func end(of bytes: [UInt8], at start: Int) -> Int? { CanonicalScan.item(bytes.span, start) }
private func link(_ bytes: [UInt8]) -> Int? { CanonicalScan.link(bytes.span, 0) }
private func dagCborLink(_ bytes: [UInt8]) -> Int? { CanonicalScan.dagCborLink(bytes.span, 0) }
private func cid(_ bytes: [UInt8]) -> Cid { CanonicalScan.cid(bytes.span, 0) }

@Suite struct CanonicalScanTests {
    /// What blocks of chain state consist of.
    private static let items: [CborValue] = [
        .unsigned(0), .unsigned(23), .unsigned(24), .unsigned(65_536), .unsigned(.max), .negative(300), .null,
        .bytes([]), .bytes([UInt8](repeating: 7, count: 300)),
        .link(Cid.blake2b256(codec: Cid.dagCbor, data: [1])), .link(Cid.blake2b256(codec: Cid.raw, data: [2])),
        .array([]), .array([.array([.unsigned(1), .link(Cid.blake2b256(codec: Cid.cbor, data: [3]))]), .bytes([9])]),
    ]

    @Test func usualItemsAreFoundWhole() {
        for item in Self.items {
            let bytes = item.encoded
            #expect(end(of: ([0xff] + bytes + [0xff]), at: 1) == bytes.count + 1, "\(item)")
        }
    }

    @Test func nothingIsTakenThatTheStrictReaderRefuses() throws {
        var random = SystemRandomNumberGenerator()
        var taken = 0
        for round in 0..<20_000 {
            var bytes = CborValue.array(Self.items).encoded
            let offset = round % bytes.count
            bytes[offset] = UInt8.random(in: 0...255, using: &random)
            if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            guard let found = end(of: bytes, at: 0) else { continue }
            taken += 1
            var reader = CborReader(bytes, mode: .strict)
            let place: Comment = "byte \(offset) of \(bytes)"
            #expect(throws: Never.self, place) { try reader.skip() }
            #expect(reader.position == found, place)
        }
        #expect(taken > 1000)
    }

    @Test func linksAreReadAsCids() throws {
        for codec in [Cid.dagCbor, Cid.raw, Cid.cbor, 0, 0x7f] {
            let expected = Cid.blake2b256(codec: codec, data: [UInt8(codec)])
            let bytes = CborValue.link(expected).encoded
            #expect(link(bytes) == bytes.count)
            #expect(cid(bytes) == expected)
            #expect((dagCborLink(bytes) != nil) == (codec == Cid.dagCbor))
            #expect(link(Array(bytes.dropLast())) == nil)
        }
        // A codec of two bytes and a digest of another function are the reader's.
        for cid in [
            Cid.blake2b256(codec: Cid.sealedCommitment, data: []),
            try Cid(codec: Cid.dagCbor, hashCode: Cid.sha2256, digest: [UInt8](repeating: 1, count: 32)),
        ] {
            #expect(link(CborValue.link(cid).encoded) == nil)
        }
    }

    /// Any other byte in the head makes it something else, except for the codec, which takes one byte below 0x80.
    @Test func everyByteOfALinksHeadCounts() {
        let usual = CborValue.link(Cid.blake2b256(codec: Cid.dagCbor, data: [1])).encoded
        for index in 0..<11 {
            for byte in UInt8.min...UInt8.max where byte != usual[index] {
                var changed = usual
                changed[index] = byte
                let isLink = index == 6 && byte < 0x80
                #expect(link(changed) == (isLink ? usual.count : nil), "byte \(index) is \(byte)")
                #expect(dagCborLink(changed) == nil)
            }
        }
    }

    @Test func falseCountsAndDeepNestingEnd() {
        #expect(end(of: [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], at: 0) == nil)
        #expect(end(of: [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], at: 0) == nil)
        #expect(end(of: [UInt8](repeating: 0x81, count: 100_000), at: 0) == nil)
    }
}
