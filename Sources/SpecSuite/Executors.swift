import CActorRuntime
import CodeSettings

/// The executors by name.
public enum Executors {
    /// Names for the command line.
    public static let names = ["interpreter", "native", "all"]

    /// The executors that a name stands for; compiled code at both tiers, in both memory modes,
    /// and at the higher CPU level.
    public static func make(_ name: String) throws(SuiteFailure) -> [any SuiteExecutor] {
        var executors: [any SuiteExecutor] = []
        if name != "native" { executors.append(InterpreterExecutor()) }
        if name != "interpreter" {
            executors.append(try NativeExecutor(bounds: .guardPages, tier: .optimised))
            executors.append(try NativeExecutor(bounds: .checks, tier: .optimised))
            executors.append(try NativeExecutor(bounds: .guardPages, tier: .baseline))
            executors.append(try NativeExecutor(bounds: .checks, tier: .baseline))
            // Where the processor has its instructions.
            if smelt_rt_cpu_level() >= CPULevel.v3.number {
                executors.append(try NativeExecutor(bounds: .guardPages, tier: .optimised, cpu: .v3))
            }
        }
        return executors
    }
}
