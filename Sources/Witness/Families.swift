import TestSupport

/// The kinds of small functions: what optimisers look for.
extension Family {
    /// `(x op a) op (x op b)` and its parts, over all sources in `sources`.
    static func pairs(
        _ name: String, _ words: Vocabulary, sources: [[UInt8]], _ left: [[UInt8]], _ right: [[UInt8]],
        _ operators: [[UInt8]]
    ) -> Family {
        Family(
            name: "\(name) \(words.width.name)", radices: [sources.count, operators.count, left.count, right.count]
        ) { digits in
            SmallFunction(
                width: words.width, code: sources[digits[0]] + left[digits[2]] + right[digits[3]] + operators[digits[1]]
            )
        }
    }

    /// Three operators in a row, the second with the constant of the first.
    static func chains(_ words: Vocabulary) -> Family {
        let constants = [1, 3, 8, -1, Int64(words.width.bits) - 1]
        let operands =
            [SmallFunction.assemble("local.get 1")]
            + constants.map { SmallFunction.assemble("\(words.width.name).const \($0)") }
        let ends = [words.leaves[0], words.leaves[2]]
        let count = words.operators.count
        return Family(
            name: "chains \(words.width.name)", radices: [count, count, count, operands.count, ends.count]
        ) { digits in
            let operand = operands[digits[3]]
            return SmallFunction(
                width: words.width,
                code: words.sources[Vocabulary.parameter] + words.leaves[0] + operand + words.operators[digits[0]]
                    + operand + words.operators[digits[1]] + ends[digits[4]] + words.operators[digits[2]])
        }
    }

    /// A comparison of a piece with a leaf, as a value, in a branch and in a select.
    static func comparisons(_ words: Vocabulary, _ source: Int) -> Family {
        let name = words.width.name
        let uses = [
            SmallFunction.assemble(words.width == .i32 ? "" : "i64.extend_i32_u"),
            SmallFunction.assemble("if \(name) local.get 3 else local.get 1 end"),
            SmallFunction.assemble("local.set 5 local.get 1 local.get 3 local.get 5 select"),
        ]
        return Family(
            name: "comparisons \(name), source \(source)",
            radices: [uses.count, words.comparisons.count, words.pieces.count, words.leaves.count]
        ) { digits in
            SmallFunction(
                width: words.width,
                code: words.sources[source] + words.pieces[digits[2]] + words.leaves[digits[3]]
                    + words.comparisons[digits[1]] + uses[digits[0]])
        }
    }

    /// A choice between two pieces by a comparison of `x`: minima, maxima, absolute values, clamps.
    static func choices(_ words: Vocabulary) -> Family {
        let name = words.width.name
        let bounds =
            [SmallFunction.assemble("local.get 1")]
            + [0, -1, words.width.maximum].map { SmallFunction.assemble("\(name).const \($0)") }
        let select = SmallFunction.assemble("select")
        let few = words.fewPieces
        return Family(
            name: "choices \(name)", radices: [words.comparisons.count, bounds.count, few.count, few.count]
        ) { digits in
            SmallFunction(
                width: words.width,
                code: words.sources[Vocabulary.parameter] + few[digits[2]] + few[digits[3]] + words.leaves[0]
                    + bounds[digits[1]] + words.comparisons[digits[0]] + select)
        }
    }

    /// A conversion, an operator with a constant, another conversion.
    static func conversions(_ words: Vocabulary) -> Family {
        let both = words.conversions
        let x = SmallFunction.assemble("local.get 0")
        return Family(
            name: "conversions \(words.width.name)", radices: [both.count, words.steps.count, both.count]
        ) { digits in
            SmallFunction(
                width: words.width,
                code: x + both[digits[0]] + words.steps[digits[1]]
                    + both[digits[2]])
        }
    }

