import ArtifactFormat
import CodeSettings
import CompilePool
import Engine
import NativeEngine
import Primitives
import Synchronization

/// Where the native engine finds compiled actors: among objects handed over in memory, in a store, or made now by a
/// pool of workers. Usable from several threads.
public final class ActorObjects: ArtifactSource {
    private let pool: CompilePool?
    private let firstUse: FirstUse?
    private let given = Mutex<[Cid: Given]>([:])

    /// An object that was handed over. There is nobody to ask for it again, so it stays: as its bytes until it was
    /// mapped, then as the mapping alone.
    private enum Given {
        case object(LoadableObject)
        case module(NativeModule)
    }

    /// - Parameters:
    ///   - pool: nil is for objects that are handed over alone.
    ///   - firstUse: begins with baseline code what is not in the store; nil waits for the pool's code.
    public init(pool: CompilePool?, firstUse: FirstUse? = nil) {
        self.pool = pool
        self.firstUse = firstUse
    }

    /// Takes a compiled object, checked as one of a stranger is; the last one for a code counts.
    ///
    /// - Returns: the CID of the code that the object was compiled from, by its manifest.
    @discardableResult
    public func add(_ object: [UInt8]) throws(ArtifactError) -> Cid {
        let (manifest, loadable) = try ArtifactFormat.open(object, expecting: .runnable)
        guard Self.fvmSettings.contains(where: manifest.inputs.serves) else {
            throw ArtifactError(
                .unexpectedKey, "manifest",
                "the object was compiled for other prices or rules than those of the FVM this build runs")
        }
        given.withLock { $0[manifest.inputs.wasm] = .object(loadable) }
        return manifest.inputs.wasm
    }

    /// Whatever may differ without a difference in results.
    private static let fvmSettings = Tier.allCases.flatMap { tier in
        Bounds.allCases.flatMap { bounds in
            CPULevel.allCases.map { CompileSettings(bounds: bounds, tier: tier, cpu: $0) }
        }
    }

    public func artifact(
        key: [UInt8], wasm: () -> [UInt8]?, better: @escaping @Sendable (LoadableObject) -> Void
    ) throws(EngineError) -> ArtifactAnswer? {
        let code: Cid
        do { code = try Cid(bytes: key) } catch { throw .artifact("code CID: \(error)") }
        switch given.withLock({ $0[code] }) {
        case .object(let object)?: return .object(object)
        case .module(let module)?: return .module(module)
        case nil: break
        }
        guard let pool else {
            // Code that is there and cannot be run is a lack of this machine, not of the state.
            guard wasm() != nil else { return nil }
            throw .compilation("no object of it was handed over, and there is neither a store nor a compiler")
        }
        let outcome =
            if let firstUse { firstUse.load(code: code, wasm: wasm, ready: better) } else {
                pool.load(code: code, wasm: wasm)
            }
        switch outcome {
        case .compiled(let actor)?: return .object(actor.object)
        case .refused(let text)?: return .refused(text)
        case .failed(let failure)?: throw .compilation(failure.description)
        case nil: return nil
        }
    }

    public func mapped(_ object: LoadableObject, to module: NativeModule, key: [UInt8]) {
        guard let code = try? Cid(bytes: key) else { return }
        given.withLock { given in
            // Another one may have been handed over since; that one is mapped when it is asked for.
            if case .object(let kept)? = given[code], kept == object { given[code] = .module(module) }
        }
    }

    /// Bytes of objects that were handed over and not mapped yet.
    var keptBytes: Int {
        given.withLock { given in
            given.values.reduce(0) { count, one in
                if case .object(let object) = one { count + object.bytes.count } else { count }
            }
        }
    }
}
