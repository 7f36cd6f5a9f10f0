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
        case .baselineCharges(let name): "\(name): the unmetered baseline charges gas"
        case .noTime(let rounds): "the time is over after \(rounds) rounds, fewer than \(BenchSettings.leastRounds)"
        }
    }
}
