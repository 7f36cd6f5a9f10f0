import WasmFormat

/// Why a module cannot be linked; fatal for a message that calls the actor.
public struct LinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Which import, and what is wrong with it.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The syscalls one generation links.
public struct SyscallSet: Sendable {
    /// The generation's number, 3 or 4.
    public let generation: UInt8
    /// In order of their cases.
    public let rows: [SyscallRow]
    private let byName: [ImportName: SyscallRow]
    private let bySyscall: [SyscallRow?]

    private struct ImportName: Hashable {
        var module: [UInt8]
        var name: [UInt8]
    }

    init(generation: UInt8, rows: [SyscallRow]) {
        self.generation = generation
        self.rows = rows.sorted { $0.syscall.rawValue < $1.syscall.rawValue }
        var byName: [ImportName: SyscallRow] = [:]
        var bySyscall = [SyscallRow?](repeating: nil, count: Syscall.allCases.count)
        for row in rows {
            byName[ImportName(module: Array(row.module.utf8), name: Array(row.name.utf8))] = row
            bySyscall[Int(row.syscall.rawValue)] = row
        }
        self.byName = byName
        self.bySyscall = bySyscall
    }

    /// 40 syscalls, nv18 to nv20.
    public static let v3 = SyscallSet(generation: 3, rows: SyscallRow.common + SyscallRow.onlyV3)
    /// 41 syscalls, nv21 and later.
    public static let v4 = SyscallSet(generation: 4, rows: SyscallRow.common + SyscallRow.onlyV4)

    /// The row an import names, whatever its type.
    public func row(module: [UInt8], name: [UInt8]) -> SyscallRow? {
        byName[ImportName(module: module, name: name)]
    }

    /// The row of a syscall; nil when this generation does not link it.
    public func row(_ syscall: Syscall) -> SyscallRow? { bySyscall[Int(syscall.rawValue)] }

    /// Resolves one imported function by its exact type.
    ///
    /// - Parameter signature: see `FunctionType.signature`.
    public func link(module: [UInt8], name: [UInt8], signature: [UInt8]) throws(LinkError) -> SyscallRow {
        // Modules are linked by each machine: texts are made for failures only.
        var title: String { "\(String(decoding: module, as: UTF8.self))::\(String(decoding: name, as: UTF8.self))" }
        guard let row = row(module: module, name: name) else {
            throw LinkError("import \(title): no such syscall in generation v\(generation)")
        }
        guard row.signature == signature else {
            throw LinkError(
                "import \(title): type \(Self.text(signature)), expected \(Self.text(row.signature))")
        }
        return row
    }

    /// Checks that every import of a module is a syscall of this generation with its exact type.
    public func check(_ module: Module) throws(LinkError) {
        for entry in module.imports {
            guard case .function(let typeIndex) = entry.kind else {
                throw LinkError(
                    "import \(entry.module.text)::\(entry.name.text): only functions can be imported")
            }
            guard Int(typeIndex) < module.types.count else {
                throw LinkError("import \(entry.module.text)::\(entry.name.text): type \(typeIndex) does not exist")
            }
            let signature = module.types[Int(typeIndex)].signature
            _ = try link(module: entry.module.bytes, name: entry.name.bytes, signature: signature)
        }
    }

    /// A signature as `(i32, i64) -> i32`.
    static func text(_ signature: [UInt8]) -> String {
        var bytes = signature.makeIterator()
        guard let type = FunctionType(signature: { bytes.next() }) else { return "malformed" }
        func list(_ types: [ValueType]) -> String { types.map { "\($0)" }.joined(separator: ", ") }
        return "(\(list(type.parameters))) -> " + (type.results.isEmpty ? "()" : list(type.results))
    }
}
