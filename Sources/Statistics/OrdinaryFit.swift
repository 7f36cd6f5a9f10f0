import CGSL

/// GSL's fit of several columns by singular values: coefficients and their variances (scaled by the variance of what
/// is left over). Columns that say the same share the coefficient.
func ordinaryFit(_ columns: [[Double]], _ target: [Double]) -> (values: [Double], variances: [Double]) {
    let (rows, count) = (target.count, columns.count)
    precondition(count > 0 && rows > count, "a fit of \(rows) rows and \(count) columns")
    // Everything is made and freed here, and each index is below the sizes given at its making. Allocation of so
    // little does not fail short of the process's end.
    guard let workspace = gsl_multifit_linear_alloc(rows, count), let matrix = gsl_matrix_alloc(rows, count),
        let covariance = gsl_matrix_alloc(count, count), let right = gsl_vector_alloc(rows),
        let solution = gsl_vector_alloc(count)
    else { fatalError("no memory for a fit of \(rows) rows") }
    defer {
        gsl_multifit_linear_free(workspace)
        gsl_matrix_free(matrix)
        gsl_matrix_free(covariance)
        gsl_vector_free(right)
        gsl_vector_free(solution)
    }
    for row in 0..<rows {
        gsl_vector_set(right, row, target[row])
        for column in 0..<count { gsl_matrix_set(matrix, row, column, columns[column][row]) }
    }
    var chiSquared = 0.0
    gsl_multifit_linear(matrix, right, solution, covariance, &chiSquared, workspace)
    return (
        (0..<count).map { gsl_vector_get(solution, $0) },
        (0..<count).map { max(0, gsl_matrix_get(covariance, $0, $0)) }
    )
}
