import Engine
import WasmFormat

/// Why imports cannot be satisfied.
public struct LinkFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let module: Name
    public let name: Name
    /// "unknown import" or "incompatible import type".
    public let rule: String

    public var description: String { "import \(module.text)::\(name.text): \(rule)" }
}

extension Store {
    /// Finds a value of matching type for every import (core spec 4.5.4 and 3.4.3).
    ///
    /// - Parameter provider: what a module name and an import name stand for.
    public func resolve(
        _ code: FlatCode, provider: (Name, Name) -> ExternalValue?
    ) throws(LinkFailure) -> [ExternalValue] {
        var values: [ExternalValue] = []
        for entry in code.module.imports {
            guard let value = provider(entry.module, entry.name) else {
                throw LinkFailure(module: entry.module, name: entry.name, rule: "unknown import")
            }
            guard matches(value, entry.kind, in: code.module) else {
                throw LinkFailure(module: entry.module, name: entry.name, rule: "incompatible import type")
            }
            values.append(value)
        }
        return values
    }

    private func matches(_ value: ExternalValue, _ kind: Import.Kind, in module: Module) -> Bool {
        switch (value, kind) {
        case (.function(let function), .function(let typeIndex)):
            return module.type(typeIndex).map { number(of: $0) } == function.record.pointee.typeID
        case (.table(let reference), .table(let type)):
            let table = reference.table
            return Self.fits(table.state.pointee.size, table.limits.maximum, into: type.limits)
        case (.memory(let reference), .memory(let limits)):
            return Self.fits(reference.memory.pages, reference.memory.limits.maximum, into: limits)
        case (.global(let reference), .global(let type)):
            return reference.cell.type == type
        default:
            return false
        }
    }

    private static func fits(_ size: UInt32, _ maximum: UInt32?, into limits: SizeLimits) -> Bool {
        guard size >= limits.minimum else { return false }
        guard let wanted = limits.maximum else { return true }
        return maximum.map { $0 <= wanted } ?? false
    }

    /// Makes an instance whose imports were resolved; its exports are there even when it traps later.
    public func instantiate(
        _ code: FlatCode, imports: [ExternalValue], gas: Int64
    ) throws(EngineError) -> (instance: LinkedInstance, outcome: GuestOutcome) {
        let instance = LinkedInstance(Instance(code, store: self))
        instance.gasCounter = gas
        return (instance, try instance.instance.instantiate(imports: imports))
    }
}

/// An instance that may share what it has with others of its store.
public final class LinkedInstance {
    let instance: Instance

    init(_ instance: Instance) { self.instance = instance }

    /// The gas counter in milligas.
    public var gasCounter: Int64 {
        get { instance.context.pointee.gas.pointee }
        set { instance.context.pointee.gas.pointee = newValue }
    }

    /// What an export name stands for.
    public func export(_ name: Name) -> ExternalValue? { instance.exports[name] }

    /// Calls an exported function; nil when there is none of this name.
    public func call(_ name: Name, _ arguments: [UInt64]) throws(EngineError) -> GuestOutcome? {
        try instance.call(name, arguments)
    }
}
