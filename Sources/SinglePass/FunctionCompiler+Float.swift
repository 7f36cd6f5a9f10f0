import CActorRuntime
import CodeImage
import WasmFormat

/// Floats. What arithmetic gives is made the canonical NaN when it is one; what only moves bits keeps them.
extension FunctionCompiler {
    /// A result of arithmetic.
    private mutating func pushCanonical(_ type: ValueType, _ register: XMM) {
        let label = assembler.makeLabel()
        let back = assembler.makeLabel()
        assembler.compare(register, .register(register.number), double: type == .f64)
        assembler.jump(.parity, label)
        assembler.bind(back)
        cold.append(.canonicalize(label, register, double: type == .f64, back: back))
        push(type, .xmm(register))
    }

    mutating func floatBinary(_ operation: Recipe.FloatOperation) throws(SinglePassError) {
        let right = try pop()
        let left = try pop()
        let double = left.isDouble
        switch operation {
        case .add, .subtract, .multiply, .divide:
            let result: XMM = own(left)
            assembler.float(operation.encoding, result, floatSource(right), double: double)
            release(right)
            pushCanonical(left.type, result)
        case .minimum, .maximum:
            let result: XMM = own(left)
            let other: XMM = own(right)
            let differ = assembler.makeLabel()
            let done = assembler.makeLabel()
            assembler.compare(result, .register(other.number), double: double)
            assembler.jump(.notEqual, differ)
            // Equal, or one is a NaN: of zeros the right sign; of a NaN its own bits stay a NaN.
            let ordered = assembler.makeLabel()
            assembler.jump(.noParity, ordered)
            assembler.float(0x58, result, .register(other.number), double: double)
            assembler.jump(done)
            assembler.bind(ordered)
            assembler.bits(operation == .minimum ? 0x56 : 0x54, result, other)
            assembler.jump(done)
            assembler.bind(differ)
            assembler.float(operation == .minimum ? 0x5D : 0x5F, result, .register(other.number), double: double)
            assembler.bind(done)
            give(other)
            pushCanonical(left.type, result)
        case .copysign:
            let value = take()
            let sign = take()
            load(left, into: value)
            load(right, into: sign)
            release(left)
            release(right)
            assembler.move(.r11, double ? 1 << 63 : 1 << 31)
            assembler.arithmetic(.and, sign, .register(GP.r11.rawValue), wide: double)
            assembler.move(.r11, double ? ~(1 << 63) : 0x7FFF_FFFF)
            assembler.arithmetic(.and, value, .register(GP.r11.rawValue), wide: double)
            assembler.arithmetic(.or, value, .register(sign.rawValue), wide: double)
            give(sign)
            pushBits(left.type, value)
        }
    }

    /// A float whose bits are in a general register.
    private mutating func pushBits(_ type: ValueType, _ register: GP) {
        let result = takeFloat()
        assembler.move(result, register, wide: type == .f64)
        give(register)
        push(type, .xmm(result))
    }

    mutating func floatUnary(_ function: Recipe.FloatFunction) throws(SinglePassError) {
        let operand = try pop()
        let double = operand.isDouble
        switch function {
        case .absolute, .negate:
            let bits = take()
            load(operand, into: bits)
            release(operand)
            if function == .absolute {
                assembler.move(.r11, double ? ~(1 << 63) : 0x7FFF_FFFF)
                assembler.arithmetic(.and, bits, .register(GP.r11.rawValue), wide: double)
            } else {
                assembler.move(.r11, double ? 1 << 63 : 1 << 31)
                assembler.arithmetic(.xor, bits, .register(GP.r11.rawValue), wide: double)
            }
            pushBits(operand.type, bits)
        case .ceil, .floor, .trunc, .nearest, .squareRoot:
            let source: XMM = own(operand)
            switch function {
            case .squareRoot: assembler.float(0x51, source, .register(source.number), double: double)
            case .ceil: assembler.round(source, .register(source.number), mode: 2, double: double)
            case .floor: assembler.round(source, .register(source.number), mode: 1, double: double)
            case .trunc: assembler.round(source, .register(source.number), mode: 3, double: double)
            default: assembler.round(source, .register(source.number), mode: 0, double: double)
            }
            pushCanonical(operand.type, source)
        }
    }