    /// Division, remainder and multiplication by constants, which become multiplications, shifts and additions.
    static func constants(_ words: Vocabulary) -> Family {
        let name = words.width.name
        let numbers = constantNumbers(words.width).map { SmallFunction.assemble("\(name).const \($0)") }
        let extend = words.width == .i32 ? "" : " i64.extend_i32_u"
        // `c` is where the constant comes.
        let shapes = [
            "x c div_s", "x c div_u", "x c rem_s", "x c rem_u", "x x c div_s c mul sub", "x x c div_u c mul sub",
            "x c rem_s 0 eq", "x c rem_u 0 eq", "x c rem_s 1 eq", "x c rem_u 1 ne", "x c mul", "x c mul c div_s",
            "x c mul c div_u", "x c div_s c mul", "x c div_u c rem_u", "c x div_s", "c x rem_u", "x c div_s 1 lt_s",
            "x c add c lt_u", "x c sub c gt_s", "x c mul 3 mul", "x c div_u 3 div_u", "x c and c eq",
        ].map { shape in
            shape.split(separator: " ").map { word -> [UInt8]? in
                switch word {
                case "c": nil
                case "x": SmallFunction.assemble("local.get 3")
                case "0", "1", "3": SmallFunction.assemble("\(name).const \(word)")
                case "eq", "ne", "lt_s", "lt_u", "gt_s": SmallFunction.assemble("\(name).\(word)\(extend)")
                default: SmallFunction.assemble("\(name).\(word)")
                }
            }
        }
        // Any value, a byte, the high half: what is known about `x` changes which multiplication is taken.
        let sources = [
            words.sources[Vocabulary.parameter],
            SmallFunction.assemble("local.get 0 \(name).extend8_s local.set 3"),
            SmallFunction.assemble("local.get 0 \(name).const \(words.width.bits / 2) \(name).shr_u local.set 3"),
        ]
        return Family(
            name: "constants \(name)", radices: [sources.count, shapes.count, numbers.count]
        ) { digits in
            SmallFunction(
                width: words.width,
                code: sources[digits[0]] + shapes[digits[1]].flatMap { $0 ?? numbers[digits[2]] })
        }
    }

    /// Small numbers, neighbours of powers of two, well-known factors; all with both signs.
    static func constantNumbers(_ width: Width) -> [Int64] {
        var numbers = Set<Int64>((2...300).map { Int64($0) })
        for power in 9..<(width.bits - 1) {
            for near in -1...1 { numbers.insert(Int64(1) << Int64(power) + Int64(near)) }
        }
        numbers.formUnion([
            641, 1_000, 3_600, 10_000, 65_521, 86_400, 100_000, 1_000_000, 10_000_000, 0x5555_5555, 0x2AAA_AAAB,
            0x4CCC_CCCD, 0x1234_5678, 1_000_000_000, 6_700_417,
        ])
        if width == .i64 {
            numbers.formUnion([
                0x5555_5555_5555_5555, 0x4CCC_CCCC_CCCC_CCCD, 1_000_000_000_000, 1_000_000_000_000_000_000,
            ])
        }
        let negative = numbers.map { -$0 }
        return (numbers + negative + [0, 1, -1, width.maximum, width.maximum - 1, width.minimum, width.minimum + 1])
            .sorted()
    }

    /// Two shifts or rotations by constants in a row.
    static func shifts(_ words: Vocabulary) -> Family {
        let bits = words.width.bits
        let first = (0..<bits).map { SmallFunction.assemble("\(words.width.name).const \($0)") }
        let second =
            bits == 32 ? first : [0, 1, 2, 7, 8, 15, 16, 24, 31, 32, 33, 40, 48, 56, 62, 63].map { first[$0] }
        let operators = ["shl", "shr_s", "shr_u", "rotl", "rotr"].map {
            SmallFunction.assemble("\(words.width.name).\($0)")
        }
        let x = SmallFunction.assemble("local.get 0")
        return Family(
            name: "shifts \(words.width.name)",
            radices: [operators.count, operators.count, first.count, second.count]
        ) { digits in
            SmallFunction(
                width: words.width,
                code: x + first[digits[2]] + operators[digits[0]] + second[digits[3]] + operators[digits[1]])
        }
    }

    /// Two shifts of `x` and `y` joined, and fields cut out with a mask.
    static func fields(_ words: Vocabulary) -> Family {
        let name = words.width.name
        let bits = words.width.bits
        let numbers = (0..<bits).map { SmallFunction.assemble("\(name).const \($0)") }
        let masks = (0..<bits).map { bits in
            SmallFunction.assemble("\(name).const \(Int64(bitPattern: (UInt64(1) << UInt64(bits)) &- 1))")
        }
        let x = SmallFunction.assemble("local.get 0")
        let y = SmallFunction.assemble("local.get 1")
        func code(_ operation: String) -> [UInt8] { SmallFunction.assemble("\(name).\(operation)") }
        let joins = [(x, code("or")), (x, code("xor")), (x, code("add")), (y, code("or"))]
        let cuts = ["shr_u", "shr_s", "shl"].map(code)
        let left = code("shl")
        let right = code("shr_u")
        let and = code("and")
        return Family(name: "fields \(name)", radices: [joins.count + cuts.count, bits, bits]) { digits in
            let first = x + numbers[digits[1]]
            guard digits[0] >= joins.count else {
                let (other, join) = joins[digits[0]]
                return SmallFunction(
                    width: words.width, code: first + left + other + numbers[digits[2]] + right + join)
            }
            return SmallFunction(
                width: words.width, code: first + cuts[digits[0] - joins.count] + masks[digits[2]] + and)
        }
    }
}
