import WasmFormat

extension Enumeration {
    /// The function of an index below `count` as a module in text form.
    public static func text(_ index: Int) throws -> String {
        let function = function(index)
        let module = try Module.decode(Batch.module([function]), profile: .fvm)
        return WatText.module(function, module.bodies[0])
    }
}

/// Small functions as text that `wat2wasm` reads.
enum WatText {
    /// A module that exports the function as `f`.
    static func module(_ function: SmallFunction, _ body: FunctionBody) -> String {
        let type = function.width.name
        let locals = function.width.float
        var lines = ["(module", " (memory (export \"memory\") 1)"]
        let bytes = Batch.loads.map { "\\" + hex($0) }.joined()
        lines.append(" (data (i32.const 0) \"\(bytes)\")")
        lines.append(" (func (export \"f\") (param \(type) \(type) i32) (result \(type))")
        lines.append("  (local \(type) \(type) i32 \(locals) \(locals))")
        lines.append("  " + instructions(body) + "))")
        return lines.joined(separator: "\n")
    }

    /// The instructions of a body without its last `end`, on one line.
    static func instructions(_ body: FunctionBody) -> String {
        body.instructions.dropLast().map { text($0, body) }.joined(separator: " ")
    }

    private static func text(_ instruction: Instruction, _ body: FunctionBody) -> String {
        let name = instruction.opcode.name
        switch instruction.opcode.row.immediates {
        case .none, .zeroByte: return "\(name)"
        case .blockType:
            guard case .value(let type) = instruction.blockType else { return "\(name)" }
            return "\(name) (result \(type))"
        case .i32: return "\(name) \(Int32(truncatingIfNeeded: instruction.bits))"
        case .i64: return "\(name) \(Int64(bitPattern: instruction.bits))"
        // The bits, because names of NaNs are long.
        case .f32: return "i32.const \(Int32(truncatingIfNeeded: instruction.bits)) f32.reinterpret_i32"
        case .f64: return "i64.const \(Int64(bitPattern: instruction.bits)) f64.reinterpret_i64"
        case .memoryArgument: return "\(name) offset=\(instruction.bits) align=\(1 << instruction.index)"
        case .branchTable:
            return "\(name) " + body.branchTables[Int(instruction.index)].map { "\($0)" }.joined(separator: " ")
        default: return "\(name) \(instruction.index)"
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return byte < 16 ? "0" + text : text
    }
}
