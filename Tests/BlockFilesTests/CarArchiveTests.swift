import Crypto
import Foundation
import IPLD
import Primitives
import Testing
import Zstandard

@testable import BlockFiles

/// A directory that is gone with the test.
final class Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/smelt-blocks-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], _ name: String = "a.car") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))) }

    var cache: String { path + "/cache" }
}

/// Blocks of many sizes, the last one large.
func blocks(_ count: Int) -> [Car.Block] {
    (0..<count).map { index in
        let size = index == count - 1 ? 300_000 : index % 97 * 11
        let data =
            (0..<size).map { UInt8(truncatingIfNeeded: ($0 &* 31 &+ index) ^ $0 >> 3) } + SlotTable.bytes(UInt64(index))
        return Car.Block(cid: .blake2b256(codec: index % 2 == 0 ? Cid.dagCbor : Cid.raw, data: data), data: data)
    }
}

private func version2(_ car: [UInt8]) -> [UInt8] {
    let padding = [UInt8](repeating: 0, count: 13)
    let offset = UInt64(11 + 40 + padding.count)
    return [10, 0xA1, 0x67] + Array("version".utf8) + [2] + [UInt8](repeating: 0, count: 16) + SlotTable.bytes(offset)
        + SlotTable.bytes(UInt64(car.count)) + SlotTable.bytes(offset + UInt64(car.count)) + padding + car
        + [0x81, 0x08, 1, 2, 3]
}

private func skippable(_ content: [UInt8]) -> [UInt8] {
    [0x57, 0x2A, 0x4D, 0x18] + SlotTable.bytes(UInt64(content.count)).prefix(4) + content
}

let missing = Cid.blake2b256(codec: Cid.raw, data: [1, 2, 3, 4, 5])

