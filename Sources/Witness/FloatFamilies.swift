import TestSupport

/// Small functions of floats. Floats pass as bits: NaNs are compared exactly.
extension Family {
    private struct Floats: Sendable {
        let width: Width
        let x: [UInt8]
        /// `x`, `y` and constants.
        let leaves: [[UInt8]]
        let binary: [[UInt8]]
        /// Operators of one operand and conversions there and back, as code behind a value; the first is nothing.
        let unary: [[UInt8]]
        let comparisons: [[UInt8]]
        let bits: [UInt8]

        init(_ width: Width) {
            let float = width.float
            let other = width == .i32 ? "f64.promote_f32 f32.demote_f64" : "f32.demote_f64 f64.promote_f32"
            func value(_ local: Int) -> [UInt8] {
                SmallFunction.assemble("local.get \(local) \(float).reinterpret_\(width.name)")
            }
            self.width = width
            x = value(0)
            let constants: [Double] = [0, -0.0, 1, -1, 0.5, 2, .infinity, .nan]
            leaves =
                [x, value(1)]
                + constants.map { number in
                    if width == .i32 {
                        let bits = Float(number).bitPattern
                        return [0x43] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
                    }
                    return [0x44] + (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt64($0))) }
                }
            binary = ["add", "sub", "mul", "div", "min", "max", "copysign"].map {
                SmallFunction.assemble("\(float).\($0)")
            }
            unary =
                [[]]
                + ["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"].map {
                    SmallFunction.assemble("\(float).\($0)")
                }
                + [
                    other, "i32.trunc_sat_\(float)_s \(float).convert_i32_s",
                    "i64.trunc_sat_\(float)_u \(float).convert_i64_u", "i32.trunc_\(float)_u \(float).convert_i32_u",
                ].map(SmallFunction.assemble)
            comparisons = ["eq", "ne", "lt", "gt", "le", "ge"].map { SmallFunction.assemble("\(float).\($0)") }
            bits = SmallFunction.assemble("\(width.name).reinterpret_\(float)")
        }

        func function(_ code: [UInt8]) -> SmallFunction {
            SmallFunction(width: width, takesFloats: true, code: code + bits)
        }
    }

    /// Two operators, operands in both orders.
    private static func pairs(_ words: Floats) -> Family {
        let leaves = words.leaves
        return Family(
            name: "pairs \(words.width.float)",
            radices: [2, 2, words.binary.count, words.binary.count, leaves.count, leaves.count]
        ) { digits in
            let a = leaves[digits[4]]
            let b = leaves[digits[5]]
            let first = (digits[0] == 0 ? words.x + a : a + words.x) + words.binary[digits[2]]
            return words.function((digits[1] == 0 ? first + b : b + first) + words.binary[digits[3]])
        }
    }

    /// An operator with a constant between two operators of one operand.
    private static func chains(_ words: Floats) -> Family {
        let unary = words.unary
        return Family(
            name: "chains \(words.width.float)",
            radices: [unary.count, words.binary.count, words.leaves.count, unary.count]
        ) { digits in
            words.function(
                words.x + unary[digits[0]] + words.leaves[digits[2]] + words.binary[digits[1]] + unary[digits[3]])
        }
    }

    /// A choice by a comparison: what looks like a minimum or a maximum.
    private static func choices(_ words: Floats) -> Family {
        let leaves = words.leaves
        // Nothing, abs, neg.
        let unary = Array(words.unary.prefix(3))
        let select = SmallFunction.assemble("select")
        return Family(
            name: "choices \(words.width.float)",
            radices: [words.comparisons.count, leaves.count, leaves.count, leaves.count, unary.count]
        ) { digits in
            words.function(
                words.x + unary[digits[4]] + leaves[digits[1]] + leaves[digits[2]] + leaves[digits[3]]
                    + words.comparisons[digits[0]] + select)
        }
    }

    static var floats: [Family] {
        Width.allCases.flatMap { width in
            let words = Floats(width)
            return [pairs(words), chains(words), choices(words)]
        }
    }
}
