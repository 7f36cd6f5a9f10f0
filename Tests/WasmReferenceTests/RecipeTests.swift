import Engine
import TestSupport
import Testing
import Validator
import WasmFormat

@testable import WasmReference

/// The recipe of every numeric instruction, carried out here in another way, against the interpreter.
struct RecipeTests {
    private static let numeric = Opcode.allCases.filter { opcode in
        guard opcode.row.types != nil else { return false }
        switch opcode.row.recipe {
        case .isZero, .compare, .binary, .shift, .divide, .remainder, .count, .signExtend, .floatCompare, .floatBinary,
            .floatUnary, .convert:
            return true
        default: return false
        }
    }

    private static let integers: [UInt64] = [
        0, 1, 2, 7, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
        0x1234_5678_9ABC_DEF0, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
    ]
    private static let floats: [Double] = [
        0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -3.5, 0x1p-1074, 0x1p-149, .infinity, -.infinity, 0x1p31, -0x1p31, 0x1p32,
        0x1p63, -0x1p63, 0x1p64, 2_147_483_647, -2_147_483_649, 4_294_967_295, -0.9, 1e300, 3.25,
    ]

    private static func operands(_ type: ValueType) -> [UInt64] {
        switch type {
        case .i32: integers.map { $0 & 0xFFFF_FFFF }
        case .f32: floats.map { UInt64(Float($0).bitPattern) } + [0x7FC0_0000, 0x7F80_0001, 0xFFC0_1234, 0x4EFF_FFFF]
        case .f64: floats.map(\.bitPattern) + [0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0001, 0xFFF8_0000_0000_1234]
        default: integers
        }
    }

    @Test(arguments: numeric)
    func recipesAreWhatTheInterpreterDoes(opcode: Opcode) throws {
        let row = opcode.row
        let types = try #require(row.types)
        var module = WasmModule()
        module.types = [WasmBytes.functionType(types.operands.map(\.rawValue), types.results.map(\.rawValue))]
        let code = types.operands.indices.flatMap { [0x20, UInt8($0)] } + opcode.encoded
        module.functions = [.init(code: code)]
        module.exports = [("f", 0, 0)]
        let instance = try Unmetered.instance(module)
        var traps: TrapSet = []
        for first in Self.operands(types.operands[0]) {
            for second in types.operands.count == 2 ? Self.operands(types.operands[1]) : [0] {
                let arguments = Array([first, second].prefix(types.operands.count))
                let expected = Evaluation(types.operands[0], types.results[0]).result(row.recipe, first, second)
                switch (try instance.call("f", arguments), expected) {
                case (.returned(let found), .success(let value)):
                    #expect(found == [value], "\(opcode) of \(arguments)")
                case (.trapped(let trap, _), .failure(let expected)):
                    #expect(trap == expected.trap, "\(opcode) of \(arguments)")
                    traps.insert(TrapSet(number: trap.rawValue))
                case (let found, _): Issue.record("\(opcode) of \(arguments): \(String(describing: found))")
                }
            }
        }
        #expect(traps == row.traps)
    }

    @Test func allNumericInstructionsAreThere() { #expect(Self.numeric.count == 136) }
}

/// Instances without a plan.
enum Unmetered {
    static func instance(_ module: WasmModule) throws -> any ActorInstance {
        let validated = try ValidatedModule.validate(
            Module.decode(module.bytes, profile: .suite), profile: .suite)
        let instance = try ReferenceModule(try FlatCode(validated, plan: nil)).makeInstance(
            handler: NoHost(), limiter: ResourceLimiter(limit: 2 << 30))
        guard case .returned = try instance.instantiate() else { throw NotStarted() }
        return instance
    }
}

private struct Trapped: Error { var trap: Trap }

/// Recipes on 64-bit slots, by width.
private struct Evaluation {
    let operand: ValueType
    let given: ValueType

    init(_ operand: ValueType, _ given: ValueType) {
        self.operand = operand
        self.given = given
    }

