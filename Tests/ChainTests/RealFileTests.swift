import BlockFiles
import Foundation
import IPLD
import Primitives
import StateTree
import TestSupport
import Testing

@testable import Chain

private func open(_ path: String) throws -> (archive: CarArchive, snapshot: Snapshot) {
    let archive = try CarArchive(path: path, cache: FileManager.default.temporaryDirectory.path + "/smelt-chain-tests")
    return (archive, try Snapshot(roots: archive.roots, store: ArchiveBlockstore([archive])))
}

@Suite struct RealFileTests {
    @Test func mainnetsFirstEpochsHold() throws {
        guard let path = sharedData("chain/mainnet-export40.car") else { return }
        let (archive, snapshot) = try open(path)
        #expect(archive.form == .plain && snapshot.head.height == 39 && snapshot.tipsetCount == 33)
        #expect(snapshot.network?.name == "mainnet" && snapshot.oldestHeight == 0)
        var verification = ChainVerification(snapshot, walksStates: true)
        let summary = try verification.run()
        #expect(summary.faults == [])
        #expect(summary.tipsets == 33 && summary.baseFees == 32 && summary.nullRounds == 7)
        #expect(summary.messagesFrom == 0 && summary.tipsetsWithMessages == 33)
        #expect(summary.states >= 1 && summary.messages > 0)
    }

    @Test(arguments: ["chain4.car", "chain4.car.zst", "chain4.forest.car.zst"])
    func oneChainInThreeForms(name: String) throws {
        guard let path = sharedData("chain/\(name)") else { return }
        let (archive, snapshot) = try open(path)
        #expect(snapshot.head.height == 3 && snapshot.genesis != nil)
        var blocks = 0
        try archive.forEachSection { section in
            blocks += 1
            let data = try archive.block(section.cid)
            #expect(data == section.data)
            return true
        }
        #expect(blocks == 1222)
        var verification = ChainVerification(snapshot, walksStates: true)
        let summary = try verification.run()
        #expect(summary.faults == [] && summary.states == 2 && summary.statesFrom == nil)
    }

    /// The index that comes out is the one that Forest wrote over the same blocks in the same frames, in size.
    @Test func aForestFileWrittenAgainHasTheSameTable() throws {
        guard let original = sharedData("chain/chain4.forest.car.zst") else { return }
        let (archive, _) = try open(original)
        let copy = FileManager.default.temporaryDirectory.path + "/smelt-\(UInt64.random(in: 0...UInt64.max)).car.zst"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let writer = try ArchiveWriter(path: copy, form: .forest, roots: archive.roots)
        try archive.forEachSection { section in
            try writer.append(section.cid, section.data)
            return true
        }
        try writer.finish()
        func table(_ path: String) throws -> [UInt8] {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            let offset = (0..<8).reduce(0) { $0 | Int(bytes[bytes.count - 8 + $1]) << (8 * $1) }
            return Array(bytes[offset..<bytes.count - 16])
        }
        let (one, other) = (try table(original), try table(copy))
        #expect(one.count == other.count && one.prefix(32) == other.prefix(32))
        // Hashes stand in the same slots; frames begin elsewhere, as the library compresses by its version.
        for slot in stride(from: 32, to: one.count, by: 16) { #expect(one[slot..<slot + 8] == other[slot..<slot + 8]) }
    }

    @Test func aVersion2ArchiveInsideZstandardIsRead() throws {
        guard let path = sharedData("chain/carv2.car.zst") else { return }
        let archive = try CarArchive(path: path, cache: "/nonexistent")
        var count = 0
        try archive.forEachSection { section in
            count += 1
            let data = try archive.block(section.cid)
            #expect(data == section.data)
            return true
        }
        #expect(count > 0 && !archive.roots.isEmpty)
    }

    /// States of versions 0, 4 and 5.
    @Test(arguments: [
        ("mainnet.car.zst", 0 as UInt64), ("calibnet.car.zst", 0), ("interopnet.car.zst", 4),
        ("butterflynet.car.zst", 5),
    ])
    func genesisStatesAreListed(name: String, version: UInt64) throws {
        guard let path = sharedData("chain/\(name)") else { return }
        let (_, snapshot) = try open(path)
        #expect(snapshot.head.isGenesis)
        let state = try StateListing(root: snapshot.head.parentStateRoot, store: snapshot.store)
        #expect(state.version == version)
        let names = try state.codeNames()
        var found: [UInt64: String] = [:]
        var total = TokenAmount.zero
        try state.visitActors { entry in
            found[entry.id] = StateListing.name(of: entry.actor.code, names)
            total = total + entry.actor.balance
        }
        #expect(found[0]?.hasSuffix("system") == true && found[1]?.hasSuffix("init") == true)
        #expect(found[4]?.hasSuffix("storagepower") == true)
        // Two thousand million FIL, however they are spread.
        #expect(total == (try TokenAmount(fil: "2000000000")))
        let initActor = try #require(try state.actor(1))
        #expect(initActor.sequence == 0)
        #expect(try state.actor(1 << 40) == nil)
    }

    @Test func anExtractHasItsRangeAndNothingElse() throws {
        guard let path = sharedData("chain/mainnet-export40.car") else { return }
        let (_, snapshot) = try open(path)
        let copy = FileManager.default.temporaryDirectory.path + "/smelt-\(UInt64.random(in: 0...UInt64.max)).car"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let summary = try ChainExport(snapshot, .init()).run(10...20) { roots throws(BlockFileError) in
            try ArchiveWriter(path: copy, form: .plain, roots: roots)
        }
        let (_, part) = try open(copy)
        #expect(part.head.height == 20 && part.oldestHeight >= 10 && part.tipsetCount == summary.tipsets)
        var verification = ChainVerification(part, walksStates: true)
        let checked = try verification.run()
        #expect(checked.faults == [] && checked.messagesFrom == part.oldestHeight)
        #expect(throws: ChainError.self) {
            try ChainExport(snapshot, .init()).run(50...60) { roots throws(BlockFileError) in
                try ArchiveWriter(path: copy + ".no", form: .plain, roots: roots)
            }
        }
    }

    @Test func aHeaderThatLiesIsNamed() throws {
        guard let path = sharedData("chain/mainnet-export40.car") else { return }
        let (archive, snapshot) = try open(path)
        let store = MemoryBlockstore()
        try archive.forEachSection { section in
            #expect(throws: Never.self) { try store.put(section.cid, section.data) }
            return true
        }
        // The same head with another base fee, under the CID it then has.
        var header = snapshot.head.blocks[0]
        header.parentBaseFee = header.parentBaseFee + TokenAmount(1)
        let data = try header.encoded()
        let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
        try store.put(cid, data)
        var verification = ChainVerification(try Snapshot(roots: [cid], store: store), walksStates: false)
        let faults = try verification.run().faults
        #expect(faults.count == 1 && faults[0].height == 39 && faults[0].text.contains("base fee"))
    }
}