@Suite struct CarArchiveTests {
    /// Every form, read whole and by its table.
    @Test(arguments: CarArchive.Form.allCases, [0, 1 << 30])
    func everyFormGivesTheSameBlocks(form: CarArchive.Form, memoryLimit: Int) throws {
        let scratch = try Scratch()
        let all = blocks(700)
        let plain = Car(roots: [all[0].cid, all[5].cid], blocks: all).write()
        var path = scratch.path + "/archive"
        switch form {
        case .version2: path = try scratch.write(version2(plain))
        default:
            let writer = try ArchiveWriter(path: path, form: form, roots: [all[0].cid, all[5].cid])
            for block in all { try writer.append(block.cid, block.data) }
            try writer.finish()
        }
        for _ in 0..<2 {
            let archive = try CarArchive(path: path, cache: scratch.cache, memoryLimit: memoryLimit)
            #expect(archive.form == form && archive.roots == [all[0].cid, all[5].cid])
            for block in all.reversed() { #expect(try archive.block(block.cid) == block.data) }
            #expect(try archive.block(missing) == nil && !archive.has(missing) && archive.has(all[9].cid))
            var seen: [Cid] = []
            try archive.forEachSection { section in
                seen.append(section.cid)
                return true
            }
            #expect(seen == all.map(\.cid))
        }
    }

    @Test func plainWritingIsTheArchiveOfCar() throws {
        let scratch = try Scratch()
        let all = blocks(20)
        let writer = try ArchiveWriter(path: scratch.path + "/p", form: .plain, roots: [all[3].cid])
        for block in all { try writer.append(block.cid, block.data) }
        try writer.finish()
        #expect(try scratch.read("p") == Car(roots: [all[3].cid], blocks: all).write())
    }

    @Test func aFileThatIsNotFinishedIsNotThere() throws {
        let scratch = try Scratch()
        do {
            let writer = try ArchiveWriter(path: scratch.path + "/p", form: .forest, roots: [missing])
            try writer.append(missing, [1, 2, 3, 4, 5])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test func skippableFramesMayStandAnywhere() throws {
        let scratch = try Scratch()
        let all = blocks(50)
        let plain = Car(roots: [all[0].cid], blocks: all).write()
        let halves = [try Zstandard.compress(Array(plain.prefix(900))), try Zstandard.compress(Array(plain[900...]))]
        for (index, bytes) in [
            skippable([1, 2]) + halves[0] + halves[1], halves[0] + skippable([]) + halves[1],
            halves[0] + halves[1] + skippable([7]),
        ].enumerated() {
            let path = try scratch.write(bytes, "\(index)")
            for limit in [0, 1 << 30] {
                let archive = try CarArchive(path: path, cache: scratch.cache, memoryLimit: limit)
                #expect(try archive.block(all[49].cid) == all[49].data)
            }
        }
    }

    @Test(arguments: [0, 1 << 30]) func aDamagedBlockIsNamedWhenItIsRead(memoryLimit: Int) throws {
        let scratch = try Scratch()
        let all = blocks(30)
        var bytes = Car(roots: [all[0].cid], blocks: all).write()
        let at = bytes.count - 10
        bytes[at] ^= 1
        let path = try scratch.write(bytes)
        let archive = try CarArchive(path: path, cache: scratch.cache, memoryLimit: memoryLimit)
        #expect(try archive.block(all[7].cid) == all[7].data)
        #expect(throws: BlockFileError.damaged(path: path, all[29].cid)) { try archive.block(all[29].cid) }
    }

    @Test func aFileThatShrinksIsAnErrorAndNoSignal() throws {
        let scratch = try Scratch()
        let all = blocks(400)
        let path = try scratch.write(Car(roots: [all[0].cid], blocks: all).write())
        let archive = try CarArchive(path: path, cache: scratch.cache, memoryLimit: 0)
        #expect(truncate(path, 5000) == 0)
        let error = #expect(throws: BlockFileError.self) { try archive.block(all[399].cid) }
        guard case .shrunk = error else { throw try #require(error) }
    }

    @Test func aTableOfAnotherFileIsRefused() throws {
        let scratch = try Scratch()
        let one = try scratch.write(Car(roots: [missing], blocks: blocks(40)).write(), "one")
        let two = try scratch.write(Car(roots: [missing], blocks: Array(blocks(80).dropFirst(40))).write(), "two")
        _ = try CarArchive(path: one, cache: scratch.cache, memoryLimit: 0)
        let first = try FileManager.default.contentsOfDirectory(atPath: scratch.cache)[0]
        _ = try CarArchive(path: two, cache: scratch.cache, memoryLimit: 0)
        let second = try #require(
            try FileManager.default.contentsOfDirectory(atPath: scratch.cache).first { $0 != first })
        try FileManager.default.removeItem(atPath: scratch.cache + "/" + second)
        try FileManager.default.copyItem(
            atPath: scratch.cache + "/" + first, toPath: scratch.cache + "/" + second)
        let error = #expect(throws: BlockFileError.self) {
            try CarArchive(path: two, cache: scratch.cache, memoryLimit: 0)
        }
        #expect(try #require(error).description.contains("belongs to another file"))
    }

    @Test func everyByteOfAForestArchiveMayBeWrong() throws {
        let scratch = try Scratch()
        let all = blocks(12)
        let writer = try ArchiveWriter(path: scratch.path + "/f", form: .forest, roots: [all[0].cid])
        for block in all.dropLast() { try writer.append(block.cid, block.data) }
        try writer.finish()
        let sound = try scratch.read("f")
        for index in stride(from: 0, to: sound.count, by: 3) {
            var bytes = sound
            bytes[index] ^= UInt8(1 << (index % 8))
            let path = try scratch.write(bytes, "changed")
            guard let archive = try? CarArchive(path: path, cache: scratch.cache) else { continue }
            for block in all {
                // Another block never comes out.
                if let data = try? archive.block(block.cid) { #expect(data == block.data) }
            }
        }
    }

    @Test func aFileCutAnywhereIsRefusedOrLacksBlocks() throws {
        let scratch = try Scratch()
        let all = Array(blocks(12).dropLast())
        for form in [CarArchive.Form.plain, .zstd, .forest] {
            let writer = try ArchiveWriter(path: scratch.path + "/f", form: form, roots: [all[0].cid])
            for block in all { try writer.append(block.cid, block.data) }
            try writer.finish()
            let sound = try scratch.read("f")
            for length in stride(from: 0, to: sound.count, by: 7) {
                let path = try scratch.write(Array(sound.prefix(length)), "cut")
                guard let archive = try? CarArchive(path: path, cache: scratch.cache) else { continue }
                #expect(all.contains { (try? archive.block($0.cid)) == nil })
            }
        }
    }
}

@Suite struct SlotTableTests {
    @Test func hashesAreForests() throws {
        let cid = try Cid(codec: 0xAD, hashCode: Cid.identity, digest: [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(SlotTable.hash(cid) == 578_437_695_752_307_371)
    }

    /// Entries that crowd one place, equal hashes among them, in memory and through sorted runs.
    @Test(arguments: [1 << 20, 7]) func whatIsAddedIsFound(most: Int) throws {
        let builder = SlotTableBuilder(directory: "/tmp", most: most)
        var expected: [UInt64: [UInt64]] = [:]
        for index in 0..<500 as Range<UInt64> {
            let hash = index % 3 == 0 ? 5 << 60 | index % 7 : index &* 0x9E37_79B9_7F4A_7C15
            expected[hash, default: []].append(index)
            try builder.add(hash, index)
        }
        var bytes: [UInt8] = []
        try builder.write { bytes += $0 }
        #expect(try builder.size() == bytes.count)
        let written = bytes
        let table = try SlotTable(path: "table", size: bytes.count) { Array(written[$0..<$0 + $1]) }
        for (hash, values) in expected { #expect(try table.find(hash).map(\.value).sorted() == values) }
        #expect(try table.find(5 << 60 | 9).isEmpty && table.find(.max).isEmpty && table.find(0).isEmpty)
    }
}

@Suite struct OverlayBlockstoreTests {
    @Test func whatHasNoRoomInMemoryIsInAFile() throws {
        let base = MemoryBlockstore([missing: [9]])
        let store = OverlayBlockstore(base: base, limit: 10_000)
        let all = blocks(300)
        for block in all { try store.put(block.cid, block.data) }
        for block in all { #expect(try store.get(block.cid) == block.data && store.has(block.cid)) }
        #expect(try store.get(missing) == [9] && store.count == 300)
        #expect(store.written == all.map(\.cid).sorted() && base.blocks.count == 1)
    }
}
