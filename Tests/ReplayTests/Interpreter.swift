import GasSchedule
import Metering
import WasmFormat
import WasmReference

/// The reference interpreter with the front end all network versions share.
func interpreter() -> ReferenceEngine {
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
