import Statistics
import Testing

@Suite struct AgreementTests {
    /// scipy.stats.spearmanr(a, b).statistic
    @Test func rankCorrelationIsScipys() throws {
        let a: [Double] = [1, 2, 2, 4, 5, 6, 7, 8]
        let b: [Double] = [3, 1, 2, 2, 6, 5, 9, 7]
        #expect(try near(Agreement.rankCorrelation(a, b), 0.7891566265060239))
        #expect(try near(Agreement.rankCorrelation(a, a.map { $0 * $0 }), 1))
        #expect(try near(Agreement.rankCorrelation(a, a.map { -$0 }), -1))
        #expect(throws: StatisticsError.constant) { try Agreement.rankCorrelation(a, a.map { _ in 1 }) }
        #expect(throws: StatisticsError.differentCounts(8, 7)) {
            try Agreement.rankCorrelation(a, Array(b.dropLast()))
        }
    }

    @Test func percentageErrors() throws {
        #expect(try near(Agreement.meanAbsolutePercentageError(actual: [100, 200], predicted: [90, 240]), 0.15))
        #expect(throws: StatisticsError.notPositive) {
            try Agreement.meanAbsolutePercentageError(actual: [0, 1], predicted: [1, 1])
        }
        #expect(throws: StatisticsError.empty) {
            try Agreement.meanAbsolutePercentageError(actual: [], predicted: [])
        }
    }
}

@Suite struct ComparisonsTests {
    let pValues = [0.01, 0.04, 0.03, 0.005, 0.5]

    /// By Holm's definition: 5·0.005, 4·0.01, 3·0.03, then max(2·0.04, 0.09), 1·0.5.
    @Test func holm() {
        let corrected = Comparisons.corrected(pValues, by: .holm)
        #expect(zip(corrected, [0.04, 0.09, 0.09, 0.025, 0.5]).allSatisfy { near($0, $1) })
    }

    /// scipy.stats.false_discovery_control(p, method='bh')
    @Test func benjaminiHochberg() {
        let corrected = Comparisons.corrected(pValues, by: .benjaminiHochberg)
        #expect(zip(corrected, [0.025, 0.05, 0.05, 0.025, 0.5]).allSatisfy { near($0, $1) })
    }

    @Test func correctedValuesAreChances() {
        #expect(Comparisons.corrected([0.9, 0.8], by: .holm) == [1, 1])
        #expect(Comparisons.corrected([], by: .benjaminiHochberg) == [])
    }

    /// 2·scipy.stats.t.sf(1 / hypot(0.5, 0.9) · 2·t.ppf(0.975, 11), 11)
    @Test func pValuesOfEstimates() {
        let first = Estimate(value: 10, interval: Interval(low: 9.8, high: 10.3))
        let second = Estimate(value: 11, interval: Interval(low: 10.5, high: 11.4))
        #expect(near(Comparisons.pValue(first, second, freedom: 11), 0.0013083940458764839))
        #expect(near(Comparisons.pValue(first, first), 1))
        let exact = Estimate(value: 1, interval: Interval(low: 1, high: 1))
        #expect(Comparisons.pValue(exact, exact) == 1)
    }

    @Test func levelsForManyRows() {
        #expect(near(Comparisons.level(for: 100), 0.9995))
        #expect(Comparisons.level(for: 1) == 0.95)
    }
}
