import Glibc
import Synchronization

/// Runs work on a thread whose stack is as large as LLVM's recursion needs: its instruction selection recurses as
/// deep as expressions are nested, and nothing limits those in a module.
///
/// A thread, not a raised limit of the process's own stack: that one takes effect at the next exec only, and not at
/// all above a hard limit set by the system. The stack is address space; what is not used takes no memory.
enum BigStack {
    /// Bytes.
    static let size: UInt64 = 1 << 30
    /// Bytes of address space that one more thread takes besides memory: the stack, and what the C library's allocator
    /// sets aside for it.
    static let addresses = size + 128 << 20

    private final class Work {
        let body: () -> Bool
        var result = false

        init(_ body: @escaping () -> Bool) { self.body = body }
    }

    /// Whether `body` ran and returned true.
    static func run(_ body: @escaping () -> Bool) -> Bool {
        let work = Work(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Int(size))
        var thread = pthread_t()
        // Sound: this frame waits for the thread, so the object outlives it.
        let code = pthread_create(
            &thread, &attributes,
            { opaque in
                guard let opaque else { return nil }
                let work = Unmanaged<Work>.fromOpaque(opaque).takeUnretainedValue()
                work.result = work.body()
                return nil
            }, Unmanaged.passUnretained(work).toOpaque())
        guard code == 0, pthread_join(thread, nil) == 0 else { return false }
        return work.result
    }

    /// Runs `body` for each number below `count`, on this thread and on more with stacks like its own, so many of
    /// them that `threads` work at a time; with fewer where the system gives no more.
    static func spread(_ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let numbers = Numbers(count, body)
        var helpers: [pthread_t] = []
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Int(size))
        let most = max(0, min(threads, count) - 1)
        raiseAddresses(by: rlim_t(most) * rlim_t(addresses))
        for _ in 0..<most {
            var thread = pthread_t()
            // Sound: this frame waits for every thread, so the object outlives them.
            let code = pthread_create(
                &thread, &attributes,
                { opaque in
                    if let opaque { Unmanaged<Numbers>.fromOpaque(opaque).takeUnretainedValue().work() }
                    return nil
                }, Unmanaged.passUnretained(numbers).toOpaque())
            if code == 0 { helpers.append(thread) }
        }
        numbers.work()
        for thread in helpers { pthread_join(thread, nil) }
        withExtendedLifetime(numbers) {}
    }

    /// Raises the process's limit of address space, where it has one, as far as it may.
    private static func raiseAddresses(by bytes: rlim_t) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return
        }
        limit.rlim_cur = min(limit.rlim_max, limit.rlim_cur + bytes)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    }

    /// Numbers that threads take one by one.
    private final class Numbers: Sendable {
        private let next = Atomic(0)
        private let count: Int
        private let body: @Sendable (Int) -> Void

        init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.body = body
        }

        func work() {
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < count else { return }
                body(number)
            }
        }
    }
}