    private var width: UInt64 { operand == .i32 || operand == .f32 ? 32 : 64 }
    private var mask: UInt64 { Self.mask(width) }
    private static func mask(_ width: UInt64) -> UInt64 { width == 64 ? .max : (1 << width) - 1 }

    private func signed(_ value: UInt64, _ width: UInt64) -> Int64 {
        Int64(bitPattern: value << (64 - width)) >> Int64(64 - width)
    }

    private func double(_ bits: UInt64) -> Double {
        operand == .f32 ? Double(Float(bitPattern: UInt32(bits))) : Double(bitPattern: bits)
    }

    /// Rounds once: the exact result of two singles is rounded to a double first, which has more than twice the digits.
    private func bits(_ value: Double, _ type: ValueType) -> UInt64 {
        if value.isNaN { return type == .f32 ? 0x7FC0_0000 : 0x7FF8_0000_0000_0000 }
        return type == .f32 ? UInt64(Float(value).bitPattern) : value.bitPattern
    }

    func result(_ recipe: Recipe, _ a: UInt64, _ b: UInt64) -> Result<UInt64, Trapped> {
        switch recipe {
        case .divide(let isSigned):
            guard b != 0 else { return .failure(Trapped(trap: .integerDivideByZero)) }
            guard isSigned else { return .success(a / b) }
            let lowest = Int64.min >> Int64(64 - width)
            guard !(signed(a, width) == lowest && signed(b, width) == -1) else {
                return .failure(Trapped(trap: .integerOverflow))
            }
            return .success(UInt64(bitPattern: signed(a, width) / signed(b, width)) & mask)
        case .remainder(let isSigned):
            guard b != 0 else { return .failure(Trapped(trap: .integerDivideByZero)) }
            guard isSigned else { return .success(a % b) }
            if signed(b, width) == -1 { return .success(0) }
            return .success(UInt64(bitPattern: signed(a, width) % signed(b, width)) & mask)
        case .convert(.truncate(let isSigned)):
            guard !double(a).isNaN else { return .failure(Trapped(trap: .invalidConversion)) }
            guard let value = whole(double(a), isSigned) else { return .failure(Trapped(trap: .integerOverflow)) }
            return .success(value)
        default: return .success(value(recipe, a, b))
        }
    }

    private var givenWidth: UInt64 { given == .i32 ? 32 : 64 }

    /// The integer towards zero, nil outside the range.
    private func whole(_ value: Double, _ isSigned: Bool) -> UInt64? {
        let value = value.rounded(.towardZero)
        let end = isSigned ? (givenWidth == 32 ? 0x1p31 : 0x1p63) : (givenWidth == 32 ? 0x1p32 : 0x1p64)
        guard value < end, value >= (isSigned ? -end : 0) else { return nil }
        return isSigned ? UInt64(bitPattern: Int64(value)) & Self.mask(givenWidth) : UInt64(value)
    }

    private func value(_ recipe: Recipe, _ a: UInt64, _ b: UInt64) -> UInt64 {
        switch recipe {
        case .isZero: return a == 0 ? 1 : 0
        case .compare(let comparison): return compare(comparison, a, b) ? 1 : 0
        case .binary(let operation):
            switch operation {
            case .add: return (a &+ b) & mask
            case .subtract: return (a &- b) & mask
            case .multiply: return (a &* b) & mask
            case .and: return a & b
            case .or: return a | b
            case .xor: return a ^ b
            }
        case .shift(let shift):
            let amount = b % width
            let around = (width - amount) % width
            switch shift {
            case .left: return (a << amount) & mask
            case .rightSigned: return UInt64(bitPattern: signed(a, width) >> Int64(amount)) & mask
            case .rightUnsigned: return a >> amount
            case .rotateLeft: return ((a << amount) | (a >> around)) & mask
            case .rotateRight: return ((a >> amount) | (a << around)) & mask
            }
        case .count(let count):
            let bits = (0..<width).map { (a >> $0) & 1 }
            switch count {
            case .leadingZeros: return UInt64(bits.reversed().prefix { $0 == 0 }.count)
            case .trailingZeros: return UInt64(bits.prefix { $0 == 0 }.count)
            case .ones: return bits.reduce(0, +)
            }
        case .signExtend(let narrow): return UInt64(bitPattern: signed(a, UInt64(narrow))) & mask
        case .floatCompare(let comparison):
            let (x, y) = (double(a), double(b))
            switch comparison {
            case .equal: return x == y ? 1 : 0
            case .notEqual: return x == y ? 0 : 1
            case .less: return x < y ? 1 : 0
            case .greater: return y < x ? 1 : 0
            case .lessEqual: return x < y || x == y ? 1 : 0
            case .greaterEqual: return y < x || x == y ? 1 : 0
            }
        case .floatBinary(let operation): return float(operation, a, b)
        case .floatUnary(let function): return float(function, a)
        case .convert(let conversion): return convert(conversion, a)
        default:
            Issue.record("\(recipe) is not numeric")
            return 0
        }
    }

