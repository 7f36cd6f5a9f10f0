import Chain
import Kernel
import Machine
import Primitives
import StateTree

/// Why a tipset has no result.
public enum TipsetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The state is migrated at a height between the parents' and its own, which is not done here.
    case migration(height: Int64)
    /// There are no rules for the network version of a height.
    case unknownVersion(height: Int64, String)
    /// Two blocks are of one miner.
    case minerTwice(Address)
    /// A message has no receipt.
    case message(String, reason: String)
    /// A message of the node itself failed.
    case implicit(String, ExitCode, cause: String)
    case chain(ChainError)
    case state(String)
    /// A failure of this machine.
    case local(String)

    public var description: String {
        switch self {
        case .migration(let height): "the state is migrated at height \(height), and migrations are not executed"
        case .unknownVersion(let height, let why): "epoch \(height): \(why)"
        case .minerTwice(let miner): "two of its blocks are of the miner \(miner)"
        case .message(let what, let reason): "\(what): \(reason)"
        case .implicit(let what, let code, let cause):
            "\(what) failed with exit code \(code.rawValue)\(cause.isEmpty ? "" : ": ")\(cause)"
        case .chain(let error): error.description
        case .state(let text), .local(let text): text
        }
    }

    /// Whether nothing is wrong with the chain.
    public var isLocal: Bool {
        if case .local = self { true } else { false }
    }

    init(_ error: StateError) { self = error.isLocal ? .local(error.description) : .state(error.description) }

    /// Runs what reads the state.
    static func onState<R>(_ body: () throws(StateError) -> R) throws(TipsetError) -> R {
        do throws(StateError) { return try body() } catch { throw TipsetError(error) }
    }

    /// Runs what reads the chain.
    static func onChain<R>(_ body: () throws(ChainError) -> R) throws(TipsetError) -> R {
        do throws(ChainError) { return try body() } catch { throw .chain(error) }
    }
}
