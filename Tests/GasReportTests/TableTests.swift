import JSON
import Statistics
import Testing

@testable import GasReport
@testable import Replay

/// Sums, stacks and searches over measured messages.
@Suite struct TableTests {
    @Test(arguments: GasStatistics.Key.allCases)
    func everyKeyAddsUpToTheSameGasAndTime(_ key: GasStatistics.Key) throws {
        var statistics = GasStatistics(by: key)
        var taken: UInt64 = 0
        for message in try measured(sampleVectors + "/relay.json", rounds: 2) {
            statistics.add(message)
            taken += message.timeline.spans.reduce(0) { $0 + $1.compute + $1.other }
        }
        let rows = statistics.rows
        #expect(rows.reduce(0) { $0 + $1.compute + $1.other } == taken)
        let time = rows.reduce(0) { $0 + $1.nanoseconds }
        #expect((time - statistics.measured).magnitude < 1e-6 * time)
        #expect(rows == rows.sorted { $0.nanoseconds > $1.nanoseconds })
        #expect(rows.allSatisfy { $0.times?.count == $0.count })
    }

    @Test func stacksHoldAllGasAndAllTime() throws {
        let message = try #require(try measured(sampleVectors + "/relay.json").last)
        let stacks = CallStacks(message)
        let folded = stacks.folded(by: .gas).split(separator: "\n")
        #expect(folded.allSatisfy { $0.split(separator: " ").count == 2 })
        let weights = folded.compactMap { UInt64($0.split(separator: " ")[1]) }
        #expect(weights.reduce(0, +) == message.timeline.taken)
        let profiles = try #require(stacks.speedscope["profiles"]?.array)
        #expect(profiles.count == 2)
        for profile in profiles {
            let weights = try #require(profile["weights"]?.array).compactMap { $0.integer(UInt64.self) }
            #expect(profile["samples"]?.array?.count == weights.count)
            #expect(profile["endValue"]?.integer(UInt64.self) == weights.reduce(0, +))
        }
    }

    @Test func thePageHasBothGraphsAndNothingFromElsewhere() throws {
        let message = try #require(try measured(sampleVectors + "/relay.json").last)
        let html = FlamePage(message, CallStacks(message)).html
        #expect(html.components("<svg").count == 3)
        #expect(!html.contains("http") && html.contains("prefers-color-scheme: dark"))
    }

    @Test func coloursSayWhetherTimeIsPaidFor() {
        #expect(FlamePage.colour(0, 100) == "#b8b8b8")
        // Ten gas, one nanosecond: as promised.
        #expect(FlamePage.colour(10_000, 1) == "rgb(235,235,235)")
        #expect(FlamePage.colour(10_000, 100) == "rgb(235,85,85)")
        #expect(FlamePage.colour(10_000_000, 1) == "rgb(85,85,235)")
    }

    @Test func theSmallestLimitWorksAndOneLessDoesNot() throws {
        let session = try #require(try sessions(sampleVectors + "/sieve.json").first)
        var search = GasLimitSearch(session, message: 0)
        let found = try search.run()
        #expect(found.limit <= found.originalLimit && found.smaller == nil)
        #expect(try session.run(message: 0, gasLimit: found.limit).messages[0].exitCode == found.exitCode)
        #expect(try session.run(message: 0, gasLimit: found.limit - 1).messages[0].exitCode == .sysOutOfGas)
        #expect(found.below?.exitCode == .sysOutOfGas)
    }
}

extension GasStatistics.Row: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.nanoseconds == right.nanoseconds
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] {
        self.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
