import CActorRuntime
import Engine
import Glibc

/// Notes every so often where the thread that started it is, with a label that says what it is doing. One at a time.
public final class ThreadSampler {
    /// One sample.
    public struct Sample: Sendable, Equatable {
        /// The address of an instruction.
        public var place: UInt64
        /// What was set last when it was taken.
        public var label: UInt64
    }

    private let buffer: UnsafeMutablePointer<smelt_rt_sample>
    private let capacity: Int

    /// - Parameter capacity: samples that are kept; 16 bytes each.
    public init(capacity: Int = 1 << 19) {
        self.capacity = capacity
        // Sound: freed by `deinit`, which stops what writes to it.
        buffer = .allocate(capacity: capacity)
        buffer.initialize(repeating: smelt_rt_sample(), count: capacity)
    }

    deinit {
        smelt_rt_sampler_stop()
        buffer.deallocate()
    }

    /// Begins; the thread has an alternate signal stack then.
    public func start(every nanoseconds: UInt64) throws(EngineError) {
        guard smelt_rt_thread_prepare() == 0 else { throw .artifact("no room for a signal stack") }
        let code = smelt_rt_sampler_start(nanoseconds, buffer, UInt32(clamping: capacity))
        guard code == 0 else { throw .artifact("no sampler: \(String(cString: strerror(code)))") }
    }

    /// What samples from now on carry; with 0 none are taken.
    public static func label(_ value: UInt64) { smelt_rt_sampler_label(value) }

    /// Samples so far.
    public var count: Int { Int(smelt_rt_sampler_count()) }

    /// Ends.
    public func stop() -> [Sample] {
        let count = Int(smelt_rt_sampler_stop())
        return (0..<count).map { Sample(place: buffer[$0].pc, label: buffer[$0].label) }
    }
}
