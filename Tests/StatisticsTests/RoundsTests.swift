import SeededRandom
import Testing

@testable import Statistics

/// Whether an interval says what another run would show, on clocks that drift.
@Suite struct RoundsTests {
    /// A machine whose speed wanders: what work of 100 ns takes in round after round, with what a yardstick says.
    private struct Machine {
        var random: SplitMix64
        /// The share of the speed's deviation that the next round keeps; near 1 is a slow drift.
        var memory: Double
        var drift: Double
        var noise: Double
        private var deviation = 0.0

        init(seed: UInt64, memory: Double, drift: Double, noise: Double) {
            random = SplitMix64(seed: seed)
            self.memory = memory
            self.drift = drift
            self.noise = noise
            // As after a long time.
            for _ in 0..<1_000 { step() }
        }

        /// A normal number by the sum of twelve uniform ones.
        mutating func normal() -> Double {
            (0..<12).reduce(-6) { sum, _ in sum + Double(random.next() >> 11) / 0x1p53 }
        }

        private mutating func step() {
            deviation = memory * deviation + (1 - memory * memory).squareRoot() * drift * normal()
        }

        mutating func run(rounds: Int) -> (times: [Double], yardsticks: [Double]) {
            var (times, yardsticks): ([Double], [Double]) = ([], [])
            for _ in 0..<rounds {
                step()
                let slowness = 1 + deviation
                times.append(100 * slowness * (1 + noise * normal()))
                yardsticks.append(40 * slowness * (1 + noise / 4 * normal()))
            }
            return (times, yardsticks)
        }
    }

    /// The share of pairs of runs in a row whose intervals do not overlap.
    private func disagreements(
        memory: Double, drift: Double, isLevelled: Bool, _ estimate: ([Double]) throws -> Estimate
    ) throws -> Double {
        var count = 0
        let pairs = 200
        for pair in 0..<pairs {
            var machine = Machine(seed: UInt64(pair), memory: memory, drift: drift, noise: 0.02)
            let intervals = try (0..<2).map { _ in
                let run = machine.run(rounds: 40)
                let times =
                    isLevelled
                    ? zip(run.times, run.yardsticks).map { $0 / $1 } : run.times
                return try estimate(times).interval
            }
            if !intervals[0].overlaps(intervals[1]) { count += 1 }
        }
        return Double(count) / Double(pairs)
    }

    private let bootstrap = Bootstrap(replicates: 200)

    /// Intervals at 95 % of two runs overlap in more than 99 % of pairs of which nothing changed.
    @Test(arguments: [0.0, 0.5, 0.8]) func anIntervalHoldsWhatAnotherRunShows(memory: Double) throws {
        let share = try disagreements(memory: memory, drift: 0.05, isLevelled: false) {
            try Rounds.median($0, bootstrap: bootstrap)
        }
        #expect(share <= 0.02, "\(share)")
    }

    /// The test can fail: rounds drawn one by one claim more than they know of a machine that drifts.
    @Test func roundsDrawnOneByOneDisagree() throws {
        let share = try disagreements(memory: 0.8, drift: 0.05, isLevelled: false) {
            bootstrap.median(try Sample($0))
        }
        #expect(share > 0.05, "\(share)")
    }

    /// A drift slower than a run, which no look at one run can tell, is taken away by the yardstick.
    @Test func theYardstickTakesSlowDriftsAway() throws {
        let slow = 0.995
        let raw = try disagreements(memory: slow, drift: 0.1, isLevelled: false) {
            try Rounds.median($0, bootstrap: bootstrap)
        }
        let levelled = try disagreements(memory: slow, drift: 0.1, isLevelled: true) {
            try Rounds.median($0, bootstrap: bootstrap)
        }
        #expect(levelled <= 0.02 && raw > levelled, "\(raw), levelled \(levelled)")
    }

    /// With rounds that are independent the interval is as narrow as they allow: 40 rounds of 2 % noise.
    @Test func anIntervalIsNoWiderThanItHasToBe() throws {
        var machine = Machine(seed: 1, memory: 0, drift: 0, noise: 0.02)
        let widths = try (0..<50).map { _ in
            try Rounds.median(machine.run(rounds: 40).times, bootstrap: bootstrap).interval.width
        }
        #expect(try Sample(widths).median < 3 && Sample(widths).median > 1)
    }

    @Test func levelledTimesAreThoseOfAMedianMachine() {
        #expect(Rounds.levelled([10, 22, 30], yardsticks: [1, 2, 3]) == [20, 22, 20])
    }

    @Test func oneRoundHasNoInterval() throws {
        #expect(throws: StatisticsError.tooFewRounds(1)) { try Rounds.median([1]) }
        #expect(throws: StatisticsError.notFinite) { try Rounds.median([1, .nan]) }
        let two = try Rounds.median([1, 2])
        #expect(two.value == 1.5 && two.interval.width > 10)
    }
}
