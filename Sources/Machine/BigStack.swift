import CActorRuntime

/// Runs work on a stack with room for the deepest chain of actor calls: 1,024 frames of host and guest.
enum BigStack {
    /// A closure on its way through C.
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs `body` on this thread's big stack and returns what it returns, or throws what it throws.
    static func run(_ body: () throws(ApplyError) -> ApplyResult) throws(ApplyError) -> ApplyResult {
        var result: Result<ApplyResult, ApplyError>?
        let status = withoutActuallyEscaping(body) { body in
            let job = Job {
                do throws(ApplyError) { result = .success(try body()) } catch { result = .failure(error) }
            }
            // Sound: the job outlives the call, which is over before this closure returns.
            return smelt_rt_run_on_stack(
                { Unmanaged<Job>.fromOpaque($0!).takeUnretainedValue().body() },
                Unmanaged.passUnretained(job).toOpaque())
        }
        guard status == 0, let result else { throw .local("no room for a call stack") }
        return try result.get()
    }
}
