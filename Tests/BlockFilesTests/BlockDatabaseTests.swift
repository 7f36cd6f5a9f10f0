import Foundation
import IPLD
import Primitives
import Testing

@testable import BlockFiles

@Suite struct BlockDatabaseTests {
    private let all = blocks(300)
    private var pairs: [(cid: Cid, data: [UInt8])] { all.map { ($0.cid, $0.data) } }

    @Test func whatIsAddedIsThereForTheNextProcess() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/blocks"
        do {
            let database = try BlockDatabase(path: path, creates: true)
            try database.add(pairs, roots: [all[3].cid, all[1].cid])
            #expect(database.roots.isEmpty)
        }
        let database = try BlockDatabase(path: path)
        #expect(database.roots == [all[3].cid, all[1].cid])
        #expect(try database.count == all.count)
        for block in all { #expect(try database.block(block.cid) == block.data) }
        #expect(try database.block(missing) == nil)
        #expect(try database.has(all[0].cid) && !database.has(missing))
    }

    @Test func aDirectoryWithoutADatabaseIsNone() throws {
        let scratch = try Scratch()
        let error = #expect(throws: BlockFileError.self) { try BlockDatabase(path: scratch.path) }
        #expect(error?.isLocal == false && "\(String(describing: error))".contains("no database"))
        #expect(try !FileManager.default.contentsOfDirectory(atPath: scratch.path).contains("data.mdb"))
    }

    @Test func whatIsNoDatabaseIsRefused() throws {
        let scratch = try Scratch()
        _ = try scratch.write([UInt8](repeating: 7, count: 10_000), "data.mdb")
        #expect(throws: BlockFileError.self) { try BlockDatabase(path: scratch.path) }
    }

    @Test func aBlockUnderAWrongNameIsNamed() throws {
        let scratch = try Scratch()
        let database = try BlockDatabase(path: scratch.path + "/blocks", creates: true)
        try database.add([(all[0].cid, all[1].data)])
        #expect(throws: BlockFileError.damaged(path: database.path, all[0].cid)) { try database.block(all[0].cid) }
    }

    @Test func aDatabaseIsAStore() throws {
        let scratch = try Scratch()
        let database = try BlockDatabase(path: scratch.path + "/blocks", creates: true)
        try database.put([(all[0].cid, all[0].data), (all[1].cid, all[1].data)])
        #expect(try database.get(all[1].cid) == all[1].data)
        #expect(try database.count == 2)
    }

    @Test func threadsReadAtOnce() async throws {
        let scratch = try Scratch()
        let database = try BlockDatabase(path: scratch.path + "/blocks", creates: true)
        try database.add(pairs)
        let all = all
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try all.filter { try database.block($0.cid) == $0.data }.count }
            }
            for try await found in group { #expect(found == all.count) }
        }
    }

    /// The archives in front of it and behind it are one store.
    @Test func aDatabaseAndAFileAreOneStore() throws {
        let scratch = try Scratch()
        let car = try scratch.write(Car(roots: [all[0].cid], blocks: Array(all[..<150])).write())
        let database = try BlockDatabase(path: scratch.path + "/blocks", creates: true)
        try database.add(Array(pairs[150...]))
        let store = ArchiveBlockstore([try CarArchive(path: car, cache: scratch.cache), database])
        for block in all { #expect(try store.get(block.cid) == block.data) }
    }
}
