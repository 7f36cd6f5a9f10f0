import BlockFiles
import Chain
import Foundation
import IPLD
import Kernel
import Machine
import Primitives
import Replay
import Testing

@testable import Tipsets

/// Messages and tipsets of a chain that stand alone.
@Suite struct ExtractionTests {
    private func replay(_ chain: BusyChain, _ range: ChainReplay.Range = .complete) throws -> ChainReplay {
        let replay = try ChainReplay(
            head: chain.head, store: chain.store, range, network: chain.network, rules: .lotus, engine: engine)
        replay.execution.keepsStates = true
        return replay
    }

    private func status(_ vector: Vector) -> VectorReport.Status {
        vector.withResults(engine: engine, bundles: []).reports[0].status
    }

    // MARK: Messages

    @Test(arguments: Era.all) func statesBetweenMessagesChangeNothing(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let kept = try replay(chain)
        let plain = try replay(chain)
        plain.execution.keepsStates = false
        for index in kept.entries.indices {
            let one = try kept.run(index).result.get().outcome
            let other = try plain.run(index).result.get().outcome
            #expect(one.stateRoot == other.stateRoot && one.applied.map(\.result) == other.applied.map(\.result))
            #expect(one.applied.allSatisfy { $0.stateBefore != nil })
            #expect(other.applied.allSatisfy { $0.stateBefore == nil })
        }
    }

    /// Those of blocks, rewards and cron, also of null rounds: each comes to the same receipt, gas and state from what its
    /// vector holds, written and read again.
    @Test(arguments: Era.all) func everyMessageIsAVectorThatPasses(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let replay = try replay(chain)
        var vectors = 0
        for index in replay.entries.indices {
            let check = try replay.run(index).result.get()
            for (number, applied) in check.outcome.applied.enumerated() {
                let made = try replay.message(number, of: check).vector(named: "v\(number)")
                let vector = try Vector(json: try made.encoded(), file: "v\(number).json")
                #expect(vector.preStateRoot == applied.stateBefore)
                #expect(vector.postconditions?.stateRoot == check.outcome.stateAfter(number))
                #expect(vector.postconditions?.receipts == [ExpectedReceipt(applied.result.receipt)])
                #expect(vector.messages.map(\.kind) == [applied.isExplicit ? .explicit : .implicit])
                #expect(status(vector) == .passed, "height \(check.outcome.tipset.height), message \(number)")
                vectors += 1
            }
        }
        #expect(vectors == 8 + 2 + 10 + 4 + 2)
    }

    /// A contract that writes down a block's hash and the beacon's randomness.
    @Test func answersOfTheChainAreInTheVectorAndCount() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let replay = try replay(chain, .heights(5...5))
        let check = try replay.run(0).result.get()
        let number = try #require(check.outcome.applied.firstIndex { $0.message.to == chain.contract })
        let vector = try replay.message(number, of: check).vector(named: "call")
        #expect(vector.tipsetCids.count == 1 && !vector.randomness.isEmpty)
        var without = vector
        without.tipsetCids = []
        #expect(status(without) == .failed)
        without = vector
        without.randomness = []
        #expect(status(without) == .failed)
    }

    @Test func aMessageIsRunAgainAlone() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        /// Notes what it hears of.
        final class Ear: MessageObserver {
            var messages: [Int] = []
            var events = 0
            func begin(message index: Int) { messages.append(index) }
            func record(_ event: TraceEvent) { events += 1 }
        }
        let replay = try replay(chain, .heights(5...5))
        let whole = Ear()
        replay.execution.observer = whole
        let check = try replay.run(0).result.get()
        var events = 0
        for number in check.outcome.applied.indices {
            let ear = Ear()
            let report = try replay.message(number, of: check).run(observer: ear, number: number)
            #expect(report.status == .passed && ear.messages == [number], "\(report.problem ?? "")")
            events += ear.events
        }
        #expect(whole.messages == Array(check.outcome.applied.indices) && events == whole.events && events > 0)
        #expect(throws: ExtractionFailure.self) { try replay.message(99, of: check) }
        replay.execution.keepsStates = false
        let other = try replay.run(0).result.get()
        #expect(throws: ExtractionFailure.self) { try replay.message(0, of: other) }
    }

    // MARK: Tipsets

    @Test(arguments: Era.all) func everyTipsetIsAFileThatReplaysFromItAlone(_ era: Era) throws {
        guard let chain = try BusyChain.of(era) else { return }
        let replay = try replay(chain)
        let folder = NSTemporaryDirectory() + "extracts-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (index, entry) in replay.entries.enumerated() where entry.link.height > 0 {
            let height = entry.link.height
            let check = try replay.run(index).result.get()
            let made = try replay.archive(index, check)
            #expect(made.name == "test_\(height).forest.car.zst" && made.roots == entry.child.key)
            let path = "\(folder)/\(made.name)"
            try made.write(to: path)
            let file = try CarArchive(path: path, cache: folder)
            #expect(file.form == .forest && file.roots == entry.child.key)
            var sections: [Cid] = []
            try file.forEachSection { section in
                sections.append(section.cid)
                return true
            }
            #expect(sections == sections.sorted() && Set(sections) == Set(made.blocks.keys))
            for cid in entry.link.key + entry.child.key + entry.link.parents { #expect(sections.contains(cid)) }
            let root = try #require(check.outcome.manifest)
            let block = try #require(made.blocks[root])
            let manifest = try ActorManifest(data: block)
            #expect(manifest.entries.count == 16 && manifest.entries.allSatisfy { sections.contains($0.code) })

            let store = ArchiveBlockstore([file])
            // Another engine: all code comes from the file.
            let alone = try ChainReplay(
                head: try Snapshot.head(roots: file.roots, store: store), store: store, .complete,
                network: chain.network, rules: .lotus, engine: height == 5 ? FreshEngine.make() : engine)
            // The state of height 1 is that of genesis, where nothing runs.
            #expect(alone.entries.map(\.link.height) == (height == 1 ? [0, 1] : [height]))
            let again = try alone.run(alone.entries.count - 1).result.get()
            #expect(again.isEqual && again.outcome.applied.map(\.result) == check.outcome.applied.map(\.result))
        }
    }

    /// No block is there that the replay could do without, but for code that did not run.
    @Test func everyBlockOfATipsetsFileIsNeeded() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let replay = try replay(chain, .heights(2...2))
        let check = try replay.run(0).result.get()
        let made = try replay.archive(0, check)
        for cid in made.blocks.keys where cid.codec != Cid.raw {
            let store = MemoryBlockstore(made.blocks.filter { $0.key != cid })
            let result = Result {
                try ChainReplay(
                    head: try TipSet(key: made.roots, from: store), store: store, .last(1), network: chain.network,
                    rules: .lotus, engine: engine
                ).run(0).result.get()
            }
            #expect(throws: (any Error).self, "\(cid)") { try result.get() }
        }
    }
}
