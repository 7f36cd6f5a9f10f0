import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// Float instructions. Results of arithmetic that are NaN become the positive canonical one; what only moves
/// bits keeps them (the FVM's reference switches on NaN canonicalisation, spec 4.3.3 leaves the choice).
extension FunctionLowering {
    /// Lowers a float instruction or conversion; false when `opcode` is none.
    func lowerFloat(_ opcode: Opcode) throws(LoweringError) -> Bool {
        switch opcode {
        case .f32Add, .f64Add: try arithmetic(.fadd)
        case .f32Sub, .f64Sub: try arithmetic(.fsub)
        case .f32Mul, .f64Mul: try arithmetic(.fmul)
        case .f32Div, .f64Div: try arithmetic(.fdiv)
        case .f32Min, .f64Min: try binaryIntrinsic("llvm.minimum", canonical: true)
        case .f32Max, .f64Max: try binaryIntrinsic("llvm.maximum", canonical: true)
        case .f32Copysign, .f64Copysign: try binaryIntrinsic("llvm.copysign", canonical: false)
        case .f32Abs, .f64Abs: try unaryIntrinsic("llvm.fabs", canonical: false)
        case .f32Neg, .f64Neg: push(build.negateFloat(try pop()))
        case .f32Ceil, .f64Ceil: try unaryIntrinsic("llvm.ceil", canonical: true)
        case .f32Floor, .f64Floor: try unaryIntrinsic("llvm.floor", canonical: true)
        case .f32Trunc, .f64Trunc: try unaryIntrinsic("llvm.trunc", canonical: true)
        case .f32Nearest, .f64Nearest: try unaryIntrinsic("llvm.roundeven", canonical: true)
        case .f32Sqrt, .f64Sqrt: try unaryIntrinsic("llvm.sqrt", canonical: true)
        case .f32DemoteF64: push(canonical(build.convert(.floatTruncate, try pop(), to: types.f32)))
        case .f64PromoteF32: push(canonical(build.convert(.floatExtend, try pop(), to: types.f64)))
        case .f32Eq, .f64Eq: try compare(.orderedEqual)
        case .f32Ne, .f64Ne: try compare(.unorderedNotEqual)
        case .f32Lt, .f64Lt: try compare(.orderedLess)
        case .f32Gt, .f64Gt: try compare(.orderedGreater)
        case .f32Le, .f64Le: try compare(.orderedLessEqual)
        case .f32Ge, .f64Ge: try compare(.orderedGreaterEqual)
        default: return try lowerConversion(opcode)
        }
        return true
    }

    private func lowerConversion(_ opcode: Opcode) throws(LoweringError) -> Bool {
        switch opcode {
        case .f32ConvertI32S, .f32ConvertI64S: try convert(.signedToFloat, types.f32)
        case .f32ConvertI32U, .f32ConvertI64U: try convert(.unsignedToFloat, types.f32)
        case .f64ConvertI32S, .f64ConvertI64S: try convert(.signedToFloat, types.f64)
        case .f64ConvertI32U, .f64ConvertI64U: try convert(.unsignedToFloat, types.f64)
        case .i32ReinterpretF32: push(bitcast(try pop(), types.i32))
        case .i64ReinterpretF64: push(bitcast(try pop(), types.i64))
        case .f32ReinterpretI32: push(bitcast(try pop(), types.f32))
        case .f64ReinterpretI64: push(bitcast(try pop(), types.f64))
        case .i32TruncF32S, .i32TruncF64S: try truncate(signed: true, types.i32)
        case .i32TruncF32U, .i32TruncF64U: try truncate(signed: false, types.i32)
        case .i64TruncF32S, .i64TruncF64S: try truncate(signed: true, types.i64)
        case .i64TruncF32U, .i64TruncF64U: try truncate(signed: false, types.i64)
        case .i32TruncSatF32S, .i32TruncSatF64S: try saturate("llvm.fptosi.sat", types.i32)
        case .i32TruncSatF32U, .i32TruncSatF64U: try saturate("llvm.fptoui.sat", types.i32)
        case .i64TruncSatF32S, .i64TruncSatF64S: try saturate("llvm.fptosi.sat", types.i64)
        case .i64TruncSatF32U, .i64TruncSatF64U: try saturate("llvm.fptoui.sat", types.i64)
        default: return false
        }
        return true
    }

    private func arithmetic(_ operation: BinaryOperation) throws(LoweringError) {
        let right = try pop()
        push(canonical(build.binary(operation, try pop(), right)))
    }

    private func unaryIntrinsic(_ name: StaticString, canonical: Bool) throws(LoweringError) {
        let value = try pop()
        let result = build.call(module.ir.intrinsic(name, [value.type]), [value])
        push(canonical ? self.canonical(result) : result)
    }

    private func binaryIntrinsic(_ name: StaticString, canonical: Bool) throws(LoweringError) {
        let right = try pop()
        let result = build.call(module.ir.intrinsic(name, [right.type]), [try pop(), right])
        push(canonical ? self.canonical(result) : result)
    }

    private func compare(_ predicate: FloatPredicate) throws(LoweringError) {
        let right = try pop()
        pushFlag(build.compare(predicate, try pop(), right))
    }

    private func convert(_ conversion: Conversion, _ type: IRType) throws(LoweringError) {
        push(build.convert(conversion, try pop(), to: type))
    }

    private func saturate(_ name: StaticString, _ type: IRType) throws(LoweringError) {
        let value = try pop()
        push(build.call(module.ir.intrinsic(name, [type, value.type]), [value]))
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
    private func truncate(signed: Bool, _ type: IRType) throws(LoweringError) {
        let value = try pop()
        trap(SMELT_RT_TRAP_INVALID_CONVERSION, if: build.compare(.unordered, value, value))
        let bounds = TruncationBounds(single: value.type == types.f32, signed: signed, wide: type == types.i64)
        let below = build.compare(
            bounds.lowestIsIn ? .orderedLess : .orderedLessEqual, value, constant(bounds.lowest, value.type))
        let above = build.compare(.orderedGreaterEqual, value, constant(bounds.end, value.type))
        trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: build.binary(.or, below, above))
        push(build.convert(signed ? .floatToSigned : .floatToUnsigned, value, to: type))
    }

    private func constant(_ number: Double, _ type: IRType) -> Value {
        module.ir.floatConstant(type, bits: type == types.f32 ? UInt64(Float(number).bitPattern) : number.bitPattern)
    }
}
