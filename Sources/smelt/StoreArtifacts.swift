import ArtifactStore
import CompilePool
import Engine
import NativeEngine
import Primitives

/// Gives the native engine its objects: from the store, or compiled now by the pool.
final class StoreArtifacts: ArtifactSource {
    private let pool: CompilePool

    init(pool: CompilePool) { self.pool = pool }

    func artifact(key: [UInt8], wasm: () -> [UInt8]?) throws(EngineError) -> ArtifactAnswer? {
        let code: Cid
        do { code = try Cid(bytes: key) } catch { throw .artifact("code CID: \(error)") }
        switch pool.load(code: code, wasm: wasm) {
        case .compiled(let actor)?: return .object(actor.object)
        case .refused(let text)?: return .refused(text)
        case .failed(let failure)?: throw .compilation(failure.description)
        case nil: return nil
        }
    }
}
