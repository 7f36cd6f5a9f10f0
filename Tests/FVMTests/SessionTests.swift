import Engine
import Foundation
import GasSchedule
import IPLD
import Kernel
import Machine
import Primitives
import Replay
import StateTree
import TestSupport
import Testing
import WasmReference

@testable import FVM

/// A sample vector as a node would have it: blocks, facts of the tipset, messages, and what came of them.
struct Recording {
    let vector: Vector
    let store = CountingStore()

    init(_ name: String) throws {
        let path = packageRoot + "/Tests/Samples/vectors/\(name).json"
        vector = try Vector(json: Array(try Data(contentsOf: URL(fileURLWithPath: path))), file: path)
        for block in try Car.read(vector.car).blocks { try store.put(block.cid, block.data) }
    }

    var results: Vector.Postconditions {
        get throws { try #require(vector.postconditions) }
    }

    func session(_ engine: any ActorEngine = ReferenceEngine.fvm(), redirects: [Cid: Cid] = [:]) -> Session {
        Session(engine: engine, store: store, redirects: redirects)
    }

    func begin(_ session: Session, on root: Cid? = nil, trace: (any TraceSink)? = nil) throws {
        try session.begin(
            try vector.environment.facts(vector.variants[0]), stateRoot: root ?? vector.preStateRoot,
            outside: NoOutside(), trace: trace)
    }

    func apply(_ session: Session, _ range: Range<Int>) throws -> [Receipt] {
        try vector.messages[range].map {
            try session.apply($0.message, kind: $0.kind, chainLength: $0.chainLength).receipt
        }
    }

    func recorded(_ range: Range<Int>) throws -> [ExpectedReceipt] { Array(try results.receipts[range]) }
}

/// Counts what is asked for, and fails when it is told to.
final class CountingStore: Blockstore {
    private let base = MemoryBlockstore()
    var asked: [Cid] = []
    var failure: BlockstoreError?

    func get(_ cid: Cid) throws(BlockstoreError) -> [UInt8]? {
        if let failure { throw failure }
        asked.append(cid)
        return try base.get(cid)
    }

    func put(_ cid: Cid, _ data: [UInt8]) throws(BlockstoreError) {
        if let failure { throw failure }
        try base.put(cid, data)
    }
}

/// A node that knows nothing.
final class NoOutside: Externs {
    let proofs: any ProofSyscalls = ConformanceProofs()
    func chainRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { throw .refused("none") }
    func beaconRandomness(epoch: Int64) throws(ExternFailure) -> [UInt8] { throw .refused("none") }
    func tipsetCid(epoch: Int64) throws(ExternFailure) -> Cid { throw .refused("none") }
    func consensusFault(
        first: Span<UInt8>, second: Span<UInt8>, extra: Span<UInt8>
    ) throws(ExternFailure) -> ConsensusFault? { nil }
}

/// Asks for an end when so many charges were made.
final class Interrupter: TraceSink {
    private let session: Session
    private var left: Int

    init(_ session: Session, after charges: Int) {
        self.session = session
        left = charges
    }

    func record(_ event: TraceEvent) {
        guard case .charge = event else { return }
        left -= 1
        if left == 0 { session.interruption.request() }
    }
}

extension ExpectedReceipt {
    func matches(_ receipt: Receipt) -> Bool {
        exitCode == receipt.exitCode && gasUsed == receipt.gasUsed && returnData == receipt.returnData
    }
}

@Suite struct SessionTests {
    @Test(arguments: ["counter", "relay", "sieve"]) func messagesGiveWhatWasRecorded(_ name: String) throws {
        let recording = try Recording(name)
        let session = recording.session()
        try recording.begin(session)
        let all = recording.vector.messages.indices
        let receipts = try recording.apply(session, all)
        #expect(zip(try recording.recorded(all), receipts).allSatisfy { $0.matches($1) })
        #expect(try session.flush() == recording.results.stateRoot)
    }

    @Test func anEpochGoesOnWhereTheLastOneWasFlushed() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        let count = recording.vector.messages.count
        var root = recording.vector.preStateRoot
        for index in 0..<count {
            try recording.begin(session, on: root)
            let receipt = try recording.apply(session, index..<index + 1)[0]
            #expect(try recording.recorded(index..<index + 1)[0].matches(receipt))
            root = try session.flush()
        }
        #expect(try root == recording.results.stateRoot)
    }

    /// What the epoch before left in memory is not read again; a session that begins there reads it.
    @Test func nodesOfTheStateLiveFromEpochToEpoch() throws {
        let recording = try Recording("counter")
        func reads(_ session: Session, on root: Cid) throws -> Int {
            recording.store.asked = []
            try recording.begin(session, on: root)
            _ = try session.actor(.id(1001))
            return recording.store.asked.count
        }
        let session = recording.session()
        try recording.begin(session)
        _ = try recording.apply(session, 0..<1)
        let root = try session.flush()
        let goingOn = try reads(session, on: root)
        let anew = try reads(recording.session(), on: root)
        #expect(goingOn < anew)
    }

    @Test func anotherRootThanTheOneFlushedIsReadAnew() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        for _ in 0..<2 {
            try recording.begin(session)
            let receipts = try recording.apply(session, 0..<3)
            #expect(zip(try recording.recorded(0..<3), receipts).allSatisfy { $0.matches($1) })
            _ = try session.flush()
        }
    }

    /// Blocks that a flush did not reach are gone with the epoch, as with the machine of a node.
    @Test func whatWasNotFlushedIsLost() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        try recording.begin(session)
        _ = try recording.apply(session, 0..<2)
        try recording.begin(session)
        let receipts = try recording.apply(session, recording.vector.messages.indices)
        #expect(zip(try recording.results.receipts, receipts).allSatisfy { $0.matches($1) })
        #expect(try session.flush() == recording.results.stateRoot)
    }

    @Test func anActorIsReadAsItIsNow() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        try recording.begin(session)
        let before = try #require(try session.actor(.id(1001)))
        _ = try recording.apply(session, 0..<1)
        let after = try #require(try session.actor(.id(1001)))
        #expect(before.id == 1001 && before.state.state != after.state.state)
        #expect(try session.actor(.id(999_999)) == nil)
    }
}