    mutating func compareFloats(_ comparison: Recipe.FloatComparison) throws(SinglePassError) {
        let right = try pop()
        let left = try pop()
        let double = left.isDouble
        let a: XMM = own(left)
        let b: XMM = own(right)
        let result = take()
        switch comparison {
        case .equal, .notEqual:
            // Unordered sets the parity and the zero flag.
            let isEqual = comparison == .equal
            let other = take()
            assembler.compare(a, .register(b.number), double: double)
            assembler.set(isEqual ? .noParity : .parity, result)
            assembler.set(isEqual ? .equal : .notEqual, other)
            assembler.arithmetic(isEqual ? .and : .or, result, .register(other.rawValue), wide: false)
            give(other)
        // Carry is set by less and by unordered, so only the other direction tells them apart.
        case .less, .lessEqual:
            assembler.compare(b, .register(a.number), double: double)
            assembler.set(comparison == .less ? .above : .aboveOrEqual, result)
        case .greater, .greaterEqual:
            assembler.compare(a, .register(b.number), double: double)
            assembler.set(comparison == .greater ? .above : .aboveOrEqual, result)
        }
        assembler.load(extending: 1, signed: false, result, .register(result.rawValue), wide: false)
        give(a)
        give(b)
        push(.i32, .gp(result))
    }

    // MARK: Conversions

    mutating func convert(_ conversion: Recipe.Conversion, to type: ValueType) throws(SinglePassError) {
        let operand = try pop()
        switch conversion {
        case .wrap:
            let result: GP = own(operand)
            assembler.move(result, result, wide: false)
            push(type, .gp(result))
        case .extend(let signed):
            let result: GP = own(operand)
            if signed {
                assembler.load(extending: 4, signed: true, result, .register(result.rawValue), wide: true)
            }
            push(type, .gp(result))
        case .reinterpret:
            if type.isFloat {
                let bits: GP = own(operand)
                pushBits(type, bits)
            } else {
                let bits = take()
                load(operand, into: bits)
                release(operand)
                push(type, .gp(bits))
            }
        case .demote, .promote:
            let result: XMM = own(operand)
            assembler.float(0x5A, result, .register(result.number), double: operand.isDouble)
            pushCanonical(type, result)
        case .toFloat(let signed): try toFloat(operand, type, signed: signed)
        case .truncate(let signed): try truncate(operand, type, signed: signed)
        case .saturate(let signed): try saturate(operand, type, signed: signed)
        }
    }

    private mutating func toFloat(_ operand: Operand, _ type: ValueType, signed: Bool) throws(SinglePassError) {
        let double = type == .f64
        let from: GP = own(operand)
        let result = takeFloat()
        // Converting keeps the upper part of the register, which must not be waited for.
        assembler.bits(0x57, result, result)
        if signed || !operand.isWide {
            // An unsigned i32 is a positive i64.
            assembler.convert(result, fromSigned: from, wide: operand.isWide || !signed, double: double)
        } else {
            let large = assembler.makeLabel()
            let back = assembler.makeLabel()
            assembler.test(from, from, wide: true)
            assembler.jump(.sign, large)
            assembler.convert(result, fromSigned: from, wide: true, double: double)
            assembler.bind(back)
            cold.append(.convertLarge(large, from, result, double: double, back: back))
        }
        give(from)
        push(type, .xmm(result))
    }

    /// An unsigned i64 from 2^63 on: half of it is converted, with the lost bit kept for rounding, and doubled.
    mutating func finishLarge(_ from: GP, _ to: XMM, _ double: Bool) {
        assembler.move(.r11, from, wide: true)
        assembler.shift(.rightUnsigned, .r11, by: 1, wide: true)
        assembler.arithmetic(.and, .register(from.rawValue), 1, wide: false)
        assembler.arithmetic(.or, .r11, .register(from.rawValue), wide: true)
        assembler.convert(to, fromSigned: .r11, wide: true, double: double)
        assembler.float(0x58, to, .register(to.number), double: double)
    }

