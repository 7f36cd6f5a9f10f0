import Engine
import GasSchedule
import Primitives

/// Runs one invocation of an actor, from the initial memory charges to its outcome (FVM syscalls
/// specification, section 4.5).
public enum Invocation {
    /// - Parameters:
    ///   - params: the parameter block, or nil for handle 0.
    ///   - limiter: shared by all frames of the message; the caller saves and restores its level.
    /// - Returns: a completion, with exit code 4 for a trap.
    /// - Throws: `outOfGas`, `fatal` or `local`, never `syscall`.
    public static func run(
        _ code: BoundModule, frame: InvocationFrame, params: Block?, calls: any CallManager,
        limiter: ResourceLimiter
    ) throws(ExecutionError) -> InvocationResult {
        throw .local("not yet")
    }
}

/// How an invocation completed, with what a backtrace needs.
public struct InvocationResult: Sendable {
    public var outcome: CallOutcome
    /// What the actor or the host said about a non-zero exit, for people.
    public var message: String?
    /// The most recent syscall of the invocation when it had failed: the cause of a non-zero exit.
    public var lastError: SyscallFailure?

    public init(outcome: CallOutcome, message: String? = nil, lastError: SyscallFailure? = nil) {
        self.outcome = outcome
        self.message = message
        self.lastError = lastError
    }
}

/// A syscall that returned an error number.
public struct SyscallFailure: Sendable, Equatable {
    /// `module::name`.
    public var syscall: String
    public var number: ErrorNumber
    public var message: String

    public init(syscall: String, number: ErrorNumber, message: String) {
        self.syscall = syscall
        self.number = number
        self.message = message
    }
}
