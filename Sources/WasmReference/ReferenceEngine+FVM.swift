import Engine
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

    /// What a module is for an engine that stands on the interpreter.
    ///
    /// - Parameter make: gets the code of a module that the front end accepts.
    public static func loaded(
        _ wasm: [UInt8], make: (FlatCode) -> any ActorModule
    ) throws(EngineError) -> LoadedCode {
        switch analyzed(wasm) {
        case .success(let analyzed):
            do throws(TranslationFault) {
                return .module(make(try FlatCode(analyzed.module, plan: analyzed.plan)))
            } catch { throw .compilation(error.description) }
        case .failure(let refusal): return .refused(refusal.diagnostic)
        }
    }
}
