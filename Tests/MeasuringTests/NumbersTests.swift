import JSON
import Statistics
import Testing

@testable import Measuring

/// Numbers and tables as text.
@Suite struct NumbersTests {
    @Test(arguments: [
        (0.1234, 2, "0.12"), (-1.25, 1, "-1.3"), (12, 0, "12"), (0.999, 2, "1.00"), (-0.001, 2, "0.00"),
        (0.05, 3, "0.050"), (1234.5678, 0, "1235"), (1e300, 2, "1e+300"), (.infinity, 1, "inf"),
    ])
    func decimals(value: Double, decimals: Int, text: String) {
        #expect(Decimal.text(value, decimals) == text)
    }

    @Test func numbersComeBackFromJSON() throws {
        #expect(JSONValue.decimal(3) == .number("3") && JSONValue.decimal(0.1).double == 0.1)
        #expect(JSONValue.decimal(.nan) == .null && JSONValue.rounded(.infinity, 2) == .null)
        #expect(JSONValue.string("1").double == nil)
        let estimate = Estimate(value: 1.0 / 3, interval: Interval(low: 0.1, high: 2.0 / 3))
        #expect(Estimate(json: estimate.json) == estimate)
        #expect(estimate.json(decimals: 2).text() == #"{"value":0.33,"low":0.10,"high":0.67}"#)
        #expect(Estimate(json: .null) == nil && Estimate(json: nil) == nil)
        #expect(Estimate(json: .object(["value": .integer(1), "low": .integer(2), "high": .integer(1)])) == nil)
    }

    @Test func tables() {
        let rows = JSONValue.array([
            .object(["a": .string("x,\"y\""), "b": .null]), .object(["a": .integer(1), "b": .bool(true)]),
        ])
        #expect(CSV.text(rows) == "a,b\r\n\"x,\"\"y\"\"\",\r\n1,true\r\n")
        #expect(CSV.text(.array([])).isEmpty)
    }

    /// An estimate's ends have columns of their own, also where the first row has none.
    @Test func estimatesTakeThreeColumns() {
        let estimate = Estimate(value: 2, interval: Interval(low: 1, high: 3)).json
        let rows = JSONValue.array([
            .object(["a": .integer(1), "t": .null]), .object(["a": .integer(2), "t": estimate]),
        ])
        #expect(CSV.text(rows) == "a,t,t_low,t_high\r\n1,,,\r\n2,2,1,3\r\n")
    }

    /// It does its work: a compiler that sees that nobody uses the result leaves it out.
    @Test(arguments: [Yardstick.Work.arithmetic, .host]) func theYardstickTakesItsTime(_ work: Yardstick.Work) {
        var yardstick = Yardstick(work)
        let times = (0..<5).map { _ in yardstick.measure() }
        #expect(times.allSatisfy { $0 > 5_000 && $0 < 1e7 } && yardstick.checksum != 0)
    }
}
