/// The executors by name.
public enum Executors {
    /// Names for the command line.
    public static let names = ["interpreter", "native", "all"]

    /// The executors that a name stands for; compiled code at both tiers and in both memory modes.
    public static func make(_ name: String) throws(SuiteFailure) -> [any SuiteExecutor] {
        var executors: [any SuiteExecutor] = []
        if name != "native" { executors.append(InterpreterExecutor()) }
        if name != "interpreter" {
            executors.append(try NativeExecutor(bounds: .guardPages, tier: .optimised))
            executors.append(try NativeExecutor(bounds: .checks, tier: .optimised))
            executors.append(try NativeExecutor(bounds: .guardPages, tier: .baseline))
            executors.append(try NativeExecutor(bounds: .checks, tier: .baseline))
        }
        return executors
    }
}
