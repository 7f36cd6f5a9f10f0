/// What is said of equal work that was timed in the rounds of a run, one value a round, in the order of time.
///
/// Neighbours in time are alike: a machine is slow for seconds or minutes, not for one round. Drawn one by one, rounds
/// look more independent than they are, and the interval says how runs of one minute differ from themselves. So
/// rounds are also put together into stretches that follow one another, and the spread of these is a second witness
/// of what another run might show (the method of batch means); the interval is wide enough for both.
public enum Rounds {
    /// How many stretches a run is cut into: one for ten rounds, within these bounds, and no more than its rounds. Few
    /// stretches make wide intervals; in short ones neighbours are as alike as rounds are.
    public static let stretches = 5...12
    /// Rounds without which there is no interval.
    public static let least = 2

    /// The median of the rounds; its interval holds the bootstrap's and that of Student's t over the medians of
    /// the stretches.
    ///
    /// - Throws: `tooFewRounds`; `notFinite`.
    public static func median(
        _ values: [Double], bootstrap: Bootstrap = Bootstrap()
    ) throws(StatisticsError) -> Estimate {
        guard values.count >= least else { throw .tooFewRounds(values.count) }
        let drawn = bootstrap.median(try Sample(values))
        let count = min(max(stretches.lowerBound, min(stretches.upperBound, values.count / 10)), values.count)
        var medians: [Double] = []
        for stretch in 0..<count {
            let part = values[stretch * values.count / count..<(stretch + 1) * values.count / count]
            medians.append(try Sample(part).median)
        }
        let mean = medians.reduce(0, +) / Double(count)
        let variance = medians.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
        let error = (variance / Double(count)).squareRoot()
        let spread = StudentT(freedom: count - 1).interval(drawn.value, error: error, level: bootstrap.level)
        return Estimate(
            value: drawn.value,
            interval: Interval(
                low: min(drawn.interval.low, spread.low), high: max(drawn.interval.high, spread.high)))
    }

    /// The values as if the machine had always been as fast as in the median: each divided by what a fixed piece of
    /// work took in its round, times that work's median.
    ///
    /// - Precondition: as many values as yardsticks, which are above zero.
    public static func levelled(_ values: [Double], yardsticks: [Double]) -> [Double] {
        precondition(values.count == yardsticks.count, "\(values.count) values, \(yardsticks.count) yardsticks")
        guard let reference = try? Sample(yardsticks).median else { return values }
        return zip(values, yardsticks).map { $0 * reference / $1 }
    }
}
