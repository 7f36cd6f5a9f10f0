import TestSupport

/// The words that small functions of one width are made of. Each is code that leaves one value, so that an expression
/// is its operands' code followed by an operator's.
///
/// `x` is local 3, which a *source* sets first; `y` is the second parameter, `s` the third.
struct Vocabulary: Sendable {
    let width: Width
    /// The 15 operators of two operands.
    let operators: [[UInt8]]
    /// Those of them whose operands cannot change places.
    let orderedOperators: [[UInt8]]
    /// The ten comparisons; they leave an i32.
    let comparisons: [[UInt8]]
    /// `x`, `y` and constants at which operators change what they do.
    let leaves: [[UInt8]]
    /// Every operator with `x` and a leaf, in each order that makes a difference, and bare leaves.
    let pieces: [[UInt8]]
    /// Those of them that folds are most often about.
    let fewPieces: [[UInt8]]
    /// The same over a larger set of constants.
    let manyPieces: [[UInt8]]
    /// Code that sets `x`: what can be known about it differs.
    let sources: [[UInt8]]
    /// Operators of one operand, and pairs of conversions that come back to the width, as code behind a value.
    let conversions: [[UInt8]]
    /// An operator and its constant, as code behind a value; the first is nothing at all.
    let steps: [[UInt8]]

    /// Places in `sources`.
    static let parameter = 0
    static let phiOfThree = 1

    static let i32 = Vocabulary(.i32)
    static let i64 = Vocabulary(.i64)
    static let all = [i32, i64]

    static let operatorNames = [
        "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl",
        "rotr",
    ]
    private static let commutative: Set<String> = ["add", "mul", "and", "or", "xor"]
    private static let comparisonNames = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"]

    init(_ width: Width) {
        let name = width.name
        let bits = Int64(width.bits)
        func code(_ text: String) -> [UInt8] { SmallFunction.assemble(text) }
        self.width = width
        let ordered = Self.operatorNames.filter { !Self.commutative.contains($0) }
        operators = Self.operatorNames.map { code("\(name).\($0)") }
        orderedOperators = ordered.map { code("\(name).\($0)") }
        comparisons = Self.comparisonNames.map { code("\(name).\($0)") }
        let constants = [0, 1, -1, 3, 8, width.minimum, bits - 1]
        let x = "local.get 3"
        func constant(_ value: Int64) -> String { "\(name).const \(value)" }
        leaves = ([x, "local.get 1"] + [1, -1, 0, 3, width.minimum, bits - 1].map(constant)).map(code)

        func pieces(_ constants: [Int64], mirrored: [Int64]) -> [[UInt8]] {
            let operands = [x, "local.get 1"] + constants.map(constant)
            let right = Self.operatorNames.flatMap { one in operands.map { "\(x) \($0) \(name).\(one)" } }
            let left = ordered.flatMap { one in
                (["local.get 1"] + mirrored.map(constant)).map { "\($0) \(x) \(name).\(one)" }
            }
            let bare = [x, constant(3), constant(-1), constant(width.minimum)]
            return (right + left + bare).map(code)
        }
        self.pieces = pieces(constants, mirrored: [0, 1, -1, width.minimum])
        manyPieces = pieces(
            constants + [-2, 2, 5, 7, 10, 31, 0x7F, 0x80, 0xFF, 0xFFFF, width.maximum, bits, bits / 2],
            mirrored: [0, 1, -1, 3, 8, width.minimum, width.maximum])

        let few: [(Int64, String)] = [
            (1, "add"), (-1, "add"), (3, "mul"), (-1, "mul"), (8, "mul"), (-1, "xor"), (3, "and"), (1, "or"),
            (8, "shl"),
            (bits - 1, "shl"), (bits - 1, "shr_s"), (bits - 1, "shr_u"), (8, "shr_u"), (3, "div_s"), (3, "div_u"),
            (8, "div_s"), (8, "div_u"), (3, "rem_s"), (3, "rem_u"), (8, "rem_s"), (8, "rem_u"), (8, "rotl"),
        ]
        fewPieces =
            ([x, "\(constant(0)) \(x) \(name).sub", "\(constant(width.minimum)) \(x) \(name).sub"]
            + few.map { "\(x) \(constant($0)) \(name).\($1)" }
            + ["add", "sub", "and", "or", "xor", "mul"].map { "\(x) local.get 1 \(name).\($0)" }
            + ["local.get 1 \(x) \(name).sub", "\(x) \(x) \(name).mul"]).map(code)
        sources = Self.sources(width).map(code)
        conversions = Self.conversions(width).map(code)
        steps =
            [[]] + Self.operatorNames.flatMap { one in constants.map { code("\(constant($0)) \(name).\(one)") } }
    }

