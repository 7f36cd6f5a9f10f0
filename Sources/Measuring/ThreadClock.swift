import Glibc
import SeededRandom
import Statistics

/// Processor time of the calling thread: what other processes take of the processor does not count, what they do to
/// its caches and its clock does.
public enum ThreadClock {
    /// Nanoseconds.
    public static var now: UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// Nanoseconds of the monotonic clock, for budgets.
    public static var wall: UInt64 { read(CLOCK_MONOTONIC) }

    /// The smallest step the clock claims, in nanoseconds.
    public static var resolution: UInt64 {
        var time = timespec()
        clock_getres(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What one reading takes, in nanoseconds, over 1,001 pairs of readings.
    public static func overhead() -> Estimate {
        let pairs = (0..<1_001).map { _ in
            let start = now
            return Double(now - start)
        }
        guard let sample = try? Sample(pairs) else { return Estimate(value: 0, interval: Interval(low: 0, high: 0)) }
        return Bootstrap(replicates: 200).median(sample)
    }

    /// How much equal work differs in time: the interquartile range of 200 equal runs of about 100 µs, divided by their
    /// median.
    public static func noise() -> Double {
        let runs = (0..<200).map { seed in
            let start = now
            var random = SplitMix64(seed: UInt64(seed))
            var sum: UInt64 = 0
            for _ in 0..<60_000 { sum &+= random.next() }
            let end = now
            // The sum is used, so the loop is not removed; it is never zero for all seeds.
            return Double(end - start) + (sum == 0 ? 1 : 0)
        }
        guard let sample = try? Sample(runs), sample.median > 0 else { return 0 }
        return sample.interquartileRange / sample.median
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
