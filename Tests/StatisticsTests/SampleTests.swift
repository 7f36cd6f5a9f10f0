import SeededRandom
import Statistics
import Testing

@Suite struct SampleTests {
    let sample = try! Sample([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5])

    /// numpy.percentile([3,1,4,1,5,9,2,6,5,3,5], p), its default method.
    @Test(arguments: [(1.0, 1.0), (25, 2.5), (50, 4), (75, 5), (99, 8.7), (0, 1), (100, 9)])
    func percentilesAreNumpys(p: Double, value: Double) {
        #expect(near(sample.percentile(p), value))
    }

    @Test func summaries() throws {
        #expect(sample.minimum == 1 && sample.maximum == 9 && sample.count == 11)
        #expect(sample.median == 4 && sample.interquartileRange == 2.5)
        #expect(near(sample.mean, 4))
        #expect(try Sample([1, 2, 3, 10]).median == 2.5)
        #expect(try near(sample.accuracyRatio(), 8.7))
    }

    @Test func whatIsNoSampleIsRefused() {
        #expect(throws: StatisticsError.empty) { try Sample([]) }
        #expect(throws: StatisticsError.notFinite) { try Sample([1, .nan, 2]) }
        #expect(throws: StatisticsError.notFinite) { try Sample([1, .infinity]) }
        #expect(throws: StatisticsError.notPositive) { try Sample([-1, 1]).accuracyRatio() }
    }
}

@Suite struct BootstrapTests {
    /// 31 values around 100, with a far one.
    let values = (0..<30).map { 100 + Double($0 * 7 % 30) / 10 } + [250]

    @Test func equalSeedsGiveEqualIntervals() throws {
        let sample = try Sample(values)
        let first = Bootstrap(seed: 4).median(sample)
        #expect(first == Bootstrap(seed: 4).median(sample))
        #expect(first.value == sample.median)
        #expect(first.interval.contains(sample.median))
        #expect(first.interval.low > 100 && first.interval.high < 103)
    }

    /// The median of a drawing is found by counting; the general method sorts, and draws the same positions.
    @Test(arguments: [1, 2, 3, 10, 31]) func countingAndSortingAgree(count: Int) throws {
        let sample = try Sample(values.prefix(count))
        let bootstrap = Bootstrap(replicates: 200, seed: 8)
        let sorted = try bootstrap.interval(of: sample.sorted) { drawn in
            (try? Sample(drawn).median) ?? .nan
        }
        #expect(bootstrap.median(sample).interval == sorted)
    }

    /// Of 400 samples of 25 values, the 95 % interval holds the true median (0.5) in 374 to 395; the chance of fewer
    /// than 365 or more than 397 is below 1 in 1000 (percentile intervals of a median cover a little less than they
    /// claim). The numbers are the same in each run.
    @Test func intervalsHoldTheTrueMedian() throws {
        var random = SplitMix64(seed: 77)
        var held = 0
        for seed in 0..<400 {
            let sample = try Sample((0..<25).map { _ in Double.random(in: 0...1, using: &random) })
            if Bootstrap(replicates: 400, seed: UInt64(seed)).median(sample).interval.contains(0.5) { held += 1 }
        }
        #expect((365...397).contains(held))
    }

    @Test func aHigherLevelIsWider() throws {
        let sample = try Sample(values)
        let narrow = Bootstrap(level: 0.8).median(sample).interval
        let wide = Bootstrap(level: 0.99).median(sample).interval
        #expect(wide.low <= narrow.low && wide.high >= narrow.high && wide.width > narrow.width)
    }

    @Test func ratiosOfMedians() throws {
        let sample = try Sample(values)
        let double = try Sample(values.map { $0 * 2 })
        let ratio = try Bootstrap().medianRatio(double, to: sample)
        #expect(ratio.value == 2 && ratio.interval.contains(2) && ratio.interval.width < 0.1)
        #expect(throws: StatisticsError.notPositive) { try Bootstrap().medianRatio(sample, to: Sample([0, 1])) }
    }

    @Test func statisticsThatAreNoNumberAreRefused() {
        #expect(throws: StatisticsError.notFinite) { try Bootstrap().interval(of: [1, 2]) { _ in .nan } }
        #expect(throws: StatisticsError.empty) { try Bootstrap().interval(of: [Int]()) { _ in 0 } }
    }

    @Test func intervals() {
        let interval = Interval(low: 1, high: 2)
        #expect(interval.overlaps(Interval(low: 2, high: 3)) && !interval.overlaps(Interval(low: 2.1, high: 3)))
        #expect(interval.contains(1) && !interval.contains(0.9))
        let estimate = Estimate(value: 1.5, interval: interval).scaled(by: 10)
        #expect(estimate == Estimate(value: 15, interval: Interval(low: 10, high: 20)))
    }
}

/// Equal up to rounding.
func near(_ value: Double, _ expected: Double, within: Double = 1e-9) -> Bool {
    abs(value - expected) <= within * max(1, abs(expected))
}
