/// A closed range in which a number is thought to lie, in the number's own unit.
public struct Interval: Sendable, Hashable {
    /// The lower end.
    public var low: Double
    /// The upper end.
    public var high: Double

    /// - Precondition: `low` is not above `high`.
    public init(low: Double, high: Double) {
        precondition(low <= high, "interval of \(low) and \(high)")
        self.low = low
        self.high = high
    }

    /// From the lower to the upper end.
    public var width: Double { high - low }

    /// Whether `value` lies within, ends included.
    public func contains(_ value: Double) -> Bool { low <= value && value <= high }

    /// Whether the two have a number in common.
    public func overlaps(_ other: Interval) -> Bool { low <= other.high && other.low <= high }
}

/// A number and the interval in which it is thought to lie.
public struct Estimate: Sendable, Hashable {
    /// The number, such as a median.
    public var value: Double
    /// Where it lies at some level of confidence, which whoever made it says.
    public var interval: Interval

    public init(value: Double, interval: Interval) {
        self.value = value
        self.interval = interval
    }

    /// Both in another unit.
    ///
    /// - Precondition: `factor` is above zero.
    public func scaled(by factor: Double) -> Estimate {
        Estimate(
            value: value * factor, interval: Interval(low: interval.low * factor, high: interval.high * factor))
    }
}
