import Glibc
import Synchronization

/// What a thread sees of its work, whatever the result is.
private class AnyWork: @unchecked Sendable {
    func run() {}
}

/// Work that runs on a thread of its own while something else goes on.
public final class BackgroundWork<Result: Sendable>: Sendable {
    private let work: Work
    private let thread: pthread_t
    private let isJoined = Mutex(false)

    private final class Work: AnyWork, @unchecked Sendable {
        let body: @Sendable () -> Result
        let result = Mutex<Result?>(nil)

        init(_ body: @escaping @Sendable () -> Result) { self.body = body }

        override func run() {
            let made = body()
            result.withLock { $0 = made }
        }
    }

    /// Begins the work; nil where no thread can be started.
    public init?(_ body: @escaping @Sendable () -> Result) {
        work = Work(body)
        var thread = pthread_t()
        // The thread takes over the reference retained for it.
        let argument = Unmanaged.passRetained(work as AnyWork)
        let status = pthread_create(
            &thread, nil,
            {
                Unmanaged<AnyWork>.fromOpaque($0!).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        self.thread = thread
        guard status == 0 else {
            argument.release()
            isJoined.withLock { $0 = true }
            return nil
        }
    }

    deinit { join() }

    /// What it came to; waits for its end.
    public var value: Result? {
        join()
        return work.result.withLock { $0 }
    }

    /// Waits for its end.
    func join() {
        isJoined.withLock { isJoined in
            if !isJoined { pthread_join(thread, nil) }
            isJoined = true
        }
    }
}
