import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// Float instructions. Results of arithmetic that are NaN become the positive canonical one; what only moves
/// bits keeps them (the FVM's reference switches on NaN canonicalisation, spec 4.3.3 leaves the choice).
extension FunctionLowering {
    func compare(_ predicate: FloatPredicate) throws(LoweringError) {
        let right = try pop()
        pushFlag(build.compare(predicate, try pop(), right))
    }

    func floatBinary(_ operation: Recipe.FloatOperation) throws(LoweringError) {
        let right = try pop()
        let left = try pop()
        let result =
            switch operation {
            case .add: build.binary(.fadd, left, right)
            case .subtract: build.binary(.fsub, left, right)
            case .multiply: build.binary(.fmul, left, right)
            case .divide: build.binary(.fdiv, left, right)
            case .minimum: intrinsic("llvm.minimum", left, right)
            case .maximum: intrinsic("llvm.maximum", left, right)
            case .copysign: intrinsic("llvm.copysign", left, right)
            }
        push(canonical(result, by: .floatBinary(operation)))
    }

    func floatUnary(_ function: Recipe.FloatFunction) throws(LoweringError) {
        let value = try pop()
        let result =
            switch function {
            case .absolute: intrinsic("llvm.fabs", value)
            case .negate: build.negateFloat(value)
            case .ceil: intrinsic("llvm.ceil", value)
            case .floor: intrinsic("llvm.floor", value)
            case .trunc: intrinsic("llvm.trunc", value)
            case .nearest: intrinsic("llvm.roundeven", value)
            case .squareRoot: intrinsic("llvm.sqrt", value)
            }
        push(canonical(result, by: .floatUnary(function)))
    }

    private func intrinsic(_ name: StaticString, _ arguments: Value...) -> Value {
        build.call(module.ir.intrinsic(name, [arguments[0].type]), arguments)
    }

    /// All conversions, those between integers included.
    func convert(_ conversion: Recipe.Conversion, to type: IRType) throws(LoweringError) {
        let value = try pop()
        switch conversion {
        case .wrap: push(build.convert(.truncate, value, to: type))
        case .extend(let signed): push(build.convert(signed ? .signExtend : .zeroExtend, value, to: type))
        case .truncate(let signed): push(truncate(value, signed: signed, type))
        case .saturate(let signed):
            let name: StaticString = signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat"
            push(build.call(module.ir.intrinsic(name, [type, value.type]), [value]))
        case .toFloat(let signed): push(build.convert(signed ? .signedToFloat : .unsignedToFloat, value, to: type))
        case .demote: push(canonical(build.convert(.floatTruncate, value, to: type), by: .convert(.demote)))
        case .promote: push(canonical(build.convert(.floatExtend, value, to: type), by: .convert(.promote)))
        case .reinterpret: push(build.convert(.bitcast, value, to: type))
        }
    }

    /// What arithmetic gives, without a NaN of its own; what only moves bits keeps them.
    private func canonical(_ value: Value, by recipe: Recipe) -> Value {
        recipe.canonicalizes ? canonical(value) : value
    }

    /// A NaN becomes the canonical one by an unlikely branch: a select would stand in every chain of operations.
    private func canonical(_ value: Value) -> Value {
        let isSingle = value.type == types.f32
        let quiet = module.ir.floatConstant(value.type, bits: isSingle ? 0x7FC0_0000 : 0x7FF8_0000_0000_0000)
        let here = build.block
        let cold = newBlock()
        let rest = newBlock()
        build.branch(build.compare(.unordered, value, value), cold, rest, annotation: module.unlikely)
        build.position(cold)
        build.branch(rest)
        build.position(rest)
        let phi = build.phi(value.type)
        build.addIncoming(phi, value, from: here)
        build.addIncoming(phi, quiet, from: cold)
        return phi
    }

    /// Trapping truncation: the operand is compared with the exact bounds first, so that the conversion itself
    /// is always defined.
    private func truncate(_ value: Value, signed: Bool, _ type: IRType) -> Value {
        trap(SMELT_RT_TRAP_INVALID_CONVERSION, if: build.compare(.unordered, value, value))
        let bounds = TruncationBounds(single: value.type == types.f32, signed: signed, wide: type == types.i64)
        let below = build.compare(
            bounds.lowestIsIn ? .orderedLess : .orderedLessEqual, value, number(bounds.lowest, value.type))
        let above = build.compare(.orderedGreaterEqual, value, number(bounds.end, value.type))
        trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: build.binary(.or, below, above))
        return build.convert(signed ? .floatToSigned : .floatToUnsigned, value, to: type)
    }

    private func number(_ number: Double, _ type: IRType) -> Value {
        module.ir.floatConstant(type, bits: type == types.f32 ? UInt64(Float(number).bitPattern) : number.bitPattern)
    }
}

extension Recipe.FloatComparison {
    /// LLVM's predicate.
    var predicate: FloatPredicate {
        switch self {
        case .equal: .orderedEqual
        case .notEqual: .unorderedNotEqual
        case .less: .orderedLess
        case .greater: .orderedGreater
        case .lessEqual: .orderedLessEqual
        case .greaterEqual: .orderedGreaterEqual
        }
    }
}
