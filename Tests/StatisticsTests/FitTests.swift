import SeededRandom
import Statistics
import Testing

/// Expected numbers: numpy's linear algebra, b = (XᵀWX)⁻¹XᵀWy, errors from s² = Σw·r²/(n − p), quantiles and p values
/// of scipy.stats.t; the unweighted line is scipy.stats.linregress's too.
@Suite struct LineTests {
    let x = (1...12).map(Double.init)
    let y = [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 13.8, 16.1, 18.0, 20.2, 21.9, 24.3]
    let weights = [1.0, 2, 1, 3, 1, 1, 2, 1, 4, 1, 1, 2]

    @Test func withIntercept() throws {
        let line = try Line.fit(x: x, y: y)
        #expect(near(line.slope.value, 2.009790209790211))
        #expect(near(line.slope.interval.low, 1.977717515401903))
        #expect(near(line.slope.interval.high, 2.041862904178518))
        #expect(near(line.intercept.value, -0.013636363636366))
        #expect(near(line.intercept.interval.low, -0.24968500294999))
        #expect(near(line.intercept.interval.high, 0.222412275677258))
        #expect(near(line.rSquared, 0.999487301299002))
        #expect(near(line.slopePValue / 8.71975868446196e-18, 1, within: 1e-6))
        #expect(line.count == 12 && near(line.residuals[0], 2.1 - line.value(at: 1)))
    }

    @Test func weighted() throws {
        let line = try Line.fit(x: x, y: y, weights: weights)
        #expect(near(line.slope.value, 2.019446922390723))
        #expect(near(line.slope.interval.low, 1.987076225062563))
        #expect(near(line.slope.interval.high, 2.051817619718883))
        #expect(near(line.intercept.value, -0.120294380017848))
        #expect(near(line.rSquared, 0.999482714852485))
        let scaled = try Line.fit(x: x, y: y, weights: weights.map { $0 * 1000 })
        #expect(near(scaled.slope.interval.low, line.slope.interval.low))
    }

    @Test func throughTheOrigin() throws {
        let line = try Line.fit(x: x, y: y, intercept: false)
        #expect(near(line.slope.value, 2.008153846153846))
        #expect(near(line.slope.interval.low, 1.993973566830441))
        #expect(near(line.slope.interval.high, 2.022334125477252))
        #expect(near(line.rSquared, 0.999486451843047))
        #expect(line.intercept == Estimate(value: 0, interval: Interval(low: 0, high: 0)))
        let weighted = try Line.fit(x: x, y: y, weights: weights, intercept: false)
        #expect(near(weighted.slope.value, 2.005080213903743))
        #expect(near(weighted.slope.interval.low, 1.990642810286279))
        #expect(near(weighted.rSquared, 0.999419497221519))
    }

    @Test func whatIsNoModelHasNoNumbers() {
        #expect(throws: NoModel.tooFewPoints(9)) { try Line.fit(x: Array(x.prefix(9)), y: Array(y.prefix(9))) }
        #expect(throws: NoModel.values(.differentCounts(11, 12))) { try Line.fit(x: Array(x.dropLast()), y: y) }
        #expect(throws: NoModel.values(.constant)) { try Line.fit(x: x.map { _ in 3 }, y: y) }
        #expect(throws: NoModel.values(.constant)) { try Line.fit(x: x, y: x.map { _ in 3 }) }
        #expect(throws: NoModel.values(.notPositive)) { try Line.fit(x: x, y: y, weights: x.map { $0 - 1 }) }
        #expect(throws: NoModel.values(.notFinite)) { try Line.fit(x: x, y: y.map { $0 > 20 ? .nan : $0 }) }
        // scipy.stats.linregress(x, [5,1,…]).rvalue ** 2
        let scattered: [Double] = [5, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
        #expect { try Line.fit(x: x, y: scattered) } throws: { error in
            guard case NoModel.poorFit(let rSquared) = error else { return false }
            return near(rSquared, 0.15415019762845855)
        }
        // Far from the origin the best line through it is worse than the mean.
        #expect { try Line.fit(x: x, y: x.map { 100 - $0 }, intercept: false) } throws: { error in
            guard case NoModel.poorFit(let rSquared) = error else { return false }
            return rSquared < 0
        }
    }

    @Test func reasonsAreSaid() {
        #expect(NoModel.tooFewPoints(9).description == "9 points, fewer than 10")
        #expect(NoModel.poorFit(rSquared: 0.49999).description == "R² 0.499, below 0.5")
    }
}

