import Engine
import JSON
import Primitives
import WasmFormat

/// Shows where a guest trapped: kind, function by number and name, offset in the WASM binary.
struct TrapText {
    private let trap: Trap
    private let site: TrapSite?
    private let name: String?

    /// - Parameter wasm: the module's bytes, for names; an object's bytes have none.
    init(_ trap: Trap, _ site: TrapSite?, wasm: [UInt8]) {
        self.trap = trap
        self.site = site
        name = site.flatMap { TrapText.functionName($0.function, wasm) }
    }

    /// `trap: integer divide by zero in function 4 (divide) at 0x9e`
    var text: String {
        guard let site else { return "trap: \(trap)" }
        var text = "trap: \(trap) in function \(site.function)"
        if let name { text += " (\(name.printable()))" }
        if let offset = site.offset { text += " at 0x" + String(offset, radix: 16) }
        return text
    }

    var json: JSONValue {
        .object([
            "kind": .string("\(trap)"), "function": site.map { .integer($0.function) } ?? .null,
            "name": name.map { .string($0) } ?? .null, "offset": site?.offset.map { .integer($0) } ?? .null,
        ])
    }

    /// The name from the module's name section or its exports.
    private static func functionName(_ index: UInt32, _ wasm: [UInt8]) -> String? {
        guard let module = try? Module.decode(wasm, profile: .fvm) else { return nil }
        return module.functionNames[index]
            ?? module.exports.first { $0.kind == .function && $0.index == index }?.name.text
    }
}
