import Machine
import StateTree

/// Why a session did not do what it was asked. Nothing of this can become a receipt.
public enum SessionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No epoch was begun, or the last one ended with an interruption.
    case noEpoch
    /// The message cannot stand on chain, or the state cannot take it; the epoch goes on.
    case invalid(String)
    /// The state is none: a block that is needed is missing or malformed. The epoch goes on.
    case state(String)
    /// A failure of this machine, of a store or of the outside world: nothing is known about the message, and the session
    /// is of no use any more.
    case hostFault(String)
    /// An earlier host fault.
    case poisoned(String)
    /// Somebody ended the message. The epoch is over; the session can begin another.
    case interrupted

    init(_ error: ApplyError) {
        switch error {
        case .invalid(let reason): self = .invalid(reason)
        case .state(let reason): self = .state(reason)
        case .local(let reason): self = .hostFault(reason)
        }
    }

    init(_ error: StateError) {
        self = error.isLocal ? .hostFault(error.description) : .state(error.description)
    }

    public var description: String {
        switch self {
        case .noEpoch: "no epoch has begun"
        case .invalid(let reason): "message cannot be applied: \(reason)"
        case .state(let reason): "state: \(reason)"
        case .hostFault(let reason): "failure of this machine, no receipt: \(reason)"
        case .poisoned(let reason): "the session failed before and is of no use any more: \(reason)"
        case .interrupted: "interrupted, no receipt"
        }
    }
}
