import GasSchedule
import Metering
import WasmFormat

extension ReferenceEngine {
    /// The interpreter behind the front end that all network versions share.
    public static func fvm() -> ReferenceEngine {
        ReferenceEngine { bytes in
            do throws(Refusal) {
                return .success(
                    try FrontEnd.analyze(
                        bytes, profile: .fvm, prices: PriceList.hygge.wasm,
                        stackLimit: NetworkProfile.ExecutionLimits.fvm.wasmStack))
            } catch {
                return .failure(error)
            }
        }
    }
}
