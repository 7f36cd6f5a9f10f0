import CActorRuntime
import Engine
import WasmFormat

/// Something an instance exports, for other modules to import.
public struct NativeExternal {
    let instance: NativeInstance
    let kind: UInt32
    let index: UInt32
    /// For functions.
    let function: NativeModule.Function?
}

/// Why modules do not link (suite profile; the FVM links functions of its own only).
public struct NativeLinkFailure: Error, Sendable {
    /// The import's module.
    public var module: [UInt8]
    /// The import's name.
    public var name: [UInt8]
    /// What is wrong.
    public var reason: String
}

/// Instances that import from each other and live as long as the linker: a table keeps functions of instances whose
/// instantiation failed. Used on one thread.
public final class NativeLinker {
    private var instances: [NativeInstance] = []
    private let limiter: ResourceLimiter

    public init(limiter: ResourceLimiter = ResourceLimiter(limit: .max)) { self.limiter = limiter }

    /// Makes an instance; `instantiate` is still to be called.
    ///
    /// - Parameter resolve: what an import's module and name stand for, nil when nothing does.
    /// - Throws: the import that does not fit.
    public func link(
        _ module: NativeModule, resolve: (_ module: [UInt8], _ name: [UInt8]) -> NativeExternal?
    ) throws(NativeLinkFailure) -> NativeInstance {
        var externals: [NativeExternal] = []
        for entry in module.imports {
            guard let external = resolve(entry.module, entry.name) else {
                throw NativeLinkFailure(module: entry.module, name: entry.name, reason: "unknown import")
            }
            guard external.kind == entry.kind, external.function?.type == entry.functionType else {
                throw NativeLinkFailure(module: entry.module, name: entry.name, reason: "incompatible import type")
            }
            externals.append(external)
        }
        do {
            let instance = try NativeInstance(module, handler: NoImports(), limiter: limiter, externals: externals)
            instances.append(instance)
            return instance
        } catch {
            // The runtime compares limits and types of what is not a function.
            let first = module.imports.first { $0.functionType == nil }
            throw NativeLinkFailure(
                module: first?.module ?? [], name: first?.name ?? [], reason: "incompatible import type: \(error)")
        }
    }
}

extension NativeInstance {
    /// What this instance exports under a name.
    public func export(_ name: [UInt8]) -> NativeExternal? {
        guard let row = module.export(named: name) else { return nil }
        return NativeExternal(
            instance: self, kind: row.kind, index: row.index, function: NativeModule.Function(row))
    }

    /// The value of an exported global, in a 64-bit slot.
    public func exportedGlobal(_ name: [UInt8]) -> UInt64? {
        guard let row = module.export(named: name), row.kind == SMELT_RT_GLOBAL.rawValue else { return nil }
        return smelt_rt_instance_global(context, row.index)?.pointee
    }
}

/// Handles imports of modules that have none, or whose imports are all linked.
final class NoImports: ImportHandler {
    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome { .end }
}
