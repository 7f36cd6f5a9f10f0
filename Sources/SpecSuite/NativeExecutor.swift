import ArtifactFormat
import CActorRuntime
import Compiler
import Crypto
import Engine
import Metering
import Primitives
import WasmFormat
import WorkerProtocol

/// Compiles every module of a script to a shared object, verifies and loads it, and runs it with the C runtime.
///
/// The compiler runs in this process: a crash of it ends the harness, which is what a test wants.
public final class NativeExecutor: SuiteExecutor {
    public let name: String
    private let settings: CompileSettings
    private let linker: Linker
    private var instances: [NativeInstance] = []
    private var registered: [Name: NativeInstance] = [:]

    /// - Throws: when there is no linker, or signals cannot be handled.
    public init(bounds: CompileSettings.Bounds, tier: CompileSettings.Tier) throws(SuiteFailure) {
        name = "native \(tier == .optimised ? "optimised" : "-O0") \(bounds == .guardPages ? "guard" : "checks")"
        settings = CompileSettings(profile: .suite, bounds: bounds, tier: tier)
        do { linker = try Linker.find() } catch { throw SuiteFailure("\(error)") }
        guard smelt_rt_signals_install() == 0 else { throw SuiteFailure("signal handlers cannot be installed") }
    }

    deinit {
        release()
        smelt_rt_signals_uninstall()
    }

    private func release() {
        registered = [:]
        // Importers before exporters.
        while instances.popLast() != nil {}
    }

    public func begin() throws(SuiteFailure) {
        release()
        try Spectest.define(in: self)
    }

    public func instantiate(_ module: AnalyzedModule, bytes: [UInt8]) -> InstantiationOutcome {
        let wasm = module.module.module
        var imports: [NativeInstance.Import] = []
        for entry in wasm.imports {
            guard let exporter = registered[entry.module], let export = exporter.module.export(named: entry.name)
            else { return .unlinkable(entry.module, "unknown import \(entry.module.text)::\(entry.name.text)") }
            guard let row = NativeInstance.Import(entry.kind, of: wasm, export, of: exporter) else {
                return .unlinkable(entry.module, "incompatible import \(entry.module.text)::\(entry.name.text)")
            }
            imports.append(row)
        }
        do throws(SuiteFailure) {
            let object = try compile(bytes)
            guard let instance = try NativeInstance(object, module: wasm, imports: imports) else {
                return .unlinkable(wasm.imports.first?.module ?? Name(""), "incompatible import type")
            }
            // Kept even when it traps: its functions may stand in tables already.
            instances.append(instance)
            if let trap = instance.start() { return .trapped(trap) }
            return .instance(instances.count - 1)
        } catch { return .failed(error.description) }
    }

    private func compile(_ bytes: [UInt8]) throws(SuiteFailure) -> [UInt8] {
        let identity = CompilerIdentity(
            version: WorkerLoop.version, build: Digest(of: []), llvmVersion: "in this process",
            linkerVersion: linker.version)
        let request = CompileRequest(
            cid: Cid.blake2b256(codec: Cid.raw, data: bytes), wasm: bytes, settings: settings, product: .so,
            limits: .forModule(size: bytes.count))
        var pipeline = Pipeline(request, identity: identity, linker: linker)
        switch pipeline.run() {
        case .made(let object, _):
            do { _ = try ArtifactFormat.verify(object, expecting: .runnable) } catch { throw SuiteFailure("\(error)") }
            return object
        case .refused(let text), .failed(let text): throw SuiteFailure("compiler: \(text)")
        }
    }

    public func register(_ name: Name, instance: Int) { registered[name] = instances[instance] }

    public func invoke(_ field: Name, arguments: [UInt64], instance: Int) -> ActionOutcome {
        instances[instance].call(field, arguments)
    }

    public func global(_ field: Name, instance: Int) -> ActionOutcome { instances[instance].global(field) }
}
