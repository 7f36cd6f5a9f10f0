import CGSL

/// Decisions over many rows at once: of a hundred equal rows, five look different at the level of 5 %.
public enum Comparisons {
    /// How many rows are allowed to be called different falsely.
    public enum Correction: Sendable, Hashable {
        /// The chance of a single false one among all rows is at most the level (Holm 1979).
        case holm
        /// Of the rows that are called different, the expected share of false ones is at most the level (Benjamini and
        /// Hochberg 1995).
        case benjaminiHochberg
    }

    /// The p values, in their order, corrected for their number: a row is different where its corrected value is at
    /// most the level.
    ///
    /// - Precondition: each is from 0 to 1.
    public static func corrected(_ pValues: [Double], by correction: Correction) -> [Double] {
        precondition(pValues.allSatisfy { (0...1).contains($0) }, "a p value outside of 0 to 1")
        let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
        var out = pValues
        switch correction {
        case .holm:
            var largest = 0.0
            for (rank, index) in order.enumerated() {
                largest = max(largest, min(1, pValues[index] * Double(order.count - rank)))
                out[index] = largest
            }
        case .benjaminiHochberg:
            var smallest = 1.0
            for (rank, index) in order.enumerated().reversed() {
                smallest = min(smallest, pValues[index] * Double(order.count) / Double(rank + 1))
                out[index] = smallest
            }
        }
        return out
    }

    /// The chance of two estimates this far apart when what they estimate is equal: a test by Student's t whose standard
    /// errors are read off the widths of the intervals. It is what can be said when only estimates were kept.
    ///
    /// - Parameter freedom: degrees of freedom that each interval was made with, at least.
    /// - Precondition: `level`, that of both intervals, lies between 0 and 1.
    public static func pValue(
        _ first: Estimate, _ second: Estimate, freedom: Int = Rounds.stretches.lowerBound - 1, level: Double = 0.95
    ) -> Double {
        precondition(level > 0 && level < 1, "level \(level)")
        let reach = 2 * gsl_cdf_tdist_Pinv(0.5 + level / 2, Double(freedom))
        let errors = [first.interval.width / reach, second.interval.width / reach]
        let error = (errors[0] * errors[0] + errors[1] * errors[1]).squareRoot()
        // Two samples have more freedom than one, by how much depends on their errors: one's is the least it can be.
        return StudentT(freedom: freedom).pValue(first.value - second.value, error: error)
    }

    /// The level that each of `count` intervals needs so that all of them hold their true values at once with the
    /// chance `level` (Bonferroni); for `Bootstrap.level`, with replicates to match.
    public static func level(_ level: Double = 0.95, for count: Int) -> Double {
        1 - (1 - level) / Double(max(1, count))
    }
}
