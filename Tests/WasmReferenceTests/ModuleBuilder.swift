import Engine
import GasSchedule
import Metering
import WasmFormat
import WasmReference

/// Writes small binaries for tests.
struct ModuleBuilder {
    static let i32: UInt8 = 0x7F
    static let i64: UInt8 = 0x7E
    static let f32: UInt8 = 0x7D
    static let f64: UInt8 = 0x7C

    private var types: [[UInt8]] = []
    private var imports: [[UInt8]] = []
    private var functions: [[UInt8]] = []
    private var exports: [[UInt8]] = []
    private var bodies: [[UInt8]] = []
    /// Entries of the sections as they stand in the binary.
    var tables: [[UInt8]] = []
    var memories: [[UInt8]] = []
    var globals: [[UInt8]] = []
    var elements: [[UInt8]] = []
    var data: [[UInt8]] = []
    var start: UInt32?

    /// Adds an import of module `host`; imports come before functions.
    mutating func importFunction(_ name: String, _ parameters: [UInt8], _ results: [UInt8]) {
        imports.append(Self.name("host") + Self.name(name) + [0] + Self.leb(type(parameters, results)))
    }

    /// Adds a function, exported under `name`; `code` is without its final `end`.
    mutating func function(
        _ name: String, _ parameters: [UInt8] = [], _ results: [UInt8] = [],
        locals: [(count: UInt32, type: UInt8)] = [], _ code: [UInt8]
    ) {
        exports.append(Self.name(name) + [0] + Self.leb(UInt32(imports.count + functions.count)))
        functions.append(Self.leb(type(parameters, results)))
        let groups = Self.leb(UInt32(locals.count)) + locals.flatMap { Self.leb($0.count) + [$0.type] }
        let body = groups + code + [0x0B]
        bodies.append(Self.leb(UInt32(body.count)) + body)
    }

    /// The index of a type, added when new.
    mutating func type(_ parameters: [UInt8], _ results: [UInt8]) -> UInt32 {
        let entry =
            [0x60] + Self.leb(UInt32(parameters.count)) + parameters + Self.leb(UInt32(results.count)) + results
        if let index = types.firstIndex(of: entry) { return UInt32(index) }
        types.append(entry)
        return UInt32(types.count - 1)
    }

    var bytes: [UInt8] {
        [0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0] + section(1, types) + section(2, imports) + section(3, functions)
            + section(4, tables) + section(5, memories) + section(6, globals) + section(7, exports)
            + (start.map { Self.section(8, Self.leb($0)) } ?? []) + section(9, elements) + section(10, bodies)
            + section(11, data)
    }

    private func section(_ id: UInt8, _ entries: [[UInt8]]) -> [UInt8] {
        entries.isEmpty ? [] : Self.section(id, Self.leb(UInt32(entries.count)) + entries.flatMap { $0 })
    }

    private static func section(_ id: UInt8, _ content: [UInt8]) -> [UInt8] {
        [id] + leb(UInt32(content.count)) + content
    }

    static func name(_ text: String) -> [UInt8] { leb(UInt32(text.utf8.count)) + Array(text.utf8) }

    static func leb(_ value: UInt32) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            let low = UInt8(rest & 0x7F)
            rest >>= 7
            bytes.append(rest == 0 ? low : low | 0x80)
        } while rest != 0
        return bytes
    }

    /// `i32.const`.
    static func i32(_ value: Int32) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = [0x41]
        while true {
            let low = UInt8(truncatingIfNeeded: rest & 0x7F)
            rest >>= 7
            if (rest == 0 && low & 0x40 == 0) || (rest == -1 && low & 0x40 != 0) { return bytes + [low] }
            bytes.append(low | 0x80)
        }
    }

    // MARK: Running

    /// An instance under the suite profile (these modules need not export what the FVM asks for), not started.
    func instance(
        handler: any ImportHandler = NoHost(), limiter: ResourceLimiter = ResourceLimiter(limit: 2 << 30),
        limits: InstanceLimits = .fvm
    ) throws -> any ActorInstance {
        let analyzed = try FrontEnd.analyze(bytes, profile: .suite, prices: .fvm)
        let instance = try ReferenceModule(analyzed, limits: limits).makeInstance(handler: handler, limiter: limiter)
        instance.gasCounter = Int64.max
        return instance
    }

    /// An instance that was started.
    func started(
        handler: any ImportHandler = NoHost(), limiter: ResourceLimiter = ResourceLimiter(limit: 2 << 30),
        limits: InstanceLimits = .fvm
    ) throws -> any ActorInstance {
        let instance = try instance(handler: handler, limiter: limiter, limits: limits)
        guard case .returned = try instance.instantiate() else { throw NotStarted() }
        return instance
    }
}

struct NotStarted: Error {}

/// For modules without imports.
final class NoHost: ImportHandler {
    func callImport(_ index: Int, arguments: Span<UInt64>, guest: inout GuestContext) -> ImportOutcome { .end }
}

extension ActorInstance {
    /// Milligas an export's call charges.
    func spent(_ export: String, _ arguments: [UInt64] = []) throws -> Int64 {
        gasCounter = Int64.max
        _ = try call(export, arguments)
        return Int64.max - gasCounter
    }
}