@Suite struct SimulationTests {
    @Test func aSimulationLeavesTheStateAlone() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        try recording.begin(session)
        for entry in recording.vector.messages[..<1] {
            for _ in 0..<2 {
                let result = try session.simulate(entry.message, kind: entry.kind, chainLength: entry.chainLength)
                #expect(try recording.recorded(0..<1)[0].matches(result.receipt))
            }
        }
        #expect(try session.flush() == recording.vector.preStateRoot)
    }

    @Test func aSimulationThatCannotBeAppliedLeavesItAloneToo() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        try recording.begin(session)
        let entry = recording.vector.messages[0]
        var message = entry.message
        message.gasLimit = 0
        let error = #expect(throws: SessionError.self) {
            try session.simulate(message, chainLength: entry.chainLength)
        }
        guard case .invalid? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(try session.flush() == recording.vector.preStateRoot)
    }

    @Test func anEstimateIsTheSmallestLimitThatServes() throws {
        let recording = try Recording("relay")
        let session = recording.session()
        try recording.begin(session)
        let entry = recording.vector.messages[0]
        let estimate = try session.estimate(entry.message, chainLength: entry.chainLength)
        func exit(_ limit: UInt64) throws -> ExitCode {
            var message = entry.message
            message.gasLimit = limit
            return try session.simulate(message, chainLength: entry.chainLength).receipt.exitCode
        }
        #expect(estimate.exitCode == .ok)
        #expect(try exit(estimate.gasLimit) == .ok)
        #expect(try exit(estimate.gasLimit - 1) == .sysOutOfGas)
        #expect(try session.flush() == recording.vector.preStateRoot)
    }
}

@Suite struct RedirectTests {
    /// The relay's code in the counter's place knows other methods; the actor's code in the state stays.
    @Test func otherCodeRunsInTheSamePlace() throws {
        let recording = try Recording("relay")
        let plain = recording.session()
        try recording.begin(plain)
        let counter = try #require(try plain.actor(.id(1001))).state.code
        let relay = try #require(try plain.actor(.id(1003))).state.code
        let session = recording.session(redirects: [counter: relay])
        try recording.begin(session)
        let receipts = try recording.apply(session, 0..<1)
        #expect(try !recording.recorded(0..<1)[0].matches(receipts[0]))
        #expect(try session.actor(.id(1001))?.state.code == counter)
    }
}

@Suite struct FailureTests {
    @Test func withoutAnEpochThereIsNothingToApplyTo() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        #expect(throws: SessionError.noEpoch) { try recording.apply(session, 0..<1) }
        #expect(throws: SessionError.noEpoch) { try session.flush() }
    }

    @Test func aMissingStateIsNoFailureOfTheMachine() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        let nowhere = Cid.blake2b256(codec: Cid.dagCbor, data: [1, 2, 3])
        let error = #expect(throws: SessionError.self) { try recording.begin(session, on: nowhere) }
        guard case .state? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        try recording.begin(session)
        #expect(try recording.apply(session, 0..<1).count == 1)
    }

    @Test func afterAFailureOfTheStoreTheSessionIsOfNoUse() throws {
        let recording = try Recording("counter")
        let session = recording.session()
        try recording.begin(session)
        _ = try recording.apply(session, 0..<1)
        recording.store.failure = .storage("the disk is on fire")
        let error = #expect(throws: SessionError.self) { try session.flush() }
        guard case .hostFault(let reason)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(reason.contains("on fire"))
        recording.store.failure = nil
        #expect(throws: SessionError.poisoned(reason)) { try session.flush() }
        #expect(throws: SessionError.poisoned(reason)) { try recording.begin(session) }
        // Another session on the same store is as good as new.
        let other = recording.session()
        try recording.begin(other)
        #expect(try recording.recorded(0..<1)[0].matches(recording.apply(other, 0..<1)[0]))
    }

    /// At whichever charge the end is asked for, there is a receipt like the recorded one or none.
    @Test func whatIsInterruptedHasNoReceipt() throws {
        let recording = try Recording("relay")
        let session = recording.session()
        var interrupted = 0
        for charges in [1, 2, 5, 8, 13, 21, 34] {
            try recording.begin(session, trace: Interrupter(session, after: charges))
            let entry = recording.vector.messages[0]
            let expected = try recording.recorded(0..<1)[0]
            do {
                #expect(expected.matches(try session.apply(entry.message, chainLength: entry.chainLength).receipt))
            } catch SessionError.interrupted {
                #expect(throws: SessionError.noEpoch) { try session.flush() }
                interrupted += 1
            }
        }
        #expect(interrupted > 3)
        try recording.begin(session)
        #expect(try recording.recorded(0..<1)[0].matches(recording.apply(session, 0..<1)[0]))
    }

    @Test func codeThatNobodyCanRunIsAFailureOfThisMachine() throws {
        let recording = try Recording("counter")
        let session = recording.session(NativeEngineWithoutObjects.make())
        try recording.begin(session)
        let error = #expect(throws: SessionError.self) { try recording.apply(session, 0..<1) }
        guard case .hostFault(let reason)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(reason.contains("code bafk") && reason.contains("no object"))
    }
}
