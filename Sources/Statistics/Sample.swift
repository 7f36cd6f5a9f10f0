import CGSL

/// Measured values of one thing: at least one, all finite. Their unit is the caller's.
public struct Sample: Sendable, Hashable {
    /// The values, smallest first.
    public let sorted: [Double]

    public init(_ values: some Sequence<Double>) throws(StatisticsError) {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { throw .empty }
        // NaN has no place in an order; it may be anywhere.
        guard sorted.allSatisfy(\.isFinite) else { throw .notFinite }
        self.sorted = sorted
    }

    /// How many values there are.
    public var count: Int { sorted.count }
    /// The smallest value.
    public var minimum: Double { sorted[0] }
    /// The largest value.
    public var maximum: Double { sorted[count - 1] }
    /// The sum divided by the count.
    public var mean: Double { sorted.reduce(0, +) / Double(count) }
    /// The middle value, or halfway between the two in the middle.
    public var median: Double { percentile(50) }
    /// From the 25th to the 75th percentile.
    public var interquartileRange: Double { percentile(75) - percentile(25) }

    /// The value below which `p` per cent lie: at position (count − 1)·p/100 of the sorted values, counted from zero,
    /// linear between two neighbours (GSL's definition, and numpy's default).
    ///
    /// - Precondition: `p` is from 0 to 100.
    public func percentile(_ p: Double) -> Double {
        precondition((0...100).contains(p), "percentile \(p)")
        return gsl_stats_quantile_from_sorted_data(sorted, 1, count, p / 100)
    }

    /// The 99th percentile divided by the first: 1 when all values are equal. Of ns per gas over many programs it is
    /// the accuracy ratio of a price list.
    ///
    /// - Throws: `notPositive` when the first percentile is not above zero.
    public func accuracyRatio() throws(StatisticsError) -> Double {
        let low = percentile(1)
        guard low > 0 else { throw .notPositive }
        return percentile(99) / low
    }
}
