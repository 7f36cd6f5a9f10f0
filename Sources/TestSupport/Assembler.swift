import WasmFormat

/// Assembles instruction names of the text format with plain numbers behind them, no parentheses:
///
///     local.get 0 if i32 i32.const 1 else i32.const 2 end drop
///
/// `block`, `loop` and `if` may have a value type behind them. The labels of `br_table` are separated by
/// commas, the default last. Loads, stores and float constants have zeros as immediates.
public enum Assembler {
    private static let opcodes: [String: Opcode] = {
        var names: [String: Opcode] = [:]
        for opcode in Opcode.allCases where opcode != .selectTyped { names[opcode.name] = opcode }
        return names
    }()

    private static let types: [String: UInt8] = [
        "i32": 0x7F, "i64": 0x7E, "f32": 0x7D, "f64": 0x7C, "funcref": 0x70,
    ]

    /// Traps on text it does not know, which is a mistake in a test.
    public static func assemble(_ text: String) -> [UInt8] {
        var words = text.split(whereSeparator: \.isWhitespace).map(String.init)[...]
        var code: [UInt8] = []
        while let word = words.popFirst() {
            guard let opcode = opcodes[word] else { preconditionFailure("no instruction is called \(word)") }
            code += opcode.encoded + immediates(opcode.row.immediates, &words)
        }
        return code
    }

    private static func number(_ words: inout ArraySlice<String>) -> Int64 {
        guard let word = words.popFirst(), let value = Int64(word) else {
            preconditionFailure("a number is missing before \(words.joined(separator: " "))")
        }
        return value
    }

    private static func immediates(_ kind: Immediates, _ words: inout ArraySlice<String>) -> [UInt8] {
        func index() -> [UInt8] { WasmBytes.unsigned(Int(number(&words))) }
        switch kind {
        case .none: return []
        case .blockType:
            guard let first = words.first, let type = types[first] else { return [0x40] }
            words.removeFirst()
            return [type]
        case .label, .function, .local, .global, .table, .element, .data, .memory: return index()
        case .typeAndTable, .elementAndTable, .twoTables, .dataAndMemory, .twoMemories: return index() + index()
        case .zeroByte: return [0]
        case .memoryArgument: return [0, 0]
        case .i32, .i64: return WasmBytes.signed(number(&words))
        case .f32: return [UInt8](repeating: 0, count: 4)
        case .f64: return [UInt8](repeating: 0, count: 8)
        case .referenceType: return [0x70]
        case .selectTypes: return [1, 0x70]
        case .branchTable:
            let labels = words.popFirst()?.split(separator: ",").compactMap { Int($0) } ?? []
            return WasmBytes.unsigned(labels.count - 1) + labels.flatMap { WasmBytes.unsigned($0) }
        }
    }
}

extension WasmModule.Function {
    public init(type: Int = 0, locals: [(count: Int, type: UInt8)] = [], _ text: String) {
        self.init(type: type, locals: locals, code: Assembler.assemble(text))
    }
}
