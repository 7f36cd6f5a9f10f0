import ArtifactFormat
import CodeSettings
import Compiler
import Crypto
import Engine
import Metering
import NativeEngine
import Primitives
import WasmFormat
import WorkerProtocol

/// Compiles every module of a script to a shared object, verifies, loads, links and runs it.
///
/// The compiler runs in this process: a crash of it ends the harness, which is what a test wants.
public final class NativeExecutor: SuiteExecutor {
    public let name: String
    private let settings: CompileSettings
    private let compiler: Linker
    private var linker = NativeLinker()
    private var instances: [NativeInstance] = []
    private var registered: [Name: NativeInstance] = [:]

    /// - Throws: when there is no linker on this machine.
    public init(bounds: Bounds, tier: Tier, cpu: CPULevel = .standard) throws(SuiteFailure) {
        let level = cpu == .standard ? "" : " \(cpu.rawValue)"
        name = "native \(tier.rawValue) \(bounds == .guardPages ? "guard" : "checks")\(level)"
        settings = CompileSettings(profile: .suite, bounds: bounds, tier: tier, cpu: cpu)
        do { compiler = try Linker.find() } catch { throw SuiteFailure("\(error)") }
    }

    public func begin() throws(SuiteFailure) {
        instances = []
        registered = [:]
        linker = NativeLinker()
        try Spectest.define(in: self)
    }

    public func instantiate(_ module: AnalyzedModule, bytes: [UInt8]) -> InstantiationOutcome {
        let instance: NativeInstance
        do {
            let loaded = try NativeModule(object: try compile(bytes), limits: .suite)
            instance = try linker.link(loaded) { module, name in
                registered[Name(bytes: module)]?.export(name)
            }
        } catch let failure as NativeLinkFailure {
            let name = Name(bytes: failure.module)
            return .unlinkable(name, "import \(name.text)::\(Name(bytes: failure.name).text): \(failure.reason)")
        } catch { return .failed("\(error)") }
        instance.gasCounter = Int64.max
        instances.append(instance)
        do {
            switch try instance.instantiate() {
            case .returned: return .instance(instances.count - 1)
            case .trapped(let trap, _): return .trapped(trap)
            case .endedByHost: return .failed("the host ended the start function")
            }
        } catch { return .failed("\(error)") }
    }

    private func compile(_ bytes: [UInt8]) throws(SuiteFailure) -> LoadableObject {
        let identity = CompilerIdentity(
            version: WorkerLoop.version, build: Digest(of: []), llvmVersion: "in this process",
            llvmBuild: Digest(of: []), linkerVersion: compiler.version, linkerBuild: Digest(of: []))
        let request = CompileRequest(
            cid: Cid.blake2b256(codec: Cid.raw, data: bytes), wasm: bytes, settings: settings, product: .so,
            limits: .forModule(size: bytes.count))
        var pipeline = Pipeline(request, identity: identity, linker: compiler)
        switch pipeline.run() {
        case .made(let object, _):
            do { return try ArtifactFormat.open(object, expecting: .runnable).object } catch {
                throw SuiteFailure("\(error)")
            }
        case .refused(let text), .failed(let text): throw SuiteFailure("compiler: \(text)")
        }
    }

    public func register(_ name: Name, instance: Int) { registered[name] = instances[instance] }

    public func invoke(_ field: Name, arguments: [UInt64], instance: Int) -> ActionOutcome {
        let instance = instances[instance]
        guard instance.export(field.bytes) != nil else { return .missing }
        instance.gasCounter = Int64.max
        do {
            switch try instance.call(field.text, arguments) {
            case .returned(let slots): return .returned(slots, spent: Int64.max - instance.gasCounter)
            case .trapped(let trap, _): return .trapped(trap, spent: Int64.max - instance.gasCounter)
            case .endedByHost: return .failed("the host ended the call")
            }
        } catch { return .failed("\(error)") }
    }

    public func global(_ field: Name, instance: Int) -> ActionOutcome {
        instances[instance].exportedGlobal(field.bytes).map { .returned([$0], spent: 0) } ?? .missing
    }
}
