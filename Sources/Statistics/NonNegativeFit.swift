/// Least squares in several columns whose coefficients are not below zero, as times and prices are not.
///
/// The active set method of Lawson and Hanson ("Solving Least Squares Problems", 1974, chapter 23), each step of
/// which is one of GSL's ordinary fits of the columns that are free.
public struct NonNegativeFit: Sendable, Equatable {
    /// One column's share in the result.
    public struct Coefficient: Sendable, Equatable {
        /// Units of y per unit of the column; not below zero.
        public var value: Double
        /// Student's interval, and the chance of a value this far from zero if the true one is zero: both of the
        /// ordinary fit of the free columns alone. Nil for a column that is held at zero.
        public var interval: Interval?
        public var pValue: Double?
    }

    /// In the order of the columns.
    public var coefficients: [Coefficient]
    /// As in `Line.rSquared`.
    public var rSquared: Double
    /// y − fit, point by point.
    public var residuals: [Double]
    /// Points of the fit.
    public var count: Int { residuals.count }

    /// The coefficients, none below zero, for which Σ weight · (y − Σ coefficient · column)² is smallest. An intercept
    /// is a column of ones.
    ///
    /// - Throws: why there is no model: no more points than columns, fewer than 10 points, R² below 0.5, values of
    ///   no use.
    public static func fit(
        columns: [[Double]], y: [Double], weights: [Double]? = nil, level: Double = 0.95
    ) throws(NoModel) -> NonNegativeFit {
        guard !columns.isEmpty else { throw .values(.empty) }
        try checkSeries(columns + [y], weights: weights, count: y.count)
        guard y.count > columns.count else { throw .tooFewPoints(y.count) }
        let roots = weights?.map { $0.squareRoot() } ?? [Double](repeating: 1, count: y.count)
        let target = zip(y, roots).map { $0 * $1 }
        // Columns of length 1, so that one bound tells what is too small to be more than rounding.
        let weighted = columns.map { column in zip(column, roots).map { $0 * $1 } }
        let lengths = weighted.map { dot($0, $0).squareRoot() }
        let unit = zip(weighted, lengths).map { column, length in length > 0 ? column.map { $0 / length } : column }
        var search = ActiveSet(columns: unit, target: target)
        search.run()

        let values = zip(search.values, lengths).map { $1 > 0 ? $0 / $1 : 0 }
        let residuals = y.indices.map { row in
            y[row] - columns.indices.reduce(0) { $0 + values[$1] * columns[$1][row] }
        }
        let rSquared = try determination(y, residuals: residuals, weights: weights)
        guard rSquared >= FitRules.leastRSquared else { throw .poorFit(rSquared: rSquared) }
        var coefficients = values.map { Coefficient(value: $0, interval: nil, pValue: nil) }
        let free = search.free
        let variances = ordinaryFit(free.map { unit[$0] }, target).variances
        let student = StudentT(freedom: y.count - free.count)
        for (index, variance) in zip(free, variances) {
            let error = variance.squareRoot() / lengths[index]
            coefficients[index].interval = student.interval(values[index], error: error, level: level)
            coefficients[index].pValue = student.pValue(values[index], error: error)
        }
        return NonNegativeFit(coefficients: coefficients, rSquared: rSquared, residuals: residuals)
    }
}

/// The search for the columns that are free, that is, above zero.
private struct ActiveSet {
    let columns: [[Double]]
    let target: [Double]
    var values: [Double]
    var isFree: [Bool]

    init(columns: [[Double]], target: [Double]) {
        self.columns = columns
        self.target = target
        values = [Double](repeating: 0, count: columns.count)
        isFree = [Bool](repeating: false, count: columns.count)
    }

    var free: [Int] { columns.indices.filter { isFree[$0] } }

    /// Frees, one after the other, the column along which the error falls fastest. Each round leaves a smaller error,
    /// so no set of free columns comes twice; rounding could make one, and the bound on rounds (that of scipy) ends
    /// what it would begin.
    mutating func run() {
        let bound = 1e-10 * dot(target, target).squareRoot()
        for _ in 0..<3 * columns.count {
            let rest = target.indices.map { row in
                target[row] - columns.indices.reduce(0) { $0 + values[$1] * columns[$1][row] }
            }
            let slopes = columns.indices.map { isFree[$0] ? 0 : dot(columns[$0], rest) }
            guard let next = slopes.indices.max(by: { slopes[$0] < slopes[$1] }), slopes[next] > bound else { return }
            isFree[next] = true
            settle()
        }
    }

    /// Goes from the values towards the ordinary fit of the free columns; what reaches zero on the way is held there.
    private mutating func settle() {
        while true {
            let free = self.free
            let goal = ordinaryFit(free.map { columns[$0] }, target).values
            guard zip(free, goal).contains(where: { $1 <= 0 }) else {
                for (index, value) in zip(free, goal) { values[index] = value }
                return
            }
            let steps = zip(free, goal).map { $1 <= 0 ? values[$0] / (values[$0] - $1) : .infinity }
            let step = steps.min() ?? 0
            for (place, index) in free.enumerated() {
                values[index] += step * (goal[place] - values[index])
                guard steps[place] <= step || values[index] < 0 else { continue }
                values[index] = 0
                isFree[index] = false
            }
            if self.free.isEmpty { return }
        }
    }
}

private func dot(_ first: [Double], _ second: [Double]) -> Double {
    zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
}
