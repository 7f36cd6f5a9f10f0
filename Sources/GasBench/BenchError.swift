import Engine

/// Why a measurement is none.
public enum BenchError: Error, Sendable, CustomStringConvertible {
    /// No kernel has this name.
    case unknownOperator(String)
    /// A module was refused, or could not be compiled.
    case notCompiled(String)
    /// The engine failed on this machine.
    case engine(EngineError)
    /// A run trapped.
    case trapped(String, String)
    /// Two runs of equal code with equal arguments, or metered and unmetered code, gave different results.
    case resultsDiffer(String)
    /// The counter says that the operator did not run as often as claimed: milligas.
    case gasDiffers(String, expected: Int64, used: Int64)
    /// Another engine does not do what it is asked to: its name, and what it says.
    case peer(String, String)
    /// Another engine gives another result.
    case peerDiffers(String, String)
    /// The machine saw another number of calls of a syscall than claimed.
    case callsDiffer(String, expected: UInt64, counted: UInt64)
    /// The unmetered baseline charged gas.
    case baselineCharges(String)
    /// The time given is over before there are enough runs.
    case noTime(rounds: Int)

    public var description: String {
        switch self {
        case .unknownOperator(let name): "no operator '\(name)'"
        case .notCompiled(let reason): "not compiled: \(reason)"
        case .engine(let error): error.description
        case .trapped(let name, let trap): "\(name): trapped: \(trap)"
        case .resultsDiffer(let name): "\(name): metered and unmetered code give different results"
        case .gasDiffers(let name, let expected, let used):
            "\(name): \(used) milligas used where \(expected) show the operator's runs; no number is given"
        case .peer(let name, let reason): "\(name): \(reason)"
        case .peerDiffers(let engine, let name): "\(name): \(engine) gives another result"
        case .callsDiffer(let name, let expected, let counted):
            "\(name): \(counted) calls where there should be \(expected); no number is given"
        case .baselineCharges(let name): "\(name): the unmetered baseline charges gas"
        case .noTime(let rounds): "the time is over after \(rounds) rounds, fewer than \(BenchSettings.leastRounds)"
        }
    }
}
