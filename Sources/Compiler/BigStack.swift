import Glibc

/// Runs work on a thread whose stack is as large as LLVM's recursion needs: its instruction selection recurses as
/// deep as expressions are nested, and nothing limits those in a module.
///
/// A thread, not a raised limit of the process's own stack: that one takes effect at the next exec only, and not at
/// all above a hard limit set by the system. The stack is address space; what is not used takes no memory.
enum BigStack {
    /// Bytes.
    static let size: UInt64 = 1 << 30

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
}
