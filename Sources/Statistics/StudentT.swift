import CGSL

/// Student's t distribution with a number of degrees of freedom above zero.
struct StudentT {
    let freedom: Double

    init(freedom: Int) { self.freedom = Double(freedom) }

    /// `value` ± the quantile that leaves 1 − `level` outside, times the standard error.
    func interval(_ value: Double, error: Double, level: Double) -> Interval {
        let reach = gsl_cdf_tdist_Pinv(0.5 + level / 2, freedom) * error
        return Interval(low: value - reach, high: value + reach)
    }

    /// The chance of a value this far from zero, on either side, when the true one is zero.
    func pValue(_ value: Double, error: Double) -> Double {
        guard error > 0 else { return value == 0 ? 1 : 0 }
        return 2 * gsl_cdf_tdist_Q(abs(value) / error, freedom)
    }
}
