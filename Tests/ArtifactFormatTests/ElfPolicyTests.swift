import TestSupport
import Testing

@testable import ArtifactFormat

/// Bad objects made from a good one by changing a few bytes; each must be refused by the rule it breaks.
@Suite struct ElfPolicyTests {
    struct BadObject: Sendable, CustomTestStringConvertible {
        var name: String
        var rule: ArtifactError.Rule
        var change: @Sendable (inout Patch) -> Void
        var testDescription: String { name }

        init(_ name: String, _ rule: ArtifactError.Rule, _ change: @escaping @Sendable (inout Patch) -> Void) {
            self.name = name
            self.rule = rule
            self.change = change
        }
    }

    /// Access to the fields of a good object. Program headers: 0 table, 1 read, 2 code, 3 data, 4 dynamic, 5 relro,
    /// 6 stack.
    struct Patch {
        var bytes = Sample.linked

        func header(_ index: Int) -> Int { 64 + 56 * index }
        func value(_ offset: Int) -> UInt64 { (try? bytes.load(at: UInt64(offset), "test", as: UInt64.self)) ?? 0 }
        mutating func segment(_ index: Int, type: UInt32) { bytes.store(type, at: header(index)) }
        mutating func segment(_ index: Int, flags: UInt32) { bytes.store(flags, at: header(index) + 4) }
        mutating func segment(_ index: Int, _ field: Int, _ value: UInt64) {
            bytes.store(value, at: header(index) + field)
        }
        mutating func add(_ index: Int, _ field: Int, _ delta: UInt64) {
            segment(index, field, value(header(index) + field) &+ delta)
        }

        static let offset = 8, address = 16, fileSize = 32, memorySize = 40, alignment = 48

        var dynamic: Int { Int(value(header(4) + Patch.offset)) }
        var dynamicCount: Int { Int(value(header(4) + Patch.fileSize)) / 16 }
        func entry(_ tag: UInt64) -> Int {
            (0..<dynamicCount).map { dynamic + 16 * $0 }.first { value($0) == tag } ?? dynamic
        }
        /// Tables whose address is their file offset: they lie in the first segment.
        func table(_ tag: UInt64) -> Int { Int(value(entry(tag) + 8)) }
        mutating func tag(_ tag: UInt64, becomes other: UInt64) { bytes.store(other, at: entry(tag)) }
        mutating func tag(_ tag: UInt64, value: UInt64) { bytes.store(value, at: entry(tag) + 8) }
        var sections: Int { Int(value(40)) }
        func section(_ index: Int) -> Int { sections + 64 * index }
    }

