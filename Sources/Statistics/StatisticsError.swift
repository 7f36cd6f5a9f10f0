/// Why values cannot be summed up.
public enum StatisticsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There are none.
    case empty
    /// One of them is NaN or infinite.
    case notFinite
    /// Series that belong together have different lengths.
    case differentCounts(Int, Int)
    /// Values that have to be above zero are not: weights, denominators, what an error is relative to.
    case notPositive
    /// All values of a series are equal, so that nothing can be said of how another goes with it.
    case constant
    /// Fewer rounds than an interval needs.
    case tooFewRounds(Int)

    public var description: String {
        switch self {
        case .empty: "no values"
        case .notFinite: "a value is not finite"
        case .differentCounts(let first, let second): "series of \(first) and \(second) values"
        case .notPositive: "a value is not above zero"
        case .constant: "all values are equal"
        case .tooFewRounds(let count): "\(count) rounds, fewer than \(Rounds.least)"
        }
    }
}

/// Why a fit is no model. What is not fit for use has no numbers.
public enum NoModel: Error, Sendable, Equatable, CustomStringConvertible {
    /// Fewer points than `FitRules.leastPoints`.
    case tooFewPoints(Int)
    /// R² is below `FitRules.leastRSquared`: the columns say too little of the result.
    case poorFit(rSquared: Double)
    /// The values are of no use.
    case values(StatisticsError)

    public var description: String {
        switch self {
        case .tooFewPoints(let count): "\(count) points, fewer than \(FitRules.leastPoints)"
        case .poorFit(let rSquared):
            "R² \((rSquared * 1000).rounded(.down) / 1000), below \(FitRules.leastRSquared)"
        case .values(let error): error.description
        }
    }
}

/// When a fit is a model. The rules are those of Ethereum's repricing (EIP-7904's assets), which accepts R² above 0.5.
public enum FitRules {
    /// Points a fit needs.
    public static let leastPoints = 10
    /// The smallest coefficient of determination.
    public static let leastRSquared = 0.5
}

/// What every fit checks before it begins.
func checkSeries(_ series: [[Double]], weights: [Double]?, count: Int) throws(NoModel) {
    for values in series where values.count != count { throw .values(.differentCounts(values.count, count)) }
    if let weights, weights.count != count { throw .values(.differentCounts(weights.count, count)) }
    guard count >= FitRules.leastPoints else { throw .tooFewPoints(count) }
    guard series.allSatisfy({ $0.allSatisfy(\.isFinite) }), weights?.allSatisfy(\.isFinite) ?? true else {
        throw .values(.notFinite)
    }
    if let weights, !weights.allSatisfy({ $0 > 0 }) { throw .values(.notPositive) }
}

/// 1 − Σw·residual² ÷ Σw·(y − mean)²: the mean is taken away for fits without an intercept too, so that R² always
/// says how much better than the mean a fit is, and can be below zero.
func determination(_ y: [Double], residuals: [Double], weights: [Double]?) throws(NoModel) -> Double {
    var (sum, total) = (0.0, 0.0)
    for (index, value) in y.enumerated() {
        let weight = weights?[index] ?? 1
        sum += weight * value
        total += weight
    }
    let mean = sum / total
    var (left, spread) = (0.0, 0.0)
    for (index, value) in y.enumerated() {
        let weight = weights?[index] ?? 1
        left += weight * residuals[index] * residuals[index]
        spread += weight * (value - mean) * (value - mean)
    }
    guard spread > 0 else { throw .values(.constant) }
    return 1 - left / spread
}
