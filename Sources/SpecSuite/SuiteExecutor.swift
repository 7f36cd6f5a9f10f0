import Engine
import Metering
import WasmFormat

/// How an executor made an instance, or why it did not.
public enum InstantiationOutcome {
    /// A handle for `invoke`.
    case instance(Int)
    /// A segment or the start function trapped.
    case trapped(Trap)
    /// An import is missing or of another type.
    case unlinkable(Name, String)
    /// This executor cannot run such a module; the text says why.
    case unsupported(String)
    case failed(String)
}

/// How an action ended.
public enum ActionOutcome: Hashable {
    /// Results in 64-bit slots and the gas that was charged, in milligas.
    case returned([UInt64], spent: Int64)
    case trapped(Trap, spent: Int64)
    /// There is no such export.
    case missing
    case failed(String)
}

/// Something that runs modules under the suite profile. One object runs one script after the other.
public protocol SuiteExecutor: AnyObject {
    /// For the tables: "interpreter", "native -O1"…
    var name: String { get }
    /// Forgets all instances; only `spectest` is registered.
    func begin() throws(SuiteFailure)
    /// Links against registered instances and instantiates.
    func instantiate(_ module: AnalyzedModule, bytes: [UInt8]) -> InstantiationOutcome
    /// Gives an instance a name for imports.
    func register(_ name: Name, instance: Int)
    /// Calls an exported function with `Int64.max` milligas.
    func invoke(_ field: Name, arguments: [UInt64], instance: Int) -> ActionOutcome
    /// Reads an exported global.
    func global(_ field: Name, instance: Int) -> ActionOutcome
}