    private func compare(_ comparison: Recipe.IntegerComparison, _ a: UInt64, _ b: UInt64) -> Bool {
        let (x, y) = (signed(a, width), signed(b, width))
        return switch comparison {
        case .equal: a == b
        case .notEqual: a != b
        case .signedLess: x < y
        case .unsignedLess: a < b
        case .signedGreater: y < x
        case .unsignedGreater: b < a
        case .signedLessEqual: !(y < x)
        case .unsignedLessEqual: !(b < a)
        case .signedGreaterEqual: !(x < y)
        case .unsignedGreaterEqual: !(a < b)
        }
    }

    private func float(_ operation: Recipe.FloatOperation, _ a: UInt64, _ b: UInt64) -> UInt64 {
        let sign: UInt64 = 1 << (width - 1)
        let (x, y) = (double(a), double(b))
        switch operation {
        case .add: return bits(x + y, given)
        case .subtract: return bits(x - y, given)
        case .multiply: return bits(x * y, given)
        case .divide: return bits(x / y, given)
        case .copysign: return (a & ~sign) | (b & sign)
        case .minimum, .maximum:
            guard !x.isNaN, !y.isNaN else { return bits(.nan, given) }
            let isMinimum = operation == .minimum
            if x == y { return isMinimum ? a | b : a & b }
            return (x < y) == isMinimum ? a : b
        }
    }

    private func float(_ function: Recipe.FloatFunction, _ a: UInt64) -> UInt64 {
        let sign: UInt64 = 1 << (width - 1)
        let x = double(a)
        return switch function {
        case .absolute: a & ~sign
        case .negate: a ^ sign
        case .ceil: bits(x.rounded(.up), given)
        case .floor: bits(x.rounded(.down), given)
        case .trunc: bits(x.rounded(.towardZero), given)
        case .nearest: bits(x.rounded(.toNearestOrEven), given)
        case .squareRoot: bits(x.squareRoot(), given)
        }
    }

    private func convert(_ conversion: Recipe.Conversion, _ a: UInt64) -> UInt64 {
        switch conversion {
        case .wrap: return a & 0xFFFF_FFFF
        case .extend(let isSigned): return isSigned ? UInt64(bitPattern: signed(a, 32)) : a
        case .reinterpret: return a
        case .demote, .promote: return bits(double(a), given)
        case .toFloat(let isSigned):
            let value = signed(a, width)
            // Straight from the integer: by way of a double it would be rounded twice.
            if given == .f32 { return UInt64((isSigned ? Float(value) : Float(a)).bitPattern) }
            return (isSigned ? Double(value) : Double(a)).bitPattern
        case .truncate(let isSigned), .saturate(let isSigned):
            let x = double(a)
            if x.isNaN { return 0 }
            if let value = whole(x, isSigned) { return value }
            let all = Self.mask(givenWidth)
            guard isSigned else { return x < 0 ? 0 : all }
            return x < 0 ? all ^ (all >> 1) : all >> 1
        }
    }
}