    /// A constant of a float type into the scratch register of floats.
    private mutating func loadBound(_ number: Double, double: Bool) {
        assembler.move(.r11, double ? number.bitPattern : UInt64(Float(number).bitPattern))
        assembler.move(Convention.scratchFloat, .r11, wide: double)
    }

    /// Compares with the exact bounds first, so that the conversion itself is always defined.
    private mutating func truncate(_ operand: Operand, _ type: ValueType, signed: Bool) throws(SinglePassError) {
        let double = operand.isDouble
        let value: XMM = own(operand)
        let bounds = TruncationBounds(single: !double, signed: signed, wide: type == .i64)
        let scratch = Convention.scratchFloat
        markHere()
        assembler.compare(value, .register(value.number), double: double)
        trap(SMELT_RT_TRAP_INVALID_CONVERSION, if: .parity)
        loadBound(bounds.lowest, double: double)
        assembler.compare(value, .register(scratch.number), double: double)
        trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: bounds.lowestIsIn ? .below : .belowOrEqual)
        loadBound(bounds.end, double: double)
        assembler.compare(value, .register(scratch.number), double: double)
        trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: .aboveOrEqual)
        let result = take()
        convertInRange(value, result, signed: signed, wide: type == .i64, double: double)
        give(value)
        push(type, .gp(result))
    }

    /// Truncates what is known to fit; uses up the value.
    private mutating func convertInRange(_ value: XMM, _ result: GP, signed: Bool, wide: Bool, double: Bool) {
        if signed || !wide {
            // An unsigned i32 fits a signed i64.
            assembler.truncate(result, value, wide: wide || !signed, double: double)
            if !wide && !signed { assembler.move(result, result, wide: false) }
            return
        }
        let small = assembler.makeLabel()
        let done = assembler.makeLabel()
        loadBound(0x1p63, double: double)
        assembler.compare(value, .register(Convention.scratchFloat.number), double: double)
        assembler.jump(.below, small)
        assembler.float(0x5C, value, .register(Convention.scratchFloat.number), double: double)
        assembler.truncate(result, value, wide: true, double: double)
        assembler.move(.r11, 1 << 63)
        assembler.arithmetic(.xor, result, .register(GP.r11.rawValue), wide: true)
        assembler.jump(done)
        assembler.bind(small)
        assembler.truncate(result, value, wide: true, double: double)
        assembler.bind(done)
    }

    /// A NaN gives 0, what is outside the range the nearest end of it.
    private mutating func saturate(_ operand: Operand, _ type: ValueType, signed: Bool) throws(SinglePassError) {
        let double = operand.isDouble
        let wide = type == .i64
        let value: XMM = own(operand)
        let result = take()
        let bounds = TruncationBounds(single: !double, signed: signed, wide: wide)
        let scratch = Convention.scratchFloat
        let done = assembler.makeLabel()
        assembler.move(result, 0)
        assembler.compare(value, .register(value.number), double: double)
        assembler.jump(.parity, done)
        assembler.move(result, signed ? (wide ? 1 << 63 : 1 << 31) : 0)
        loadBound(bounds.lowest, double: double)
        assembler.compare(value, .register(scratch.number), double: double)
        assembler.jump(bounds.lowestIsIn ? .below : .belowOrEqual, done)
        let largest: UInt64 = wide ? (signed ? .max >> 1 : .max) : (signed ? 0x7FFF_FFFF : 0xFFFF_FFFF)
        assembler.move(result, largest)
        loadBound(bounds.end, double: double)
        assembler.compare(value, .register(scratch.number), double: double)
        assembler.jump(.aboveOrEqual, done)
        convertInRange(value, result, signed: signed, wide: wide, double: double)
        assembler.bind(done)
        give(value)
        push(type, .gp(result))
    }
}

extension Recipe.FloatOperation {
    /// Of the scalar instruction.
    var encoding: UInt8 {
        switch self {
        case .add, .copysign: 0x58
        case .subtract: 0x5C
        case .multiply: 0x59
        case .divide: 0x5E
        case .minimum: 0x5D
        case .maximum: 0x5F
        }
    }
}
