import Glibc

/// The clock that spans are measured with: CLOCK_MONOTONIC, in nanoseconds.
public struct SpanClock: Sendable {
    /// What reading it costs, nanoseconds: the least difference of two readings in a row.
    public let cost: UInt64

    /// Measures its own cost.
    public init() {
        var least = UInt64.max
        for _ in 0..<2_000 {
            let first = SpanClock.read()
            least = min(least, SpanClock.read() &- first)
        }
        cost = least
    }

    /// Nanoseconds since some point in the past.
    var now: UInt64 { SpanClock.read() }

    static func read() -> UInt64 {
        var time = timespec()
        // As above.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
