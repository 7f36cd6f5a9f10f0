import CActorRuntime
import Engine

/// Runs guests on this thread's big stack, whatever stack the caller has: no guest's frames can exhaust the host's.
enum GuestStack {
    /// What goes through C to the first frame of the big stack.
    private struct Job {
        let body: () -> Int32
        var trap: Int32
    }

    /// Runs `body` there and returns the trap it returns; the trap for a local failure when there is no such stack.
    /// Called on the big stack already, as in nested invocations, it only calls.
    static func run(_ body: () -> Int32) -> Int32 {
        withoutActuallyEscaping(body) { body in
            var job = Job(body: body, trap: Trap.localFailure.rawValue)
            // Sound: the job outlives the call, which is over when this returns.
            _ = withUnsafeMutablePointer(to: &job) { job in
                smelt_rt_run_on_stack(
                    { raw in
                        guard let job = raw?.assumingMemoryBound(to: Job.self) else { return }
                        job.pointee.trap = job.pointee.body()
                    }, UnsafeMutableRawPointer(job))
            }
            return job.trap
        }
    }
}
