import SeededRandom

/// Intervals by drawing, with repetition, as many values as were measured, again and again (Efron's percentile
/// method). Equal seeds and values give equal intervals.
///
/// The ends are percentiles of the statistic over `replicates` drawings, so a level near 1 needs many of them:
/// `replicates` · (1 − `level`) should be 10 or more.
public struct Bootstrap: Sendable {
    /// The share of intervals that hold the true value, above 0 and below 1.
    public var level: Double
    /// How often is drawn.
    public var replicates: Int
    /// Where the drawings begin.
    public var seed: UInt64

    /// - Precondition: `level` lies between 0 and 1, and `replicates` is above zero.
    public init(level: Double = 0.95, replicates: Int = 1_000, seed: UInt64 = 1) {
        precondition(level > 0 && level < 1 && replicates > 0, "bootstrap at level \(level), \(replicates) times")
        self.level = level
        self.replicates = replicates
        self.seed = seed
    }

    /// The interval of `statistic` over `items`, which may be anything: numbers, or the points of a fit.
    ///
    /// - Throws: `empty` without items; `notFinite` when `statistic` of some drawing is not finite.
    public func interval<Item>(
        of items: [Item], _ statistic: ([Item]) -> Double
    ) throws(StatisticsError) -> Interval {
        guard !items.isEmpty else { throw .empty }
        var random = SplitMix64(seed: seed)
        var drawn = items
        var results: [Double] = []
        results.reserveCapacity(replicates)
        for _ in 0..<replicates {
            for index in drawn.indices { drawn[index] = items[random.below(items.count)] }
            results.append(statistic(drawn))
        }
        return try middle(results)
    }

    /// A sample's median and its interval.
    public func median(_ sample: Sample) -> Estimate {
        var random = SplitMix64(seed: seed)
        let medians = (0..<replicates).map { _ in drawMedian(sample, &random) }
        // Medians of finite values are finite, and there are some: the middle is never refused.
        let interval = (try? middle(medians)) ?? Interval(low: sample.minimum, high: sample.maximum)
        return Estimate(value: sample.median, interval: interval)
    }

    /// The ratio of two medians of samples that were measured independently.
    ///
    /// - Throws: `notPositive` when a value of `denominator` is not above zero.
    public func medianRatio(_ numerator: Sample, to denominator: Sample) throws(StatisticsError) -> Estimate {
        guard denominator.minimum > 0 else { throw .notPositive }
        var random = SplitMix64(seed: seed)
        let ratios = (0..<replicates).map { _ in drawMedian(numerator, &random) / drawMedian(denominator, &random) }
        return Estimate(value: numerator.median / denominator.median, interval: try middle(ratios))
    }

    /// The median of one drawing. A draw of positions in the sorted values has its median at the position's median,
    /// so positions are counted instead of sorted.
    private func drawMedian(_ sample: Sample, _ random: inout SplitMix64) -> Double {
        let count = sample.count
        var times = [Int](repeating: 0, count: count)
        for _ in 0..<count { times[random.below(count)] += 1 }
        let lower = (count - 1) / 2
        let upper = count / 2
        var seen = 0
        var low: Double?
        for (index, drawn) in times.enumerated() where drawn > 0 {
            seen += drawn
            if low == nil, seen > lower { low = sample.sorted[index] }
            if seen > upper { return ((low ?? sample.sorted[index]) + sample.sorted[index]) / 2 }
        }
        return sample.maximum
    }

    private func middle(_ results: [Double]) throws(StatisticsError) -> Interval {
        let sample = try Sample(results)
        let tail = (1 - level) / 2 * 100
        return Interval(low: sample.percentile(tail), high: sample.percentile(100 - tail))
    }
}
