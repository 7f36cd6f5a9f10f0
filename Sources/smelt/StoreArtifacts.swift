import ArtifactFormat
import ArtifactStore
import CompilePool
import Engine
import NativeEngine
import Primitives

/// Gives the native engine its objects: from the store, or compiled now by the pool.
final class StoreArtifacts: ArtifactSource {
    private let pool: CompilePool
    private let firstUse: FirstUse?

    /// - Parameter firstUse: begins with baseline code what is not in the store; nil waits for the pool's code.
    init(pool: CompilePool, firstUse: FirstUse? = nil) {
        self.pool = pool
        self.firstUse = firstUse
    }

    func artifact(
        key: [UInt8], wasm: () -> [UInt8]?, better: @escaping @Sendable (LoadableObject) -> Void
    ) throws(EngineError) -> ArtifactAnswer? {
        let code: Cid
        do { code = try Cid(bytes: key) } catch { throw .artifact("code CID: \(error)") }
        let outcome =
            if let firstUse {
                firstUse.load(code: code, wasm: wasm, ready: better)
            } else { pool.load(code: code, wasm: wasm) }
        switch outcome {
        case .compiled(let actor)?: return .object(actor.object)
        case .refused(let text)?: return .refused(text)
        case .failed(let failure)?: throw .compilation(failure.description)
        case nil: return nil
        }
    }
}
