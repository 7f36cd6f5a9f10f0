import CActorRuntime
import CodeImage
import LLVMKit

/// The one exported symbol and all it refers to, as constants of LLVM.
extension ModuleLowering {
    /// Emits them, and the entries from the host; returns the still empty function that marks the end of the code.
    func emitDescriptor() -> Function {
        var uniform: [Int: Function] = [:]
        var typed: [Int: Function] = [:]
        for index in image.hostEntries {
            uniform[index] = lowerUniformEntry(index)
            typed[index] = lowerTypedEntry(index)
        }
        if let start = image.start, uniform[start] == nil { uniform[start] = lowerUniformEntry(start) }
        let end = addFunction("text_end", ir.functionType([], types.void), convention: .c)

        func value(_ symbol: CodeSymbol) -> Value {
            switch symbol {
            case .function(let index): functions[index].value
            case .tableEntry(let index): tableEntries[index].value
            case .uniformEntry(let index): (uniform[index] ?? end).value
            case .typedEntry(let index): (typed[index] ?? end).value
            case .end: end.value
            }
        }
        var items: [Value] = []
        for item in image.items {
            let parts = item.parts.map { part in
                switch part {
                case .bytes(let bytes): ir.bytes(bytes)
                case .code(let symbol): value(symbol)
                case .data(let number): items[number]
                case .distance(let start, let end): ir.distance(from: value(start), to: value(end))
                }
            }
            items.append(
                ir.addConstant(
                    item.name, parts.count == 1 ? parts[0] : ir.structure(parts, packed: true),
                    exported: item.name == SMELT_MODULE_SYMBOL, alignment: item.alignment))
        }
        return end
    }
}