    static let bad: [BadObject] = [
        // The ELF header.
        .init("empty", .truncated) { $0.bytes = [] },
        .init("shorterThanItsHeader", .truncated) { $0.bytes.removeLast($0.bytes.count - 63) },
        .init("noMagicNumber", .header) { $0.bytes[0] = 0x7e },
        .init("thirtyTwoBits", .header) { $0.bytes[4] = 1 },
        .init("bigEndian", .header) { $0.bytes[5] = 2 },
        .init("elfVersionTwo", .header) { $0.bytes[6] = 2 },
        .init("gnuSystemABI", .header) { $0.bytes[7] = 3 },
        .init("paddingUsed", .header) { $0.bytes[12] = 1 },
        .init("executable", .header) { $0.bytes[16] = 2 },
        .init("relocatable", .header) { $0.bytes[16] = 1 },
        .init("otherMachine", .header) { $0.bytes[18] = 183 },
        .init("hasEntryPoint", .header) { $0.bytes.store(UInt64(0x1000), at: 24) },
        .init("hasFlags", .header) { $0.bytes[48] = 1 },
        .init("otherProgramHeaderSize", .header) { $0.bytes[54] = 57 },
        .init("otherSectionHeaderSize", .header) { $0.bytes[58] = 65 },
        .init("programHeadersElsewhere", .programHeaders) { $0.bytes.store(UInt64(72), at: 32) },
        .init("noProgramHeaders", .programHeaders) { $0.bytes.store(UInt16(0), at: 56) },
        .init("tooManyProgramHeaders", .programHeaders) { $0.bytes.store(UInt16(0xffff), at: 56) },
        .init("noSectionHeaders", .sectionHeaders) { $0.bytes.store(UInt16(0), at: 60) },
        .init("sectionHeadersBeyondTheEnd", .truncated) { $0.bytes.store(UInt64.max - 63, at: 40) },
        .init("sectionNamesBeyondTheSections", .sectionHeaders) { $0.bytes.store(UInt16(200), at: 62) },
        .init("sectionNamesInNoStringTable", .sectionHeaders) { $0.bytes.store(UInt16(1), at: 62) },
        // Program headers.
        .init("interpreter", .programHeaders) { $0.segment(0, type: 3) },
        .init("threadLocalStorage", .programHeaders) { $0.segment(0, type: 7) },
        .init("note", .programHeaders) { $0.segment(0, type: 4) },
        .init("gnuProperty", .programHeaders) { $0.segment(0, type: 0x6474_e553) },
        .init("unknownSegment", .programHeaders) { $0.segment(0, type: 0x1234) },
        .init("noDynamicSection", .programHeaders) { $0.segment(4, type: 6) },
        .init("twoDynamicSections", .programHeaders) { $0.segment(0, type: 2) },
        .init("noRelro", .programHeaders) { $0.segment(5, type: 6) },
        .init("noStackHeader", .programHeaders) { $0.segment(6, type: 6) },
        .init("executableStack", .segmentPermissions) { $0.segment(6, flags: 7) },
        .init("writableCode", .segmentPermissions) { $0.segment(2, flags: 7) },
        .init("executableData", .segmentPermissions) { $0.segment(3, flags: 7) },
        .init("unreadableCode", .segmentPermissions) { $0.segment(2, flags: 1) },
        .init("unknownPermission", .segmentPermissions) { $0.segment(1, flags: 0x14) },
        .init("writableHeaders", .segmentPermissions) { $0.segment(1, flags: 6) },
        .init("writableAfterRelocation", .segmentPermissions) {
            $0.segment(5, Patch.memorySize, $0.value($0.header(5) + Patch.fileSize))
        },
        .init("alignedToBytes", .segmentAlignment) { $0.segment(2, Patch.alignment, 1) },
        .init("alignedToNothing", .segmentAlignment) { $0.segment(2, Patch.alignment, 0) },
        .init("addressAndOffsetDisagree", .segmentAlignment) { $0.add(2, Patch.address, 8) },
        .init("segmentBeyondTheEnd", .truncated) { $0.segment(3, Patch.fileSize, 1 << 40) },
        .init("segmentOffsetWraps", .truncated) { $0.segment(3, Patch.offset, UInt64.max - 0xfff) },
        .init("moreInTheFileThanInMemory", .segmentBounds) { $0.segment(2, Patch.memorySize, 1) },
        .init("hugeMemory", .segmentBounds) { $0.segment(3, Patch.memorySize, 1 << 40) },
        .init("hugeAddress", .segmentBounds) { $0.segment(3, Patch.address, UInt64.max - 0xfff) },
        .init("zeroFilledCode", .segmentBounds) { $0.add(2, Patch.memorySize, 1) },
        .init("segmentsShareAPage", .segmentOverlap) { $0.segment(2, Patch.address, 0) },
        .init("segmentsShareTheFile", .segmentOverlap) { $0.segment(2, Patch.offset, 0) },
        .init("headersNotLoaded", .segmentBounds) {
            $0.segment(1, Patch.offset, 0)
            $0.segment(1, Patch.fileSize, 64)
            $0.segment(1, Patch.memorySize, 64)
            $0.segment(0, type: Elf.SegmentType.ehFrame)
        },
        .init("dynamicSectionElsewhere", .segmentBounds) { $0.add(4, Patch.offset, 16) },
        .init("relroOutsideOfItsSegment", .segmentBounds) { $0.add(5, Patch.memorySize, 0x10_0000) },
        // The dynamic section.
        .init("neededLibrary", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 1) },
        .init("initFunction", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 12) },
        .init("finiFunction", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 13) },
        .init("libraryName", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 14) },
        .init("initArray", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 25) },
        .init("finiArray", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 26) },
        .init("preinitArray", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 32) },
        .init("textRelocationsTag", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 22) },
        .init("searchPath", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 29) },
        .init("lazyBinding", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 23) },
        .init("auditLibrary", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 0x6fff_fefc) },
        .init("packedRelocations", .dynamicTag) { $0.tag(0x6fff_fff9, becomes: 36) },
        .init("textRelocationsFlag", .dynamicSection) { $0.tag(30, value: 4 | 8) },
        .init("staticThreadLocalFlag", .dynamicSection) { $0.tag(30, value: 0x1a) },
        .init("initFirstFlag", .dynamicSection) { $0.tag(0x6fff_fffb, value: 0x21) },
        .init("tagTwice", .dynamicSection) { $0.tag(0x6fff_fff9, becomes: 5) },
        .init("noEndOfTags", .dynamicSection) {
            let end = $0.header(4) + Patch.fileSize
            $0.bytes.store($0.value(end) - 16, at: end)
        },
        .init("oddDynamicSize", .dynamicSection) {
            let end = $0.header(4) + Patch.fileSize
            $0.bytes.store($0.value(end) - 8, at: end)
        },
        .init("noStringTable", .dynamicSection) { $0.tag(5, becomes: 0x6fff_fffb) },
        .init("stringTableBeyondTheEnd", .dynamicSection) { $0.tag(10, value: 1 << 40) },
        .init("otherSymbolSize", .dynamicSection) { $0.tag(11, value: 16) },
        .init("otherRelocationSize", .dynamicSection) { $0.tag(9, value: 16) },
        .init("notOnlyRelativeRelocations", .dynamicSection) { $0.tag(0x6fff_fff9, value: 1) },
        .init("relocationsBeyondTheEnd", .dynamicSection) {
            $0.tag(8, value: 24 << 32)
            $0.tag(0x6fff_fff9, value: 1 << 32)
        },
        // Symbols.
        .init("threeSymbols", .hashTable) { $0.bytes.store(UInt32(3), at: $0.table(4) + 4) },
        .init("oneSymbol", .hashTable) { $0.bytes.store(UInt32(1), at: $0.table(4) + 4) },
        .init("endlessHashChain", .hashTable) {
            let buckets = Int($0.bytes[$0.table(4)])
            $0.bytes.store(UInt32(1), at: $0.table(4) + 8 + 4 * buckets + 4)
        },
        .init("bucketBeyondTheSymbols", .hashTable) { $0.bytes.store(UInt32(2), at: $0.table(4) + 8) },
        .init("hashTableBeyondTheEnd", .hashTable) { $0.tag(4, value: 1 << 40) },
        .init("symbolsBeyondTheEnd", .symbolTable) { $0.tag(6, value: 1 << 40) },
        .init("firstSymbolNotNull", .symbol) { $0.bytes[$0.table(6) + 8] = 1 },
        .init("otherName", .symbol) { $0.bytes[$0.table(5) + 1] = UInt8(ascii: "x") },
        .init("undefinedSymbol", .symbol) { $0.bytes.store(UInt16(0), at: $0.table(6) + 24 + 6) },
        .init("indirectFunctionSymbol", .symbol) { $0.bytes[$0.table(6) + 24 + 4] = 0x1a },
        .init("functionSymbol", .symbol) { $0.bytes[$0.table(6) + 24 + 4] = 0x12 },
        .init("weakSymbol", .symbol) { $0.bytes[$0.table(6) + 24 + 4] = 0x21 },
        .init("hiddenSymbol", .symbol) { $0.bytes[$0.table(6) + 24 + 5] = 2 },
        .init("symbolBeyondTheEnd", .symbol) { $0.bytes.store(UInt64(1 << 40), at: $0.table(6) + 24 + 8) },
        .init("nameBeyondTheStrings", .truncated) { $0.bytes.store(UInt32(5_000), at: $0.table(6) + 24) },
        .init("nameWithoutEnd", .truncated) { $0.tag(10, value: 5) },
        // Relocations.
        .init("symbolicRelocation", .relocation) { $0.bytes.store(UInt64(1) << 32 | 1, at: $0.table(7) + 8) },
        .init("indirectRelocation", .relocation) { $0.bytes.store(UInt64(37), at: $0.table(7) + 8) },
        .init("jumpSlot", .relocation) { $0.bytes.store(UInt64(7), at: $0.table(7) + 8) },
        .init("copyRelocation", .relocation) { $0.bytes.store(UInt64(5), at: $0.table(7) + 8) },
        .init("relocationOfCode", .relocation) { $0.bytes.store(UInt64(0x1000), at: $0.table(7)) },
        .init("unalignedRelocation", .relocation) { $0.bytes[$0.table(7)] += 1 },
        .init("relocationsOutOfOrder", .relocation) {
            let first = $0.value($0.table(7))
            let second = $0.value($0.table(7) + 24)
            $0.bytes.store(second, at: $0.table(7))
            $0.bytes.store(first, at: $0.table(7) + 24)
        },
        .init("relocationOfTheDynamicSection", .relocation) {
            let count = Int($0.value($0.entry(8) + 8)) / 24
            $0.bytes.store($0.value($0.header(4) + Patch.address), at: $0.table(7) + 24 * (count - 1))
        },
        .init("relocationOutsideOfMemory", .relocation) {
            let count = Int($0.value($0.entry(8) + 8)) / 24
            $0.bytes.store(UInt64(1) << 40, at: $0.table(7) + 24 * (count - 1))
        },
        .init("valueOutsideOfMemory", .relocation) { $0.bytes.store(UInt64(1) << 40, at: $0.table(7) + 16) },
        .init("negativeValue", .relocation) { $0.bytes.store(UInt64.max, at: $0.table(7) + 16) },
        // Sections.
        .init("constructorSection", .sectionKind) { $0.bytes.store(UInt32(14), at: $0.section(1) + 4) },
        .init("destructorSection", .sectionKind) { $0.bytes.store(UInt32(15), at: $0.section(1) + 4) },
        .init("threadLocalSection", .sectionKind) { $0.bytes.store(UInt64(0x402), at: $0.section(1) + 8) },
        .init("loadedSectionInNoSegment", .sectionHeaders) {
            $0.bytes.store(UInt64(1) << 40, at: $0.section(1) + 16)
        },
        .init("loadedSectionElsewhereInTheFile", .sectionHeaders) {
            $0.bytes.store(UInt64(0), at: $0.section(1) + 24)
        },
        .init("sectionBeyondTheEnd", .truncated) { $0.bytes.store(UInt64(1) << 40, at: $0.section(1) + 32) },
        .init("sectionNameBeyondTheNames", .truncated) { $0.bytes.store(UInt32(9_999), at: $0.section(1)) },
    ]

    @Test func everyRuleHasAnObjectThatBreaksIt() {
        // These concern the manifest and what it says; `VerifierTests` breaks them.
        let ofTheManifest: Set<ArtifactError.Rule> = [
            .manifestMissing, .manifestMalformed, .digest, .descriptor, .version, .cpuLevel, .target, .unexpectedKey,
        ]
        #expect(ofTheManifest.union(ElfPolicyTests.bad.map(\.rule)) == Set(ArtifactError.Rule.allCases))
    }

    @Test func theGoodObjectPasses() throws {
        let policy = try ElfPolicy(checking: ElfFile(Sample.linked))
        #expect(policy.relocations.count > 10)
    }

    @Test(arguments: bad) func isRefused(_ object: BadObject) throws {
        var patch = Patch()
        try #require(!patch.bytes.isEmpty)
        object.change(&patch)
        let error = #expect(throws: ArtifactError.self) { _ = try ElfPolicy(checking: ElfFile(patch.bytes)) }
        #expect(error?.rule == object.rule, "\(error?.description ?? "")")
        #expect(error?.reason.isEmpty == false)
    }

    /// What real tools make of sources that break a rule, not only patched bytes.
    @Test(arguments: [
        ("constructor.c", "", ArtifactError.Rule.dynamicTag), ("undefined.c", "-z undefs", .dynamicTag),
        ("writable.c", "", .segmentPermissions), ("thread.c", "", .programHeaders),
        ("module.c", "-z norelro", .programHeaders),
        ("module.c", "--build-id=sha1", .programHeaders), ("module.c", "-soname=x", .dynamicTag),
        ("module.c", "-z pack-relative-relocs", .dynamicTag), ("module.c", "--hash-style=gnu", .dynamicTag),
        ("module.c", "-z execstack", .segmentPermissions), ("module.c", "-rpath=/x", .dynamicTag),
    ])
    func linkedAgainstTheRulesIsRefused(_ source: String, _ flags: String, _ rule: ArtifactError.Rule) throws {
        let bytes = try #require(linkedFixture(linkerFlags: flags, source: source))
        let error = #expect(throws: ArtifactError.self) { _ = try ElfPolicy(checking: ElfFile(bytes)) }
        #expect(error?.rule == rule, "\(error?.description ?? "")")
    }
}
