import IPLD
import Primitives
import Testing

private func reader(_ hex: String, _ mode: CborReader.Mode = .reference) -> CborReader {
    CborReader(Hex.decode(hex) ?? [], mode: mode)
}

private let link = "d82a46000171000180"

@Suite struct CborReaderTests {
    @Test func numbersOfEveryWidthRead() throws {
        for (hex, value) in [
            ("00", 0), ("17", 23), ("1818", 24), ("18ff", 255), ("190100", 256), ("1a00010000", 65_536),
            ("1b0000000100000000", 4_294_967_296), ("1bffffffffffffffff", UInt64.max),
        ] as [(String, UInt64)] {
            for mode in [CborReader.Mode.reference, .dynamic, .strict] {
                var reader = reader(hex, mode)
                #expect(try reader.unsigned(UInt64.self) == value)
                try reader.finish()
            }
        }
    }

    @Test func headsLongerThanNeededAreReadByTheReferenceOnly() throws {
        for hex in ["1800", "190017", "1a000000ff", "1b00000000ffffffff", "1b0000000000000001"] {
            var lenient = reader(hex)
            _ = try lenient.unsigned(UInt64.self)
            var strict = reader(hex, .strict)
            #expect(throws: CborError(.notMinimal, at: 0)) { try strict.unsigned(UInt64.self) }
        }
    }

    @Test func narrowTargetsRefuseWiderHeads() throws {
        var fits = reader("1a00000001")
        #expect(try fits.unsigned(UInt32.self) == 1)
        var wide = reader("1b0000000000000001")
        #expect(throws: CborError(.tooWide(bits: 32), at: 0)) { try wide.unsigned(UInt32.self) }
        var byte = reader("190001")
        #expect(throws: CborError(.tooWide(bits: 8), at: 0)) { try byte.unsigned(UInt8.self) }
        var large = reader("190100")
        #expect(throws: CborError(.tooWide(bits: 8), at: 0)) { try large.unsigned(UInt8.self) }
    }

    @Test func signedNumbersStopAt64Bits() throws {
        for (hex, value) in [
            ("20", -1), ("3863", -100), ("3b7fffffffffffffff", Int64.min), ("1b7fffffffffffffff", Int64.max),
        ] as [(String, Int64)] {
            var reader = reader(hex)
            #expect(try reader.int64() == value)
        }
        for hex in ["3b8000000000000000", "1b8000000000000000", "3bffffffffffffffff"] {
            var reader = reader(hex)
            #expect(throws: CborError(.outOfRange, at: 0)) { try reader.int64() }
        }
    }

    @Test func wrongMajorTypesPassWhereTheReferenceMasksThem() throws {
        // Byte strings: major 0 too. Text: 0, 1, 2. Arrays: 0. Maps: 0, 1, 4. Tags: 0, 2, 4.
        let accepted: [(UInt8, (inout CborReader) throws -> Void)] = [
            (2, { _ = try $0.byteString() }), (3, { _ = try $0.text() }), (4, { _ = try $0.array() }),
            (5, { _ = try $0.map() }), (0, { _ = try $0.unsigned(UInt64.self) }),
        ]
        let masks: [UInt8: Set<UInt8>] = [2: [0, 2], 3: [0, 1, 2, 3], 4: [0, 4], 5: [0, 1, 4, 5], 0: [0]]
        for (expected, read) in accepted {
            for major: UInt8 in 0...7 {
                for mode in [CborReader.Mode.reference, .dynamic, .strict] {
                    var reader = CborReader([major << 5], mode: mode)
                    let passes = (try? read(&reader)) != nil
                    let allowed = mode == .reference ? masks[expected]?.contains(major) : expected == major
                    #expect(passes == allowed, "major \(major) for \(expected), \(mode)")
                }
            }
        }
    }

