/// The executors by name.
public enum Executors {
    /// Names for the command line.
    public static let names = ["interpreter", "all"]

    /// The executors that a name stands for.
    public static func make(_ name: String) throws(SuiteFailure) -> [any SuiteExecutor] {
        [InterpreterExecutor()]
    }
}
