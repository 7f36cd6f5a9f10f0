import CActorRuntime
import Glibc
import Synchronization

/// A way to end a message that runs, from any thread; for simulations, as nothing on chain ever ends so. What was
/// interrupted has no receipt.
///
/// The host looks at every syscall whether it was asked. Guest code between two of them is ended by a signal, which
/// needs the handlers that code with guard pages has; code that checks bounds itself in a process without handlers runs
/// to its next syscall.
public final class Interruption: Sendable {
    private struct Running {
        /// Sound: the thread is in `during`, so its record exists.
        nonisolated(unsafe) var thread: OpaquePointer?
    }

    private static let attempts = 10_000
    private static let microsecondsBetween: UInt32 = 200

    private let requested = Atomic(false)
    private let running = Mutex(Running())

    public init() {}

    /// Whether an end was asked for; stays so until `reset`.
    public var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Asks the message that runs to end, now or before it begins. May be called again.
    ///
    /// Returns when it has ended, after two seconds at the latest: whoever is busy with the message then is the host or
    /// a callback, which looks by itself.
    public func request() {
        requested.store(true, ordering: .sequentiallyConsistent)
        // A signal that arrives outside of compiled code has no effect: others follow it.
        for _ in 0..<Self.attempts {
            let goesOn = running.withLock { running in
                // The thread itself is the host, which looks by itself.
                guard let thread = running.thread, thread != smelt_rt_thread_self() else { return false }
                return smelt_rt_interrupt(thread) == 0
            }
            guard goesOn else { return }
            usleep(Self.microsecondsBetween)
        }
    }

    /// Allows messages to run again.
    public func reset() { requested.store(false, ordering: .sequentiallyConsistent) }

    /// Runs `body`, which applies a message on this thread; requests reach it.
    public func during<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        running.withLock { $0.thread = smelt_rt_thread_self() }
        defer { running.withLock { $0.thread = nil } }
        return try body()
    }
}
