import CActorRuntime

/// The stack guests run on: this thread's own, with room for the deepest chain of actor calls (1,024 frames of
/// host and guest). Only what is used takes memory.
public enum GuestStack {
    /// What goes through C to the first frame of the big stack.
    private struct Job {
        let body: () -> Void
    }

    /// Runs `body` on the big stack and returns what it returns, or throws what it throws; on that stack already,
    /// it just calls.
    ///
    /// - Returns: nil when this machine has no room for the stack; `body` did not run then.
    @inlinable public static func run<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        if isCurrent { return try body() }
        var result: Result<Value, Failure>?
        enter { do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) } }
        return try result?.get()
    }

    /// Whether this thread is on its big stack already.
    public static var isCurrent: Bool { smelt_rt_on_big_stack() != 0 }

    /// Runs `body` on the stack the thread was born with, and comes back: for calls of a foreign runtime, which may know
    /// the bounds of its threads' stacks. Off the big stack it just calls.
    public static func onOwnStack<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard isCurrent else { return try body() }
        var result: Result<Value, Failure>?
        leave { do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) } }
        guard let result else { fatalError("the runtime did not run what it was given") }
        return try result.get()
    }

    private static func leave(_ body: () -> Void) {
        withoutActuallyEscaping(body) { body in
            var job = Job(body: body)
            // Sound: the job outlives the call, which is over when this returns.
            withUnsafeMutablePointer(to: &job) { job in
                smelt_rt_run_on_own_stack(
                    { raw in raw?.assumingMemoryBound(to: Job.self).pointee.body() }, UnsafeMutableRawPointer(job))
            }
        }
    }

    /// Not generic: the types would be looked up at run time for each message.
    @usableFromInline static func enter(_ body: () -> Void) {
        withoutActuallyEscaping(body) { body in
            var job = Job(body: body)
            // Sound: the job outlives the call, which is over when this returns.
            _ = withUnsafeMutablePointer(to: &job) { job in
                smelt_rt_run_on_stack(
                    { raw in raw?.assumingMemoryBound(to: Job.self).pointee.body() }, UnsafeMutableRawPointer(job))
            }
        }
    }
}