    private static func sources(_ width: Width) -> [String] {
        let name = width.name
        let set = " local.set 3"
        func constant(_ value: Int64) -> String { "\(name).const \(value)" }
        func two(_ a: String, _ b: String) -> String { "local.get 2 if \(name) \(a) else \(b) end" + set }
        // The conditions are about different values: edges with equal constants must stay apart.
        func three(_ a: String, _ b: String, _ c: String) -> String {
            "local.get 2 i32.const 3 i32.eq if \(name) \(a) else local.get 1 \(constant(1)) \(name).gt_s if \(name) "
                + "\(b) else \(c) end end\(set)"
        }
        func four(_ a: String, _ b: String, _ c: String, _ d: String) -> String {
            "\(d)\(set) block block block block local.get 2 br_table 0,1,2,3 end \(a)\(set) br 2 end \(b)\(set) br 1 "
                + "end \(c)\(set) end"
        }
        let minusOne = constant(-1)
        let zero = constant(0)
        let one = constant(1)
        let minimum = constant(width.minimum)
        let x = "local.get 0"
        let extend = width == .i32 ? "" : " i64.extend_i32_u"
        let narrow =
            width == .i32
            ? [
                "\(x) i64.extend_i32_s i64.const 3 i64.mul i32.wrap_i64",
                "\(x) i64.extend_i32_u i64.const 40 i64.shl i64.const 36 i64.shr_s i32.wrap_i64",
            ] : ["\(x) i32.wrap_i64 i64.extend_i32_u", "\(x) i32.wrap_i64 i64.extend_i32_s"]
        return [
            x + set,
            three(minusOne, zero, minusOne),
            two(minusOne, zero), two(x, zero), two("local.get 1", x),
            three(one, zero, one), three(x, zero, minusOne), three(minimum, zero, minimum),
            four(minusOne, zero, minusOne, zero), four(zero, minusOne, minimum, x), four(one, zero, one, constant(3)),
            "\(minusOne) \(zero) local.get 2 select" + set,
            "\(x) \(constant(3)) local.get 2 select" + set,
            // Every round takes the other sign.
            "\(x)\(set) local.get 2 local.set 5 loop \(zero) local.get 3 \(name).sub\(set) "
                + "local.get 5 i32.const -1 i32.add local.tee 5 i32.const 0 i32.gt_s br_if 0 end",
            "local.get 2 \(name).load8_s" + set, "local.get 2 \(name).load8_u" + set,
            "local.get 2 \(name).load16_s" + set, "local.get 2 \(name).load16_u" + set,
            "\(x) \(name).extend8_s" + set, "\(x) \(name).extend16_s" + set,
            "\(x) \(constant(255)) \(name).and" + set, "\(x) \(one) \(name).and" + set,
            "\(zero) \(x) \(one) \(name).and \(name).sub" + set,
            "\(x) local.get 1 \(name).lt_s\(extend)" + set,
            "\(x) \(constant(Int64(width.bits) - 8)) \(name).shr_u" + set,
            "\(x) \(constant(Int64(width.bits) - 1)) \(name).shr_s" + set,
            "\(x) \(name).clz" + set,
        ] + narrow.map { $0 + set }
    }

    private static func conversions(_ width: Width) -> [String] {
        let name = width.name
        let float = width.float
        let both = [
            "", "\(name).clz", "\(name).ctz", "\(name).popcnt", "\(name).extend8_s", "\(name).extend16_s",
            "\(name).const 255 \(name).and", "\(name).const 65535 \(name).and",
            "\(float).reinterpret_\(name) \(name).reinterpret_\(float)",
            "\(float).reinterpret_\(name) \(float).neg \(name).reinterpret_\(float)",
            "\(float).reinterpret_\(name) \(float).abs \(name).reinterpret_\(float)",
            "f64.convert_\(name)_s \(name).trunc_sat_f64_s", "f64.convert_\(name)_u \(name).trunc_sat_f64_u",
            "f32.convert_\(name)_s \(name).trunc_sat_f32_s", "f32.convert_\(name)_u \(name).trunc_sat_f32_u",
            "f64.convert_\(name)_s \(name).trunc_sat_f64_u",
        ]
        let narrow = [
            "i32.eqz", "i64.extend_i32_s i32.wrap_i64", "i64.extend_i32_u i32.wrap_i64",
            "i64.extend_i32_u i64.const 8 i64.shr_u i32.wrap_i64",
            "i64.extend_i32_s i64.const 31 i64.shr_s i32.wrap_i64",
        ]
        let wide = [
            "i64.eqz i64.extend_i32_u", "i64.extend32_s", "i32.wrap_i64 i64.extend_i32_u",
            "i32.wrap_i64 i64.extend_i32_s", "i32.wrap_i64 i32.extend8_s i64.extend_i32_u",
            "i32.wrap_i64 i32.const 1 i32.shr_u i64.extend_i32_s",
        ]
        return both + (width == .i32 ? narrow : wide)
    }
}
