import WasmFormat

/// Operands an operator is measured with: the bits of `a` (its second operand), of `b` (what the glue takes) and of
/// where the chain begins.
struct OperandClass: Sendable {
    var name: String
    var a: UInt64
    var b: UInt64
    var start: UInt64

    /// The classes of an operator. There is more than one where processors are known to take longer for some operands:
    /// division, and floats that are subnormal.
    static func classes(of opcode: Opcode) -> [OperandClass] {
        guard let type = opcode.row.types?.operands.first else { return [] }
        switch opcode.row.recipe {
        case .divide(let signed), .remainder(let signed):
            // The largest of the type; a signed dividend must not become a small negative one.
            let most = (type == .i32 ? UInt64(UInt32.max) : .max) >> (signed ? 1 : 0)
            return [
                OperandClass(name: "large/small", a: 3, b: most ^ 4, start: most ^ 14),
                OperandClass(name: "small/large", a: most, b: 5, start: 7),
            ]
        case .shift: return [OperandClass(name: "", a: 7, b: 0x9E37_79B9_7F4A_7C15, start: 0xB504_F333_F9DE_6484)]
        case .signExtend, .convert(.wrap), .convert(.extend):
            return [OperandClass(name: "", a: 0, b: 13, start: 0xB504_F333_F9DE_6484)]
        default: break
        }
        switch type {
        case .f32: return floats(opcode, one: 0x3F80_0000, normal: 0x3FC0_0000, addend: 0x3F40_0000, tiny: 0x0000_1234)
        case .f64:
            return floats(
                opcode, one: 0x3FF0_0000_0000_0000, normal: 0x3FF8_0000_0000_0000, addend: 0x3FE8_0000_0000_0000,
                tiny: 0x0000_0000_1234_5678)
        default:
            return [
                OperandClass(
                    name: "", a: 0x7E57_AB1E_0DD5_EED5, b: 0x9E37_79B9_7F4A_7C15, start: 0xB504_F333_F9DE_6484)
            ]
        }
    }

    /// Of arithmetic, numbers near 1 and subnormal ones; for anything else numbers near 1.
    private static func floats(
        _ opcode: Opcode, one: UInt64, normal: UInt64, addend: UInt64, tiny: UInt64
    ) -> [OperandClass] {
        switch opcode.row.recipe {
        case .floatBinary(.add), .floatBinary(.subtract):
            // Sums of subnormal numbers stay subnormal for as long as a run takes.
            return [
                OperandClass(name: "normal", a: addend, b: addend, start: normal),
                OperandClass(name: "subnormal", a: 1, b: 1, start: tiny),
            ]
        case .floatBinary(.multiply), .floatBinary(.divide):
            // By the number next to 1 and the number 1: what begins normal or subnormal stays so.
            return [
                OperandClass(name: "normal", a: one + 1, b: addend, start: normal),
                OperandClass(name: "subnormal", a: one, b: 1, start: tiny),
            ]
        case .floatUnary(.squareRoot):
            return [OperandClass(name: "normal", a: 0, b: addend, start: normal)]
        default: return [OperandClass(name: "", a: normal, b: addend, start: normal)]
        }
    }
}
