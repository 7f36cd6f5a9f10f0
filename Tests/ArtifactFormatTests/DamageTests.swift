import Glibc
import Testing

@testable import ArtifactFormat

/// Changed objects with digests made anew: structure alone decides. Changes are aimed at the headers, the dynamic
/// section, symbols, hash table, relocations, the descriptor and its tables, and the section headers; what a change
/// of code or of a data segment's content means cannot be seen from structure.
///
/// Each changed object must be refused, or a walk of what a loader makes of it must find every pointer in its place,
/// every number untouched by loading and nothing both writable and executable: then the change was one of the
/// module's facts (a name, a length within the data, another function of the same text), and another sound object.
///
/// `SMELT_DAMAGE` says how many; `make damage` takes 100,000.
@Suite struct DamageTests {
    /// Parts of the linked file, start and end.
    private static func aims(_ bytes: [UInt8]) throws -> [Range<Int>] {
        let file = try ElfFile(bytes)
        let dynamic = try DynamicSection(file)
        var aims = [0..<64, 64..<64 + 56 * file.segments.count]
        for segment in file.segments where segment.type == Elf.SegmentType.dynamic {
            aims.append(Int(segment.offset)..<Int(segment.offset + segment.fileSize))
        }
        // Everything that loading patches, which is the descriptor and its tables with pointers.
        for load in file.loads where load.flags & Elf.SegmentFlag.write != 0 {
            for _ in 0..<3 { aims.append(Int(load.offset)..<Int(load.offset + load.fileSize)) }
        }
        let start = Int(dynamic.relocations)
        for _ in 0..<3 { aims.append(start..<start + 24 * Int(dynamic.relocationCount)) }
        aims.append(Int(dynamic.symbols)..<Int(dynamic.symbols) + 48)
        let headers = Int(file.sectionHeaderOffset)
        aims.append(headers..<headers + 64 * file.sections.count)
        for section in file.sections where [".hash", ".dynstr", ".rodata"].contains(section.name) {
            aims.append(Int(section.offset)..<Int(section.offset + section.size))
        }
        return aims.filter { $0.count >= 8 }
    }

    private static func change(
        _ bytes: inout [UInt8], _ aims: [Range<Int>], _ words: [UInt64], _ random: inout SplitMix
    ) {
        guard let aim = aims.randomElement(using: &random) else { return }
        let place = aim.lowerBound + Int.random(in: 0...(aim.count - 8) / 8, using: &random) * 8
        let old = (try? bytes.load(at: UInt64(place), "damage", as: UInt64.self)) ?? 0
        func put(_ value: UInt64) { bytes.store(value, at: place) }
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: bytes[place + Int.random(in: 0..<8, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: put(0)
        case 3: put(old &+ ([1, 8, 16, 24, 32, 48, 0x1000].randomElement(using: &random) ?? 1))
        case 4: put(old &- ([1, 8, 16, 24, 32, 48, 0x1000].randomElement(using: &random) ?? 1))
        case 5, 6: put(words.randomElement(using: &random) ?? 0)
        case 7: put([UInt64.max, 1 << 63, 1 << 32, 0xFFFF_FFFF, 1].randomElement(using: &random) ?? 1)
        case 8:
            let other = aim.lowerBound + Int.random(in: 0...(aim.count - 8) / 8, using: &random) * 8
            put((try? bytes.load(at: UInt64(other), "damage", as: UInt64.self)) ?? 0)
            bytes.store(old, at: other)
        default:
            // A half.
            bytes.store(UInt32.random(in: 0...9, using: &random), at: place + 4 * Int.random(in: 0...1, using: &random))
        }
    }

    @Test func changedObjectsAreRefusedOrSound() throws {
        let count = getenv("SMELT_DAMAGE").flatMap { Int(String(cString: $0)) } ?? 4_000
        let original = Sample.linked
        let aims = try Self.aims(original)
        let file = try ElfFile(original)
        let policy = try ElfPolicy(checking: file)
        // Addresses that mean something: of segments, pointers' places and values, and those beside them.
        var words = file.loads.flatMap { [$0.address, $0.address + $0.memorySize, $0.offset, $0.fileSize] }
        for row in policy.relocations { words += [row.place, row.value, row.place + 8, row.value + 8] }
        var walk = try LoadedWalk(original)
        try walk.run()
        var random = SplitMix(state: 0xda_3a9e)
        var refused = 0
        var sound = 0
        var equal = 0
        var failed = 0
        while refused + sound + failed < count {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) { Self.change(&bytes, aims, words, &random) }
            guard bytes != original else {
                equal += 1
                continue
            }
            let sealed: [UInt8]
            do { sealed = try ArtifactFormat.seal(bytes, inputs: Sample.inputs) } catch {
                refused += 1
                continue
            }
            do {
                var walk = try LoadedWalk(sealed)
                try walk.run()
                sound += 1
            } catch {
                failed += 1
                if failed < 10 { Issue.record("object \(refused + sound + failed): \(error)") }
            }
        }
        #expect(failed == 0 && refused > count / 2)
        print("\(refused) refused, \(sound) sound; \(refused + sound) passed, \(failed) failed")
    }

    /// A manifest with another content under a right checksum of its own is refused, whatever field it is.
    @Test func changedManifestsAreRefused() throws {
        let sealed = Sample.sealed
        let (manifest, section) = try ArtifactFormat.manifest(of: ElfFile(sealed))
        let range = Int(section.offset)..<Int(section.offset + section.size)
        var random = SplitMix(state: 0x3a91)
        var changed = 0
        for _ in 0..<2_000 {
            var other = manifest
            switch Int.random(in: 0..<5, using: &random) {
            case 0: other.file = Digest(of: [UInt8.random(in: 0...255, using: &random)])
            case 1: other.segments[Int.random(in: 0..<3, using: &random)].digest = Digest(of: [1])
            case 2: other.segments[Int.random(in: 0..<3, using: &random)].offset ^= 8
            case 3: other.segments[Int.random(in: 0..<3, using: &random)].size ^= 1 << 3
            default: other.inputs.abiMajor ^= 1 << UInt32.random(in: 0..<3, using: &random)
            }
            let encoded = other.encoded
            guard encoded.count == range.count else { continue }
            changed += 1
            var bytes = sealed
            bytes.replaceSubrange(range, with: encoded)
            #expect(throws: ArtifactError.self) { _ = try ArtifactFormat.verify(bytes, expecting: .sound) }
        }
        #expect(changed > 1_000)
    }
}
