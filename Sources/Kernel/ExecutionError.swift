import Engine
import IPLD
import Primitives
import StateTree

/// How something below an actor ended otherwise than by success (FVM syscalls specification, section 3; ref-fvm
/// `ExecutionError` and `Abort`). The one list of such ends: the failures of lower layers become one of these.
public enum ExecutionError: Error, Sendable, Equatable {
    /// Returned to the calling actor as its syscall's number.
    case refused(ErrorNumber, Diagnostic)
    /// `vm::exit`: the code as the caller will see it, and the handle of the block that goes with it. Ends an
    /// invocation and goes no further.
    case exit(ExitCode, block: UInt32, Diagnostic)
    case outOfGas
    /// Ends the message: exit code 10, the whole gas limit.
    case fatal(String)
    /// A failure of this machine; it aborts the execution and never becomes a receipt.
    case local(String)

    /// A refusal with a text that is made when it is read.
    public static func syscall(
        _ number: ErrorNumber, _ text: @autoclosure @escaping @Sendable () -> String
    ) -> ExecutionError { .refused(number, Diagnostic(text)) }
}

extension ExecutionError {
    /// An engine fails for reasons of this machine alone.
    public init(_ error: EngineError) { self = .local(error.description) }

    /// A store fails for reasons of this machine alone.
    public init(_ error: BlockstoreError) { self = .local(error.description) }

    /// What is wrong with the state is fatal for the message.
    public init(_ error: StateError) {
        self = error.isLocal ? .local(error.description) : .fatal(error.description)
    }

    /// What the node refuses is what the syscall at hand makes of it.
    init(_ failure: ExternFailure, refused: (String) -> ExecutionError) {
        switch failure {
        case .refused(let reason): self = refused(reason)
        case .local(let reason): self = .local(reason)
        }
    }
}
