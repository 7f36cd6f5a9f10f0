import Glibc

/// Elapsed time by two clocks.
public struct ElapsedTime: Sendable {
    /// Time that passed.
    public var wall: Duration
    /// Processor time the calling thread used; what other processes do does not count.
    public var processor: Duration

    public static let zero = ElapsedTime(wall: .zero, processor: .zero)

    public static func + (left: ElapsedTime, right: ElapsedTime) -> ElapsedTime {
        ElapsedTime(wall: left.wall + right.wall, processor: left.processor + right.processor)
    }

    public static func - (left: ElapsedTime, right: ElapsedTime) -> ElapsedTime {
        ElapsedTime(wall: left.wall - right.wall, processor: left.processor - right.processor)
    }
}

/// A stopwatch for the calling thread.
public struct ExecutionClock: Sendable {
    private let start: ContinuousClock.Instant
    private let processorStart: Duration

    /// Starts now.
    public init() {
        start = .now
        processorStart = ExecutionClock.processorTime
    }

    /// Since the start; asked on the thread that started the clock.
    public var elapsed: ElapsedTime {
        ElapsedTime(wall: .now - start, processor: ExecutionClock.processorTime - processorStart)
    }

    private static var processorTime: Duration {
        var time = timespec()
        // Cannot fail: the clock exists on Linux, and the structure is ours.
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
