import BlockFiles
import Chain
import Foundation
import IPLD
import Primitives
import Testing

@testable import Tipsets

/// Chains in files: written in every form, replayed from there, and damaged.
@Suite struct FileTests {
    private static let directory: String = {
        let path = NSTemporaryDirectory() + "tipsets-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }()

    private func path(_ name: String) -> String { "\(Self.directory)/\(name)" }

    private func write(_ chain: BusyChain, _ name: String, _ form: CarArchive.Form = .plain, receipts: Bool = false)
        throws -> String
    {
        let path = path(name)
        let snapshot = try Snapshot(roots: chain.head.key, store: chain.store)
        _ = try ChainExport(snapshot, .init(receipts: receipts)).run(0...1_000) { roots throws(BlockFileError) in
            try ArchiveWriter(path: path, form: form, roots: roots)
        }
        return path
    }

    private func replay(_ path: String, _ chain: BusyChain, _ range: ChainReplay.Range = .heights(0...1_000)) throws
        -> [ChainReplay.Report]
    {
        let archive = try CarArchive(path: path, cache: Self.directory)
        let store = ArchiveBlockstore([archive])
        let head = try Snapshot.head(roots: archive.roots, store: store)
        let replay = try ChainReplay(
            head: head, store: store, range, network: chain.network, rules: .lotus, engine: engine)
        var reports: [ChainReplay.Report] = []
        replay.run { report in
            reports.append(report)
            return true
        }
        return reports
    }

    private func isEqual(_ report: ChainReplay.Report) -> Bool {
        if case .success(let check) = report.result { check.isEqual } else { false }
    }

    @Test(arguments: [CarArchive.Form.plain, .zstd, .forest]) func everyFormReplays(_ form: CarArchive.Form) throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let reports = try replay(try write(chain, "whole.\(form)", form), chain)
        #expect(reports.map(\.height) == [0, 1, 2, 5, 7, 8] && reports.allSatisfy(isEqual))
    }

    @Test func rangesAreOfHeightsOrFromTheHead() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let path = try write(chain, "ranges.car")
        #expect(try replay(path, chain, .last(2)).map(\.height) == [7, 8])
        #expect(try replay(path, chain, .heights(2...6)).map(\.height) == [2, 5])
        for (range, words) in [
            (.heights(6...6), "height 6 is a null round"), (.heights(9...20), "has a child"),
            (.heights(3...4), "no tipset has a height"),
        ] as [(ChainReplay.Range, String)] {
            do {
                _ = try replay(path, chain, range)
                Issue.record("\(range) replays")
            } catch { #expect("\(error)".contains(words), "\(error)") }
        }
    }