/// Expected numbers: scipy.optimize.nnls; intervals and p values are those of the ordinary fit of the columns above
/// zero, by numpy as above.
@Suite struct NonNegativeFitTests {
    let columns: [[Double]] = [
        [8.7, 7.2, 0.3, 0.1, 3.2, 2.8, 8.8, 9.2, 4.8, 1.3, 3.8, 9.3, 6.0, 7.7],
        [2.9, 9.2, 4.4, 8.3, 7.1, 7.8, 9.1, 0.9, 7.9, 9.6, 6.2, 7.6, 5.9, 6.7],
        [6.0, 8.6, 4.8, 9.8, 3.0, 9.9, 7.1, 3.7, 2.0, 1.3, 7.8, 3.2, 2.7, 8.0],
        [7.8, 9.2, 0.7, 7.8, 7.4, 9.9, 5.5, 6.1, 0.6, 2.3, 0.8, 1.9, 1.7, 2.2],
    ]
    let y = [11.34, 9.51, 2.07, -3.63, 2.65, -0.28, 16.21, 13.47, 13.01, 4.95, 9.63, 20.42, 13.26, 16.73]

    @Test func columnsThatWouldBeNegativeAreHeldAtZero() throws {
        let fit = try NonNegativeFit.fit(columns: columns, y: y)
        #expect(near(fit.coefficients[0].value, 1.754736719995845))
        #expect(near(fit.coefficients[1].value, 0.03845844701616581))
        #expect(fit.coefficients[2].value == 0 && fit.coefficients[3].value == 0)
        #expect(near(fit.rSquared, 0.7606560675050235))
        let interval = try #require(fit.coefficients[0].interval)
        #expect(near(interval.low, 1.23849314, within: 1e-8) && near(interval.high, 2.2709803, within: 1e-8))
        #expect(near(try #require(fit.coefficients[0].pValue), 8.20900821e-06, within: 1e-10))
        #expect(near(try #require(fit.coefficients[1].pValue), 0.854291090, within: 1e-8))
        #expect(fit.coefficients[2].interval == nil && fit.coefficients[2].pValue == nil)
    }

    @Test func weighted() throws {
        let fit = try NonNegativeFit.fit(columns: columns, y: y, weights: (1...14).map(Double.init))
        #expect(near(fit.coefficients[0].value, 1.8734447773057559))
        #expect(near(fit.coefficients[1].value, 0.13460364785250153))
    }

    /// Many random problems: no coefficient is below zero, and no column could still lower the error (the conditions
    /// of Karush, Kuhn and Tucker, which only the solution meets).
    @Test func theConditionsOfTheSolutionHold() throws {
        var random = SplitMix64(seed: 3)
        var solved = 0
        var held = 0
        for _ in 0..<200 {
            let columns = (0..<6).map { _ in (0..<20).map { _ in Double.random(in: -1...2, using: &random) } }
            let truth = (0..<6).map { _ in Double.random(in: -1...2, using: &random) }
            let y = (0..<20).map { row in
                (0..<6).reduce(Double.random(in: -0.1...0.1, using: &random)) { $0 + truth[$1] * columns[$1][row] }
            }
            guard let fit = try? NonNegativeFit.fit(columns: columns, y: y) else { continue }
            solved += 1
            for (column, coefficient) in zip(columns, fit.coefficients) {
                let slope = zip(column, fit.residuals).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(coefficient.value >= 0)
                #expect(coefficient.value > 0 ? abs(slope) < 1e-8 : slope < 1e-8)
                if coefficient.value == 0 { held += 1 }
            }
        }
        #expect(solved > 100 && held > 100)
    }

    @Test func equalColumnsDoNoHarm() throws {
        let fit = try NonNegativeFit.fit(columns: [columns[0], columns[0]], y: y)
        let alone = try NonNegativeFit.fit(columns: [columns[0]], y: y)
        #expect(near(fit.coefficients[0].value + fit.coefficients[1].value, alone.coefficients[0].value))
    }

    @Test func whatIsNoModelHasNoNumbers() {
        #expect(throws: NoModel.values(.empty)) { try NonNegativeFit.fit(columns: [], y: y) }
        #expect(throws: NoModel.tooFewPoints(9)) {
            try NonNegativeFit.fit(columns: [Array(columns[0].prefix(9))], y: Array(y.prefix(9)))
        }
        #expect(throws: NoModel.tooFewPoints(14)) {
            try NonNegativeFit.fit(columns: Array(repeating: columns[0], count: 14), y: y)
        }
        #expect { try NonNegativeFit.fit(columns: [columns[3]], y: y) } throws: { error in
            guard case NoModel.poorFit = error else { return false }
            return true
        }
    }
}
