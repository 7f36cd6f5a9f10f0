import CActorRuntime

/// The stack guests run on: this thread's own, with room for the deepest chain of actor calls (1,024 frames of
/// host and guest). Only what is used takes memory.
public enum GuestStack {
    /// A closure on its way through C.
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs `body` on the big stack and returns what it returns, or throws what it throws; on that stack already,
    /// it just calls.
    ///
    /// - Returns: nil when this machine has no room for the stack; `body` did not run then.
    public static func run<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        var result: Result<Value, Failure>?
        let status = withoutActuallyEscaping(body) { body in
            let job = Job {
                do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) }
            }
            // Sound: the job outlives the call, which is over before this closure returns.
            return withExtendedLifetime(job) {
                smelt_rt_run_on_stack(
                    { argument in
                        guard let argument else { return }
                        Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().body()
                    }, Unmanaged.passUnretained(job).toOpaque())
            }
        }
        guard status == 0 else { return nil }
        return try result?.get()
    }
}