    @Test func tagHeadsOfOtherMajorTypesPassInTypedPositions() throws {
        for head in ["182a", "582a", "982a", "d82a", "da0000002a"] {
            var reader = reader(head + "46000171000180")
            #expect(try reader.link().codec == Cid.dagCbor)
        }
        for head in ["382a", "782a", "b82a", "d82b", "f82a"] {
            var reader = reader(head + "46000171000180")
            #expect(throws: CborError.self) { try reader.link() }
        }
    }

    @Test func stringsInPartsReadInTypedPositions() throws {
        var bytes = reader("5f4101420203ff")
        #expect(try bytes.byteString() == [1, 2, 3])
        try bytes.finish()
        var text = reader("7f61616162ff")
        #expect(try text.text() == "ab")
        var empty = reader("5fff")
        #expect(try empty.byteString() == [])
        for hex in ["5f6161ff", "5f7f6161ffff", "5f4101", "5f5f4101ff", "5f", "5f41", "9fff"] {
            var reader = reader(hex)
            #expect(throws: CborError.self) { try reader.byteString() }
        }
        var nested = reader("5f5f4101420203ff5fff0104ff")
        #expect(try nested.byteString() == [1, 2, 3, 4])
        try nested.finish()
        for (mode, hex) in [(CborReader.Mode.dynamic, "5f4101ff"), (.dynamic, "5f5f4101ffff")] {
            var reader = reader(hex, mode)
            #expect(throws: CborError(.indefinite, at: 0)) { try reader.byteString() }
        }
        var strict = reader("5f4101ff", .strict)
        #expect(throws: CborError(.indefinite, at: 0)) { try strict.byteString() }
    }

