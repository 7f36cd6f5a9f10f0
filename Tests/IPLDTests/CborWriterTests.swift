import IPLD
import Primitives
import Testing

private func written(_ body: (inout CborWriter) -> Void) -> String {
    var writer = CborWriter()
    body(&writer)
    return Hex.encode(writer.bytes)
}

@Suite struct CborWriterTests {
    @Test func headsAreShortest() {
        for (value, hex) in [
            (0, "00"), (23, "17"), (24, "1818"), (255, "18ff"), (256, "190100"), (65_535, "19ffff"),
            (65_536, "1a00010000"), (4_294_967_295, "1affffffff"), (4_294_967_296, "1b0000000100000000"),
            (UInt64.max, "1bffffffffffffffff"),
        ] as [(UInt64, String)] {
            #expect(written { $0.unsigned(value) } == hex)
        }
        for (value, hex) in [(-1, "20"), (-24, "37"), (-25, "3818"), (Int64.min, "3b7fffffffffffffff"), (5, "05")]
            as [(Int64, String)]
        {
            #expect(written { $0.int64(value) } == hex)
        }
    }

    @Test func mapEntriesAreSortedByEncodedKey() {
        let entries = ["bb", "a", "c", "aa"].map { CborValue.Entry(key: $0, value: .unsigned(0)) }
        #expect(written { $0.map(entries) } == "a461610061630062616100" + "62626200")
    }

    @Test func linksHaveTheirZeroByte() throws {
        let cid = try Cid(text: "bafy2bzacebc3bt6cedhoyw34drrmjvazhu4oj25er2ebk4u445pzycvq4ta4a")
        #expect(
            written { $0.link(cid) }
                == "d82a5827000171a0e4022045b0cfc220ceec5b7c1c62c4d4193d38e4eba48e8815729ce75f9c0ab0e4c1c0")
    }

    @Test func everyKindReadsBack() throws {
        let value = CborValue.array([
            .null, .bool(true), .bool(false), .unsigned(.max), .negative(.max), .float(1.5), .bytes([1, 2]),
            .text("é"), .map([CborValue.Entry(key: "k", value: .array([]))]), .link(try Cid(text: "bafyqaama")),
        ])
        #expect(try CborValue(value.encoded, mode: .strict) == value)
        var links: [Cid] = []
        value.forEachLink { links.append($0) }
        #expect(links.map(\.text) == ["bafyqaama"])
    }
}
