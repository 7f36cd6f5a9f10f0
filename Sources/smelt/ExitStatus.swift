import Replay

/// The exit statuses of `smelt`, listed in its help.
enum ExitStatus: Int32 {
    case success = 0
    /// An operation failed, or a mismatch was found.
    case failure = 1
    /// A bad input file or an invalid module.
    case badInput = 2
    /// Two gas reports differ beyond noise.
    case drift = 3
    /// A stored or given object failed its integrity check.
    case integrity = 4
    /// Wrong use of the command line (EX_USAGE).
    case usage = 64
    /// A fault of Smelt itself (EX_SOFTWARE).
    case internalError = 70
    /// A failure of this machine, after which nothing is known: no memory, disk full, a process killed (EX_TEMPFAIL).
    case localFailure = 75
}

/// What ends a command early: a message for standard error and the status to end with.
struct CommandFailure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}

extension CommandFailure {
    /// A replay that could not be made at all.
    init(_ error: ReplayError) {
        switch error {
        case .local(let text): self.init(.localFailure, text)
        case .usage(let text): self.init(.usage, text)
        case .input(let text): self.init(.badInput, text)
        }
    }
}
