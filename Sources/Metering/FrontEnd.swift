import GasSchedule
import Syscalls
import Validator
import WasmFormat

/// A module the FVM accepts, with its metering plan.
public struct AnalyzedModule: Sendable {
    /// The validated source module.
    public let module: ValidatedModule
    /// What the instrumented module would charge and check.
    public let plan: MeteringPlan
}

/// The front end in one call.
public enum FrontEnd {
    /// Decodes, validates, plans and checks limits in the order of the reference.
    ///
    /// - Parameters:
    ///   - prices: milligas.
    ///   - stackLimit: counted elements.
    ///   - syscalls: when given, imports are checked last, against this generation.
    public static func analyze(
        _ bytes: [UInt8], profile: AcceptanceProfile, prices: WasmPrices,
        stackLimit: UInt32 = NetworkProfile.ExecutionLimits.fvm.wasmStack, syscalls: SyscallSet? = nil
    ) throws(Refusal) -> AnalyzedModule {
        let module = try ValidatedModule.validate(Module.decode(bytes, profile: profile), profile: profile)
        let plan = try MeteringPlan.make(module, prices: prices, stackLimit: stackLimit, profile: profile)
        if let syscalls {
            do { try syscalls.check(module.module) } catch { throw Refusal(stage: .link, rule: error.description) }
        }
        return AnalyzedModule(module: module, plan: plan)
    }
}
