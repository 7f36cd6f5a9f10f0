import JSON
import Statistics

extension JSONValue {
    /// A finite number with the digits that tell it apart; null for any other.
    static func decimal(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        return .number(value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)")
    }
}

extension Estimate {
    /// `{"value": …, "low": …, "high": …}`
    var json: JSONValue {
        .object([
            "value": .decimal(value), "low": .decimal(interval.low), "high": .decimal(interval.high),
        ])
    }

    /// What `json` makes; nil for anything else.
    init?(json: JSONValue) {
        func number(_ name: String) -> Double? { json[name]?.numberText.flatMap(Double.init) }
        guard let value = number("value"), let low = number("low"), let high = number("high"), low <= high else {
            return nil
        }
        self.init(value: value, interval: Interval(low: low, high: high))
    }
}

/// A number with so many decimals, for people.
public func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale: Int64 = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int64((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % scale + scale).dropFirst()
    return "\(sign)\(scaled / scale).\(fraction)"
}
