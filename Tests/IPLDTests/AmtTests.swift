import Crypto
import IPLD
import JSON
import Primitives
import TestSupport
import Testing

private func value(_ number: UInt64) -> [UInt8] { CborValue.unsigned(number).encoded }

private func load(_ hex: String) throws(IPLDError) -> Amt {
    let store = MemoryBlockstore()
    return try Amt(root: try store.putCbor(Hex.decode(hex) ?? []), store: store)
}

@Suite struct AmtTests {
    @Test func emptyArrayHasItsKnownBlock() throws {
        let store = MemoryBlockstore()
        let root = try Amt(store: store, bitWidth: 5).flush()
        #expect(Hex.encode(try store.get(root) ?? []) == "84050000834400000000" + "8080")
    }

    @Test(arguments: [1, 2, 3, 4, 5, 8]) func valuesAreFoundAgainAfterReload(bitWidth: Int) throws {
        let store = MemoryBlockstore()
        let array = Amt(store: store, bitWidth: bitWidth)
        let indexes: [UInt64] = [0, 1, 2, 7, 8, 31, 32, 63, 64, 1000, 65_535, 1 << 32, 1 << 63, .max - 1]
        for index in indexes { try array.set(index, value(index)) }
        let root = try array.flush()
        let reloaded = try Amt(root: root, store: store)
        #expect(reloaded.count == UInt64(indexes.count))
        for index in indexes { #expect(try reloaded.get(index).map(Array.init) == value(index)) }
        for index: UInt64 in [3, 33, 1 << 40, .max] { #expect(try reloaded.get(index) == nil) }
        var seen: [UInt64] = []
        try reloaded.visit { index, _ in seen.append(index) }
        #expect(seen == indexes)
        #expect(try reloaded.flush() == root)
    }

    @Test func indexBeyondTheLastIsRefused() {
        #expect(throws: IPLDError.index(.max)) { try Amt(store: MemoryBlockstore(), bitWidth: 3).set(.max, value(0)) }
    }

    @Test func contentAloneDecidesTheRoot() throws {
        let store = MemoryBlockstore()
        let direct = Amt(store: store, bitWidth: 3)
        let detour = Amt(store: store, bitWidth: 3)
        for index in 0..<100 { try direct.set(UInt64(index), value(UInt64(index))) }
        for index in (0..<5000).reversed() { try detour.set(UInt64(index), value(1)) }
        _ = try detour.flush()
        for index in 100..<5000 { #expect(try detour.delete(UInt64(index))) }
        for index in 0..<100 { try detour.set(UInt64(index), value(UInt64(index))) }
        #expect(detour.count == 100)
        #expect(try detour.flush() == (try direct.flush()))
    }

    @Test func deletingEverythingGivesTheEmptyArray() throws {
        let store = MemoryBlockstore()
        let array = Amt(store: store, bitWidth: 2)
        for index: UInt64 in [5, 900, 1 << 50] { try array.set(index, value(1)) }
        for index: UInt64 in [900, 1 << 50, 5] { #expect(try array.delete(index)) }
        #expect(try !array.delete(5))
        #expect(try !array.delete(.max))
        #expect(array.count == 0)
        #expect(try array.flush() == (try Amt(store: store, bitWidth: 2).flush()))
    }

    @Test func missingNodesAreErrorsOnlyWhenTouched() throws {
        let store = MemoryBlockstore()
        let array = Amt(store: store, bitWidth: 3)
        for index in 0..<1000 { try array.set(UInt64(index), value(1)) }
        let root = try array.flush()
        let partial = MemoryBlockstore([root: try #require(try store.get(root))])
        let tree = try Amt(root: root, store: partial)
        #expect(throws: IPLDError.self) { try tree.get(1) }
        #expect(throws: IPLDError.self) { try tree.set(1, value(2)) }
        #expect(throws: IPLDError.self) { try tree.delete(1) }
        #expect(try tree.get(1 << 40) == nil)
        try tree.set(1 << 40, value(5))
        try array.set(1 << 40, value(5))
        #expect(try tree.flush() == (try array.flush()))
    }

    @Test(
        arguments: [
            ("", "empty block"), ("8305008344000000008080", "three elements"), ("840000008341008080", "width 0"),
            ("84181100008341008080", "width 17"), ("841bffffffffffffffff00008341008080", "width beyond 64 bits"),
            ("84030000834200008080", "bitmap too long"), ("8403000083408080", "bitmap empty"),
            ("840300018341018080", "bit without value"), ("84030001834100808101", "value without bit"),
            ("8403000183410181d82a4600017100018080", "leaf with links"),
            ("84030101834101808101", "inner node with values"),
            ("8403010183410181d82a460001710001808101", "links and values"),
            ("8403010183410181d82a4600015500018080", "link is not cbor"),
            ("8403183f008341008080", "height"), ("840300008341008080ff", "trailing byte"),
            ("84030000834100809bffffffffffffffff", "count of values lies"), ("840200008341808080", "bit beyond width"),
        ] as [(String, Comment)])
    func malformedRootsAreRefused(hex: String, why: Comment) {
        #expect(throws: IPLDError.self, why) { try load(hex) }
    }

    @Test func emptyInnerRootReadsAsAnEmptyArray() throws {
        let tree = try load("84030100834100" + "8080")
        #expect(try tree.get(3) == nil)
        try tree.set(3, value(1))
        #expect(tree.count == 1)
    }

    @Test func highestHeightDoesNotOverflow() throws {
        let tree = try load("84031500834100" + "8080")
        #expect(try tree.get(.max - 1) == nil)
        try tree.set(.max - 1, value(1))
        #expect(try tree.get(.max - 1).map(Array.init) == value(1))
    }

    @Test func eventRootsHaveTheirFixtures() throws {
        guard let file = sharedBytes("fvm/selfcheck/events_amt.json") else { return }
        let fixture = try JSON.parse(file)
        func event(_ index: Int) -> [UInt8] {
            let byte = UInt8(index & 255)
            func entry(_ key: String, _ value: [UInt8]) -> CborValue {
                .array([.unsigned(3), .text(key), .unsigned(Cid.raw), .bytes(value)])
            }
            let entries = CborValue.array([
                entry("t1", Sha2.hash256([byte])), entry("d", [UInt8](repeating: byte, count: index % 5)),
            ])
            return CborValue.array([.unsigned(UInt64(1000 + index)), entries]).encoded
        }
        #expect(Hex.encode(event(0)) == fixture["event0_cbor"]?.string)
        #expect(Hex.encode(event(1)) == fixture["event1_cbor"]?.string)
        let rows = try fixture.list("roots")
        #expect(rows.count == 6)
        for row in rows {
            let store = MemoryBlockstore()
            let array = Amt(store: store, bitWidth: 5)
            let count: Int = try #require(row["count"]?.integer())
            for index in 0..<count { try array.set(UInt64(index), event(index)) }
            let root = try array.flush()
            #expect(root.text == row["events_root"]?.string)
            if let hex = row["root_hex"]?.string { #expect(Hex.encode(try store.get(root) ?? []) == hex) }
        }
    }
}
