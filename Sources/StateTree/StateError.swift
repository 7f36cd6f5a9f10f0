import IPLD
import Primitives

/// Why the state cannot be read or written.
public enum StateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A block the state links to is not in the store.
    case missingBlock(Cid, String)
    /// A block is not what its place in the state demands.
    case malformed(String)
    /// A rule of the state was broken, for example a flush inside a transaction.
    case invalid(String)
    /// A failure of this machine's store.
    case local(String)

    /// What a structure of blocks said, with what it was read for.
    init(_ error: IPLDError, _ what: String) {
        switch error {
        case .store(let error): self = .local("\(what): \(error)")
        case .missing(let cid): self = .missingBlock(cid, what)
        default: self = .malformed("\(what): \(error)")
        }
    }

    /// Whether this is a failure of this machine, from which no receipt may follow.
    public var isLocal: Bool {
        if case .local = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .missingBlock(let cid, let what): "\(what): block \(cid.text) is missing"
        case .malformed(let text), .invalid(let text), .local(let text): text
        }
    }
}
