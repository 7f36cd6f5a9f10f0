import JSON
import Kernel
import Statistics
import Testing

@testable import GasReport
@testable import Replay

/// Rounds over all vectors: their order, what is kept of them, and how a run that ended early is taken up.
@Suite struct InterleavedRoundsTests {
    private let conditions = JSONValue.object([:])

    private func run(
        _ measured: inout Measured, least: Int, most: Int, memory: Int = 1 << 30,
        progress: (InterleavedRounds.Progress) -> Void = { _ in }
    ) throws {
        var rounds = InterleavedRounds(
            try sampleSessions(), effort: .init(seconds: 0, least: least, most: most, memory: memory))
        rounds.run(&measured, progress: progress) { _ in }
    }

    @Test func everyRoundRunsEveryVectorInAnotherOrder() throws {
        var measured = Measured(conditions: conditions)
        var orders: [Int: [String]] = [:]
        try run(&measured, least: 6, most: 6) { orders[$0.round, default: []].append($0.last) }
        #expect(orders.count == 6 && orders.values.allSatisfy { Set($0).count == 3 && $0.count == 3 })
        #expect(Set(orders.values).count > 1)
        #expect(measured.rounds == 6 && measured.isComplete && measured.seconds > 0)
        #expect(measured.series.allSatisfy { $0.rounds.allSatisfy { $0.yardstick > 0 && $0.elapsed > 0 } })
    }

    /// What has no room in memory is read again in every round, and measured like the rest.
    @Test func vectorsWithoutRoomAreReadAgain() throws {
        var measured = Measured(conditions: conditions)
        try run(&measured, least: 2, most: 2, memory: 0)
        var other = Measured(conditions: conditions)
        try run(&other, least: 2, most: 2)
        func gas(_ measured: Measured) -> [String: [MessageSeries.Work]] {
            Dictionary(measured.series.map { ("\($0.vector) \($0.index)", $0.charges) }, uniquingKeysWith: +)
        }
        #expect(gas(measured) == gas(other) && measured.rounds == 2)
    }

    /// Ended in the middle of a round: complete rounds are kept, the open one is measured again.
    @Test func anInterruptedRunIsTakenUp() throws {
        struct Ended: Error {}
        var kept: JSONValue?
        var measured = Measured(conditions: conditions)
        var first = InterleavedRounds(try sampleSessions(), effort: .init(seconds: 0, least: 3, most: 3))
        var saves = 0
        #expect(throws: Ended.self) {
            try first.run(&measured) { (state: Measured) throws(Ended) in
                saves += 1
                kept = state.json
                if saves == 2 { throw Ended() }
            }
        }
        var again = try #require(kept.flatMap { Measured($0) })
        #expect(again.rounds == 2 && !again.isComplete)
        // As after a signal within the third round.
        let open = again.series[0].rounds[0]
        again.series[0].rounds.append(open)
        let before = again.series.map { Array($0.rounds.prefix(2)) }
        var visited = 0
        try run(&again, least: 3, most: 3) { _ in visited += 1 }
        #expect(again.rounds == 3 && again.isComplete && visited == 3)
        #expect(again.series.map { Array($0.rounds.prefix(2)) } == before)
    }

    @Test func aFirstRoundThatIsOpenIsCompleted() throws {
        var measured = Measured(conditions: conditions)
        try run(&measured, least: 1, most: 1)
        let kept = measured.series[0].vector
        let rounds = measured.series[0].rounds
        for series in measured.series where series.vector != kept {
            measured.series.removeAll { $0.vector == series.vector }
        }
        var visited: [String] = []
        try run(&measured, least: 1, most: 1) { visited.append($0.last) }
        #expect(visited.count == 2 && !visited.contains(kept))
        #expect(measured.rounds == 1 && measured.series[0].rounds == rounds)
    }

    /// A message that does not do the same in a later round is no measurement.
    @Test func whatDiffersFromRoundToRoundIsLeftOut() throws {
        var measured = Measured(conditions: conditions)
        try run(&measured, least: 1, most: 1)
        let count = measured.count
        let vector = measured.series[0].vector
        measured.series[0].charges[0].compute += 1
        var rounds = InterleavedRounds(try sampleSessions(), effort: .init(seconds: 0, least: 2, most: 2))
        var reports: [VectorReport] = []
        rounds.run(&measured, leftOut: { reports.append($0) }, save: { _ in })
        #expect(reports.map(\.status) == [.failed] && measured.leftOut.count == 1)
        #expect(measured.count < count && !measured.series.contains { $0.vector == vector })
        #expect(measured.rounds == 2)
    }

    /// The same method of two network versions is other code.
    @Test func methodsOfSeveralNetworkVersionsAreApart() throws {
        var measured = Measured(conditions: conditions)
        try run(&measured, least: 1, most: 1)
        for index in measured.series.indices { measured.series[index].networkVersion = 18 }
        #expect(measured.records.allSatisfy { !$0.title.contains("(nv") })
        measured.series[0].networkVersion = 21
        let version = measured.series[0].networkVersion
        #expect(measured.records[0].title.hasSuffix(" (nv\(version))"))
        #expect(measured.records.allSatisfy { $0.title.hasSuffix(" (nv\($0.networkVersion))") })
    }

    /// Times of a round in which the machine was half as fast count half.
    @Test func theYardstickOfARoundLevelsIt() throws {
        var measured = Measured(conditions: conditions)
        try run(&measured, least: 3, most: 3)
        for index in measured.series.indices {
            let calm = MessageSeries.Round(
                elapsed: 1_000, yardstick: 50, charges: measured.series[index].charges.map { _ in 10 },
                calls: measured.series[index].calls.map { _ in 20 })
            var busy = calm
            (busy.elapsed, busy.yardstick) = (2_000, 100)
            busy.charges = busy.charges.map { $0 * 2 }
            busy.calls = busy.calls.map { $0 * 2 }
            measured.series[index].rounds = [calm, busy, calm]
        }
        for record in measured.records {
            #expect(record.rounds == [1_000, 1_000, 1_000] && record.elapsed == 1_000)
            #expect(record.charges.allSatisfy { $0.nanoseconds == 10 })
            #expect(record.calls.allSatisfy { $0.nanoseconds == 20 })
        }
    }
}
