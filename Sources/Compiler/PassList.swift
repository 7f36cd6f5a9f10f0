import CodeSettings
import LLVMKit
import Lowering
import Metering
import WasmFormat

/// What of LLVM a module goes through: there is no pipeline of IR passes, so this is the code generator's own list.
public enum PassList {
    /// Compiles the smallest module in a tier; LLVM prints the structure of its passes to standard error.
    public static func show(_ tier: Tier) throws {
        TargetMachine.showPasses()
        // A function type, a function of it, an empty body.
        let module: [UInt8] = [
            0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 4, 1, 2, 0, 0x0B,
        ]
        let analyzed = try FrontEnd.analyze(module, profile: .fvm, prices: .fvm)
        _ = try Lowering.lower(
            analyzed.module, plan: analyzed.plan, options: LoweringOptions(tier: tier), product: .object)
    }
}