    /// Without states in the middle a tipset begins with what the one before it came to; without the first there is
    /// nothing to begin with.
    @Test func aStateThatIsMissingIsMadeOrNamed() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let store = chain.store
        let line = ChainLine(top: chain.head, store: store)
        let later = try line.links(2...9).map(\.parentStateRoot)
        let partial = MemoryBlockstore(chain.blocks.filter { !later.contains($0.key) })
        let replay = try ChainReplay(
            head: chain.head, store: partial, .heights(1...100), network: chain.network, rules: .lotus, engine: engine)
        var equal = 0
        replay.run { report in
            if isEqual(report) { equal += 1 }
            return true
        }
        #expect(equal == 5)
        let tail = try ChainReplay(
            head: chain.head, store: partial, .heights(7...100), network: chain.network, rules: .lotus, engine: engine)
        tail.run { report in
            guard case .failure(let error) = report.result else {
                Issue.record("it ran")
                return true
            }
            #expect("\(error)".contains("missing") || "\(error)".contains("not in the file"), "\(error)")
            return true
        }
    }

    // MARK: One byte changed

    /// The archive with a block changed and everything that names it left as it was: its own hash is wrong.
    private func damaged(_ path: String, _ chain: BusyChain, _ cid: Cid) throws -> String {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let section = Data(cid.bytes + (try #require(chain.blocks[cid])))
        let place = try #require(bytes.range(of: section))
        bytes[place.upperBound - 1] ^= 1
        let out = path + ".damaged"
        try bytes.write(to: URL(fileURLWithPath: out))
        return out
    }

    @Test func aChangedByteOfABlockIsNamed() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let path = try write(chain, "bytes.car")
        let (tipset, execution, store) = try chain.execution(5)
        let plan = try TipsetPlan(tipset, parentHeight: 2, store: store, network: chain.network, rules: .lotus)
        let message = try #require(plan.blockMessages[2].first?.cid)
        let state = tipset.parentStateRoot
        for cid in [message, state] {
            let reports = try replay(try damaged(path, chain, cid), chain, .heights(5...7))
            guard case .failure(let error) = reports[0].result else {
                Issue.record("\(cid) was not missed")
                continue
            }
            #expect("\(error)".contains(cid.text) && "\(error)".contains("damaged"), "\(error)")
            // The others' results stay.
            #expect(isEqual(reports[1]))
        }
        let header = try execution.line.atOrBelow(7).key[0]
        do {
            _ = try replay(try damaged(path, chain, header), chain)
            Issue.record("the header was not missed")
        } catch { #expect("\(error)".contains(header.text), "\(error)") }
    }

    /// The blocks below are hashed anew, so that the file is a chain of its own, which lies in one place.
    @Test func aChainThatLiesIsToldByWhatDiffers() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        func reports(_ change: (inout BlockHeader) throws -> Void) throws -> [ChainReplay.Report] {
            let store = chain.store
            var header = chain.head.blocks[0]
            try change(&header)
            let data = try header.encoded()
            let cid = Cid.blake2b256(codec: Cid.dagCbor, data: data)
            try store.put(cid, data)
            let replay = try ChainReplay(
                head: try TipSet([(cid, header)]), store: store, .last(1), network: chain.network, rules: .lotus,
                engine: engine)
            var reports: [ChainReplay.Report] = []
            replay.run { report in
                reports.append(report)
                return true
            }
            return reports
        }
        func mismatches(_ change: (inout BlockHeader) throws -> Void) throws -> [TipsetCheck.Mismatch] {
            guard case .success(let check)? = try reports(change).first?.result else { return [] }
            return check.mismatches
        }
        let line = ChainLine(top: chain.head, store: chain.store)
        let older = try line.atOrBelow(7)
        let olderSet = try TipSet(key: try line.atOrBelow(8).key, from: chain.store)
        #expect(try mismatches { _ in }.isEmpty)
        let state = try mismatches { $0.parentStateRoot = olderSet.parentStateRoot }
        guard case .state(_, _, .success(let differences))? = state.first, state.count == 1 else {
            Issue.record("\(state)")
            return
        }
        // The reward actor paid the miner of height 8, and cron ran.
        #expect(differences.map(\.id).contains(2) && !differences.isEmpty)
        let first = try TipSet(key: try line.atOrBelow(2).key, from: chain.store)
        let receipts = try mismatches { $0.parentMessageReceipts = first.parentMessageReceipts }
        guard case .receipts(_, _, let difference?)? = receipts.first else {
            Issue.record("\(receipts)")
            return
        }
        #expect(difference.index == 0 && difference.expected != nil && difference.got == nil)
        let fee = try mismatches { $0.parentBaseFee = TokenAmount(1) }
        #expect(fee.map(\.field) == ["base fee"])
        guard case .failure(let error)? = try reports({ $0.timestamp += 1 }).first?.result else {
            Issue.record("a timestamp was not missed")
            return
        }
        #expect("\(error)".contains("timestamp"))
        #expect(throws: ChainError.self) { try reports { $0.height = 7 } }
        #expect(throws: ChainError.self) { try reports { $0.parents = older.key + older.key } }
    }

    @Test func equalInputGivesEqualBytes() throws {
        guard let chain = try BusyChain.of(.newest) else { return }
        let makers = (0..<2).map { _ in chain.maker() }
        let heads = try makers.map { maker in
            try maker.append(
                [.init(miner: chain.miners[0], messages: [message(from: Wallet.alice, to: Wallet.bob, nonce: 3)])],
                nullRounds: 3)
        }
        #expect(heads[0] == heads[1])
        #expect(heads[0].blocks[0].beaconEntries.count == 4)
    }
}
