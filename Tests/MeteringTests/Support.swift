import GasSchedule
import TestSupport
import WasmFormat

@testable import Metering

func analyze(
    _ bytes: [UInt8], profile: AcceptanceProfile = .fvm, prices: WasmPrices = .fvm
) throws(Refusal) -> AnalyzedModule {
    try FrontEnd.analyze(bytes, profile: profile, prices: prices)
}

/// Why a module is refused, nil when it is accepted.
func refusal(_ bytes: [UInt8], profile: AcceptanceProfile = .fvm) -> Refusal? {
    do throws(Refusal) {
        _ = try analyze(bytes, profile: profile)
        return nil
    } catch {
        return error
    }
}

/// One function of type `type` over one memory of a page and one table of four elements.
func oneFunction(
    _ text: String, parameters: [UInt8] = [], results: [UInt8] = [], locals: [(count: Int, type: UInt8)] = []
) -> WasmModule {
    var module = WasmModule()
    module.types = [WasmBytes.functionType(parameters, results)]
    module.functions = [.init(locals: locals, text)]
    module.tables = [[0x70, 0, 4]]
    module.memories = [[0, 1]]
    return module
}

/// Blocks as `position:gas position:gas`.
func blocks(_ function: MeteringPlan.Function) -> String {
    function.blocks.map { "\($0.position):\($0.milligas / 1_000)" }.joined(separator: " ")
}

extension AnalyzedModule {
    /// What optimised code has in place of calls.
    var inlining: Inlining {
        Inlining(module.module, plan: plan, reserve: StackReserve(module.module, plan: plan))
    }
}
