import CGSL

/// A line of least squares, y = intercept + slope · x.
public struct Line: Sendable, Equatable {
    /// Units of y per unit of x.
    public var slope: Estimate
    /// Units of y; zero, with nothing to estimate, for a line through the origin.
    public var intercept: Estimate
    /// The chance of a slope this far from zero if the true one is zero (t test).
    public var slopePValue: Double
    /// The share of y's weighted variance that the line explains; the mean is taken away for lines through the
    /// origin too, so it can be compared between both kinds.
    public var rSquared: Double
    /// y − line, point by point.
    public var residuals: [Double]
    /// Points of the fit.
    public var count: Int { residuals.count }

    /// The line at `x`.
    public func value(at x: Double) -> Double { intercept.value + slope.value * x }

    /// The line for which Σ weight · (y − line)² is smallest.
    ///
    /// - Parameters:
    ///   - weights: relative ones, for instance 1/variance; nil for equal ones.
    ///   - intercept: false for a line through the origin.
    ///   - level: of the intervals, which are Student's with residuals taken as independent.
    /// - Throws: why there is no model: fewer than 10 points, R² below 0.5, values of no use.
    public static func fit(
        x: [Double], y: [Double], weights: [Double]? = nil, intercept: Bool = true, level: Double = 0.95
    ) throws(NoModel) -> Line {
        try checkSeries([x, y], weights: weights, count: y.count)
        guard let first = x.first, x.contains(where: { $0 != first }) else { throw .values(.constant) }
        let weight = weights ?? [Double](repeating: 1, count: y.count)
        var (base, slope) = (0.0, 0.0)
        var (baseVariance, covariance, slopeVariance, chiSquared) = (0.0, 0.0, 0.0, 0.0)
        // The series have equal lengths (checked above), which the library reads with stride 1.
        if intercept {
            gsl_fit_wlinear(
                x, 1, weight, 1, y, 1, y.count, &base, &slope, &baseVariance, &covariance, &slopeVariance,
                &chiSquared)
        } else {
            gsl_fit_wmul(x, 1, weight, 1, y, 1, y.count, &slope, &slopeVariance, &chiSquared)
        }
        let residuals = zip(x, y).map { $1 - (base + slope * $0) }
        let rSquared = try determination(y, residuals: residuals, weights: weights)
        guard rSquared >= FitRules.leastRSquared else { throw .poorFit(rSquared: rSquared) }
        // The library's variances hold for weights of 1/variance; relative weights need the variance that is seen.
        let freedom = y.count - (intercept ? 2 : 1)
        let student = StudentT(freedom: freedom)
        let scale = chiSquared / Double(freedom)
        let slopeError = (slopeVariance * scale).squareRoot()
        let baseError = (baseVariance * scale).squareRoot()
        return Line(
            slope: Estimate(value: slope, interval: student.interval(slope, error: slopeError, level: level)),
            intercept: Estimate(value: base, interval: student.interval(base, error: baseError, level: level)),
            slopePValue: student.pValue(slope, error: slopeError), rSquared: rSquared, residuals: residuals)
    }
}
