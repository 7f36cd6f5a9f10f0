import GasSchedule
import Metering
import WasmFormat

extension ReferenceEngine {
    /// The interpreter behind the front end that all network versions share.
    public static func fvm() -> ReferenceEngine { ReferenceEngine(analyze: analyzed) }

    /// What that front end makes of a module.
    public static func analyzed(_ wasm: [UInt8]) -> Result<AnalyzedModule, Refusal> {
        Result { () throws(Refusal) in
            try FrontEnd.analyze(
                wasm, profile: .fvm, prices: PriceList.hygge.wasm,
                stackLimit: NetworkProfile.ExecutionLimits.fvm.wasmStack)
        }
    }
}
