import CGSL

/// How well one series tells of another.
public enum Agreement {
    /// Spearman's rank correlation, from −1 to 1: 1 when y grows wherever x grows. Equal values share the mean of
    /// their ranks.
    ///
    /// - Throws: `empty`, `differentCounts`, `notFinite`, or `constant` for a series of equal values.
    public static func rankCorrelation(_ x: [Double], _ y: [Double]) throws(StatisticsError) -> Double {
        try check(x, y)
        for series in [x, y] where series.allSatisfy({ $0 == series[0] }) { throw .constant }
        var work = [Double](repeating: 0, count: 2 * x.count)
        return gsl_stats_spearman(x, 1, y, 1, x.count, &work)
    }

    /// The mean of |actual − predicted| ÷ |actual|; 0.1 is ten per cent (MAPE).
    ///
    /// - Throws: `empty`, `differentCounts`, `notFinite`, or `notPositive` when an actual value is zero.
    public static func meanAbsolutePercentageError(
        actual: [Double], predicted: [Double]
    ) throws(StatisticsError) -> Double {
        try check(actual, predicted)
        guard !actual.contains(0) else { throw .notPositive }
        return zip(actual, predicted).reduce(0) { $0 + abs(($1.0 - $1.1) / $1.0) } / Double(actual.count)
    }

    private static func check(_ x: [Double], _ y: [Double]) throws(StatisticsError) {
        guard x.count == y.count else { throw .differentCounts(x.count, y.count) }
        guard !x.isEmpty else { throw .empty }
        guard x.allSatisfy(\.isFinite), y.allSatisfy(\.isFinite) else { throw .notFinite }
    }
}
