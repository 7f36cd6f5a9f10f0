import WasmFormat

/// Symbols of functions, for people.
public struct SymbolNames: Sendable {
    private let names: [UInt32: String]
    private let imported: UInt32

    public init(_ module: Module) {
        names = module.functionNames
        imported = UInt32(module.importedFunctionCount)
    }

    /// The index, and behind it letters, digits, `_`, `.` and `$` of the WASM name.
    public func symbol(_ index: UInt32) -> String {
        let prefix = index < imported ? "import" : "f"
        guard let name = names[index] else { return "\(prefix)\(index)" }
        let clean = name.utf8.prefix(160).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "$"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        return "\(prefix)\(index)." + String(decoding: clean, as: UTF8.self)
    }
}
