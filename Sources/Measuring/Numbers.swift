import JSON
import Statistics

extension JSONValue {
    /// A finite number with the digits that tell it apart; null for any other.
    public static func decimal(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        return .number(value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)")
    }

    /// A number with a fixed number of decimals; null for one that is not finite.
    public static func rounded(_ value: Double, _ decimals: Int) -> JSONValue {
        value.isFinite ? .number(Decimal.text(value, decimals)) : .null
    }

    /// A number; nil for other values.
    public var double: Double? { numberText.flatMap { Double($0) } }
}

extension Estimate {
    /// `{"value": …, "low": …, "high": …}`, with all digits.
    public var json: JSONValue { json { .decimal($0) } }

    /// The same with so many decimals.
    public func json(decimals: Int) -> JSONValue { json { .rounded($0, decimals) } }

    private func json(_ number: (Double) -> JSONValue) -> JSONValue {
        .object(["value": number(value), "low": number(interval.low), "high": number(interval.high)])
    }

    /// What `json` makes; nil for anything else.
    public init?(json: JSONValue?) {
        guard let value = json?["value"]?.double, let low = json?["low"]?.double, let high = json?["high"]?.double,
            low <= high
        else { return nil }
        self.init(value: value, interval: Interval(low: low, high: high))
    }
}

/// Numbers as text.
public enum Decimal {
    /// With a fixed number of decimals, rounded to nearest, and without a sign where that is zero; what is not finite
    /// or has no decimals left to round (9e15 and above, scaled) as Swift shows it.
    public static func text(_ value: Double, _ decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = UInt64(scaled)
        let divisor = UInt64(scale)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(whole)" }
        let fraction = String(whole % divisor)
        return "\(sign)\(whole / divisor)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