    @Test func partsOfStringsNestTo256LevelsWithTheArraysAround() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "5f", count: depth) + "4101" + String(repeating: "ff", count: depth)
        }
        var deepest = reader(nested(256))
        #expect(try deepest.byteString() == [1])
        var deeper = reader(nested(257))
        #expect(throws: CborError(.tooDeep, at: 257)) { try deeper.byteString() }
        for (depth, passes) in [(255, true), (256, false)] {
            var listed = reader("81" + nested(depth))
            #expect(try listed.enterList() == 1)
            #expect(((try? listed.byteString()) != nil) == passes)
        }
        var left = reader("81018101" + nested(256))
        for _ in 0..<2 {
            try left.enter(1)
            #expect(try left.unsigned(UInt8.self) == 1)
            left.leave()
        }
        #expect(try left.byteString() == [1])
    }

    @Test func theStringOfALinkHasItsOwnMajorTypeInAllModes() throws {
        // Head of major type 0 where 6 bytes are expected.
        var unsigned = reader("d82a06000171000180")
        #expect(throws: CborError.self) { try unsigned.link() }
        let parts = "d82a5f420001" + "4471000180ff"
        for mode in [CborReader.Mode.reference, .dynamic] {
            var reader = reader(parts, mode)
            #expect(try reader.link().codec == Cid.dagCbor)
        }
        var strict = reader(parts, .strict)
        #expect(throws: CborError.self) { try strict.link() }
    }

    @Test func indefiniteArraysAndMapsAreRefused() {
        for hex in ["9fff", "9f01ff"] {
            var reader = reader(hex)
            #expect(throws: CborError(.indefinite, at: 0)) { try reader.array() }
            #expect(throws: CborError.self) { try CborValue(Hex.decode(hex) ?? []) }
        }
        var map = reader("bfff")
        #expect(throws: CborError(.indefinite, at: 0)) { try map.map() }
    }

    @Test func tuplesHaveTheirExactLength() throws {
        var two = reader("820102")
        try two.tuple(2)
        for hex in ["8101", "83010203", "80", "9bffffffffffffffff"] {
            var reader = reader(hex)
            #expect(throws: CborError.self) { try reader.tuple(2) }
        }
    }

    @Test func linksIgnoreWhatFollowsTheCidUnlessStrict() throws {
        var lenient = reader("d82a4800017100018001ff")
        #expect(try lenient.link().text == "bafyqaama")
        var strict = reader("d82a4800017100018001ff", .strict)
        #expect(throws: CborError.self) { try strict.link() }
        for hex in ["d82a40", "d82a4100", "d82a420001", "d82a46010171000180", "d82a6600017100", "d82a", "d8", "d82a01"]
        {
            var reader = reader(hex)
            #expect(throws: CborError.self) { try reader.link() }
        }
    }

    @Test func lengthsThatLieAreRefusedBeforeAnythingIsAllocated() {
        for hex in [
            "5bffffffffffffffff", "5b7fffffffffffffff", "7bffffffffffffffff", "9b7fffffffffffffff", "9a7fffffff",
            "bbffffffffffffffff", "5affffffff00", "44010203", "8201", "a16161", "64616263",
        ] {
            #expect(throws: CborError.self) { try CborValue(Hex.decode(hex) ?? []) }
            var reader = reader(hex)
            #expect(throws: CborError.self) { try reader.skip() }
        }
    }

    @Test func nestingStopsAt256() throws {
        func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x81, count: depth) + [0] }
        _ = try CborValue(nested(255))
        #expect(throws: CborError(.tooDeep, at: 256)) { try CborValue(nested(256)) }
        #expect(throws: CborError.self) { try CborValue([UInt8](repeating: 0x81, count: 1_000_000)) }
        var reader = CborReader([UInt8](repeating: 0x81, count: 1_000_000))
        #expect(throws: CborError.self) { try reader.skip() }
    }

    @Test func nullAndBooleansHaveOneFormEach() throws {
        var null = reader("f6")
        #expect(try null.null())
        var other = reader("f7")
        #expect(try !other.null())
        #expect(throws: CborError.self) { try CborValue([0xf7]) }
        #expect(throws: CborError.self) { try CborValue([0xf8, 20]) }
        var truth = reader("f5")
        #expect(try truth.bool())
        var number = reader("01")
        #expect(throws: CborError.self) { try number.bool() }
    }

    @Test func textHasToBeUTF8() {
        for hex in ["61ff", "62c080", "63eda080"] {
            var reader = reader(hex)
            #expect(throws: CborError(.notUTF8, at: 0)) { try reader.text() }
        }
    }

    @Test func otherTagsAndTrailingBytesAreRefused() {
        #expect(throws: CborError.self) { try CborValue(Hex.decode("c100") ?? []) }
        #expect(throws: CborError(.trailingBytes(1), at: 1)) { try CborValue([0, 0]) }
    }

    @Test func everyTruncationOfAValueIsRefused() throws {
        let hex = "8601" + link + "a2616101626262820203" + "43010203" + "6161" + "fb3ff0000000000000"
        let bytes = Hex.decode(hex) ?? []
        let value = try CborValue(bytes, mode: .strict)
        #expect(value.encoded == bytes)
        for length in 0..<bytes.count {
            #expect(throws: CborError.self) { try CborValue(Array(bytes.prefix(length))) }
        }
    }

    @Test func canonicalItemKeepsCanonicalBytesAndRewritesOthers() throws {
        var canonical = reader("8201" + link + "00")
        #expect(Hex.encode(Array(try canonical.canonicalItem())) == "8201" + link)
        #expect(try canonical.unsigned(UInt8.self) == 0)
        var lenient = reader("82190001a2626262f6616102")
        #expect(Hex.encode(Array(try lenient.canonicalItem())) == "8201a2616102626262f6")
        #expect(lenient.isAtEnd)
    }

    @Test func randomBytesNeverTrap() {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<(round % 40) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 56))
            }
            if let value = try? CborValue(bytes) { #expect((try? CborValue(value.encoded)) != nil) }
            _ = try? LinkScan.links(bytes)
            _ = try? Car.read(bytes)
            _ = try? ActorManifest(data: bytes)
        }
    }
}
