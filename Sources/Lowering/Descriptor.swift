import CActorRuntime
import CodeImage
import LLVMKit

/// The entries from the host, by index of the function.
struct HostEntries {
    var uniform: [Int: Function] = [:]
    var typed: [Int: Function] = [:]
}

/// The one exported symbol and all it refers to, as constants of LLVM.
extension ModuleLowering {
    func lowerHostEntries() -> HostEntries {
        var entries = HostEntries()
        for index in image.hostEntries {
            entries.uniform[index] = lowerUniformEntry(index)
            entries.typed[index] = lowerTypedEntry(index)
        }
        if let start = image.start, entries.uniform[start] == nil { entries.uniform[start] = lowerUniformEntry(start) }
        return entries
    }

    /// Emits the constants that belong to the part.
    ///
    /// Rows of functions are with their code, which only the assembler can measure; in the last part are all others.
    /// Rows come first of what is relocated in each part, so that the linker, which keeps the order of objects, makes
    /// one table of them; what checks descriptors refuses one with a gap.
    func emitItems(_ entries: HostEntries, end: Function) {
        func value(_ symbol: CodeSymbol) -> Value {
            switch symbol {
            case .function(let index): function(index).value
            case .tableEntry(let index): tableEntry(index).value
            case .uniformEntry(let index): (entries.uniform[index] ?? end).value
            case .typedEntry(let index): (entries.typed[index] ?? end).value
            case .end: end.value
            }
        }
        var items: [Int: Value] = [:]
        func address(_ number: Int) -> Value {
            if let known = items[number] { return known }
            let declared = ir.declareConstant(image.items[number].name)
            items[number] = declared
            return declared
        }
        for (number, item) in image.items.enumerated() {
            let piece = image.functionItems.firstIndex(of: number)
            guard piece ?? part.count - 1 == part.number else { continue }
            let parts = item.parts.map { part in
                switch part {
                case .bytes(let bytes): ir.bytes(bytes)
                case .code(let symbol): value(symbol)
                case .data(let number): address(number)
                case .distance(let start, let end): ir.distance(from: value(start), to: value(end))
                }
            }
            items[number] = ir.addConstant(
                item.name, parts.count == 1 ? parts[0] : ir.structure(parts, packed: true),
                item.name == SMELT_MODULE_SYMBOL ? .exported : piece == 0 ? shared : .own, alignment: item.alignment)
        }
    }
}
