import GasSchedule
import Metering
import WasmFormat

/// The most of something that a module may have and still be accepted.
public struct BombCap: Sendable {
    public let most: Int
    /// What is limited, and by which rule.
    public let rule: String

    private init(_ most: UInt64, _ rule: String) {
        self.most = Int(most)
        self.rule = rule
    }

    /// Locals beside the function's parameter.
    static let locals = BombCap(Limits.locals - 1, "locals of a function")
    static let dataSegments = BombCap(Limits.dataSegments, "data segments")
    static let tableElements = BombCap(
        UInt64(NetworkProfile.ExecutionLimits.fvm.tableElements), "elements of a table")

    // What an instance of the instrumented module takes in the reference's pooling allocator.
    static let exportedFunctions = BombCap(
        InstanceLayout.room / InstanceLayout.functionReference, "functions that can be referred to in an instance")
    static let imports = BombCap(
        InstanceLayout.room / (InstanceLayout.importedFunction + InstanceLayout.functionReference),
        "imported functions of an instance")
    static let globals = BombCap(InstanceLayout.room / InstanceLayout.definedGlobal, "globals of an instance")
}
