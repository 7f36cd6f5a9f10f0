/// Pieces of the WebAssembly binary format, for those who write modules (core spec 5).
public enum WasmBytes {
    /// What a binary begins with: magic number and version.
    public static let header: [UInt8] = [0, 0x61, 0x73, 0x6D, 1, 0, 0, 0]

    /// LEB128 without padding.
    public static func unsigned(_ value: Int) -> [UInt8] {
        var rest = UInt64(value)
        var bytes: [UInt8] = []
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// Signed LEB128 without padding.
    public static func signed(_ value: Int64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest < -64 || rest > 63 {
            bytes.append(UInt8(truncatingIfNeeded: rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(truncatingIfNeeded: rest & 0x7F)]
    }

    /// A length and the bytes.
    public static func sized(_ bytes: [UInt8]) -> [UInt8] { unsigned(bytes.count) + bytes }

    /// A number of items and the items.
    public static func vector(_ items: [[UInt8]]) -> [UInt8] { unsigned(items.count) + items.flatMap { $0 } }

    /// A name: its length and its UTF-8.
    public static func name(_ text: String) -> [UInt8] { sized(Array(text.utf8)) }

    /// A section: its id, its length and its contents.
    public static func section(_ id: UInt8, _ contents: [UInt8]) -> [UInt8] { [id] + sized(contents) }

    /// A binary of whole sections.
    public static func module(_ sections: [[UInt8]]) -> [UInt8] { header + sections.flatMap { $0 } }

    /// A function type; types as bytes (0x7F i32, 0x7E i64, 0x7D f32, 0x7C f64, 0x70 funcref).
    public static func functionType(_ parameters: [UInt8], _ results: [UInt8]) -> [UInt8] {
        [0x60] + sized(parameters) + sized(results)
    }
}

/// A module to be written: functions, and what else there is in encoded pieces. Nothing is checked.
public struct WasmModule: Sendable {
    /// A function the module defines.
    public struct Function: Sendable {
        /// Index into `types`.
        public var type: Int
        /// Runs of locals as encoded: count and type byte.
        public var locals: [(count: Int, type: UInt8)]
        /// Instructions without the final `end`.
        public var code: [UInt8]

        public init(type: Int = 0, locals: [(count: Int, type: UInt8)] = [], code: [UInt8]) {
            self.type = type
            self.locals = locals
            self.code = code
        }
    }

    public var types: [[UInt8]] = [WasmBytes.functionType([], [])]
    /// Encoded imports.
    public var imports: [[UInt8]] = []
    public var functions: [Function] = []
    /// Encoded tables, memories, globals, element and data segments.
    public var tables: [[UInt8]] = []
    public var memories: [[UInt8]] = []
    public var globals: [[UInt8]] = []
    public var exports: [(name: String, kind: UInt8, index: Int)] = []
    public var start: Int?
    public var elements: [[UInt8]] = []
    public var dataCount: Int?
    public var data: [[UInt8]] = []
    /// Whole sections put at the end.
    public var trailing: [[UInt8]] = []

    public init() {}

    /// An imported function `module.name`.
    public static func importedFunction(_ module: String, _ name: String, type: Int) -> [UInt8] {
        WasmBytes.name(module) + WasmBytes.name(name) + [0] + WasmBytes.unsigned(type)
    }

    /// An imported global `module.name`.
    public static func importedGlobal(_ module: String, _ name: String, type: UInt8, mutable: Bool) -> [UInt8] {
        WasmBytes.name(module) + WasmBytes.name(name) + [3, type, mutable ? 1 : 0]
    }

    /// The binary; sections without contents are left out.
    public var bytes: [UInt8] {
        var sections: [[UInt8]] = []
        func add(_ id: UInt8, _ items: [[UInt8]]) {
            if !items.isEmpty { sections.append(WasmBytes.section(id, WasmBytes.vector(items))) }
        }
        add(1, types)
        add(2, imports)
        add(3, functions.map { WasmBytes.unsigned($0.type) })
        add(4, tables)
        add(5, memories)
        add(6, globals)
        add(7, exports.map { WasmBytes.name($0.name) + [$0.kind] + WasmBytes.unsigned($0.index) })
        if let start { sections.append(WasmBytes.section(8, WasmBytes.unsigned(start))) }
        add(9, elements)
        if let dataCount { sections.append(WasmBytes.section(12, WasmBytes.unsigned(dataCount))) }
        add(
            10,
            functions.map { function in
                let locals = WasmBytes.vector(function.locals.map { WasmBytes.unsigned($0.count) + [$0.type] })
                return WasmBytes.sized(locals + function.code + [0x0B])
            })
        add(11, data)
        return WasmBytes.module(sections + trailing)
    }
}

extension Opcode {
    /// The opcode as it stands in a body.
    public var encoded: [UInt8] {
        rawValue < 0x100 ? [UInt8(rawValue)] : [0xFC] + WasmBytes.unsigned(Int(rawValue & 0xFF))
    }
}
