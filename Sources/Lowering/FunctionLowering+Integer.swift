import CActorRuntime
import LLVMKit
import WasmFormat

/// Integer instructions. Nothing relies on undefined behaviour: shift amounts are masked, divisors tested.
extension FunctionLowering {
    /// Lowers an integer instruction; false when `opcode` is none.
    func lowerInteger(_ opcode: Opcode) throws(LoweringError) -> Bool {
        switch opcode {
        case .i32Add, .i64Add: try binary(.add)
        case .i32Sub, .i64Sub: try binary(.sub)
        case .i32Mul, .i64Mul: try binary(.mul)
        case .i32And, .i64And: try binary(.and)
        case .i32Or, .i64Or: try binary(.or)
        case .i32Xor, .i64Xor: try binary(.xor)
        case .i32Shl, .i64Shl: try shift(.shl)
        case .i32ShrS, .i64ShrS: try shift(.ashr)
        case .i32ShrU, .i64ShrU: try shift(.lshr)
        case .i32Rotl, .i64Rotl: try rotate("llvm.fshl")
        case .i32Rotr, .i64Rotr: try rotate("llvm.fshr")
        case .i32DivS, .i64DivS: try divideSigned()
        case .i32DivU, .i64DivU: try divide(.udiv)
        case .i32RemS, .i64RemS: try remainderSigned()
        case .i32RemU, .i64RemU: try divide(.urem)
        case .i32Clz, .i64Clz: try count("llvm.ctlz")
        case .i32Ctz, .i64Ctz: try count("llvm.cttz")
        case .i32Popcnt, .i64Popcnt:
            let value = try pop()
            push(build.call(module.ir.intrinsic("llvm.ctpop", [value.type]), [value]))
        case .i32Eqz, .i64Eqz:
            switch try popOperand() {
            case .flag(let flag): pushFlag(build.binary(.xor, flag, module.ir.constant(types.i1, 1)))
            case .value(let value): pushFlag(build.compare(.equal, value, module.ir.zero(value.type)))
            }
        case .i32Eq, .i64Eq: try compare(.equal)
        case .i32Ne, .i64Ne: try compare(.notEqual)
        case .i32LtS, .i64LtS: try compare(.signedLess)
        case .i32LtU, .i64LtU: try compare(.unsignedLess)
        case .i32GtS, .i64GtS: try compare(.signedGreater)
        case .i32GtU, .i64GtU: try compare(.unsignedGreater)
        case .i32LeS, .i64LeS: try compare(.signedLessEqual)
        case .i32LeU, .i64LeU: try compare(.unsignedLessEqual)
        case .i32GeS, .i64GeS: try compare(.signedGreaterEqual)
        case .i32GeU, .i64GeU: try compare(.unsignedGreaterEqual)
        case .i32WrapI64: push(build.convert(.truncate, try pop(), to: types.i32))
        case .i64ExtendI32S: push(build.convert(.signExtend, try pop(), to: types.i64))
        case .i64ExtendI32U: push(build.convert(.zeroExtend, try pop(), to: types.i64))
        case .i32Extend8S, .i64Extend8S: try extend(from: types.i8)
        case .i32Extend16S, .i64Extend16S: try extend(from: types.i16)
        case .i64Extend32S: try extend(from: types.i32)
        default: return false
        }
        return true
    }

    func binary(_ operation: BinaryOperation) throws(LoweringError) {
        let right = try pop()
        push(build.binary(operation, try pop(), right))
    }

    private func compare(_ predicate: IntegerPredicate) throws(LoweringError) {
        let right = try pop()
        pushFlag(build.compare(predicate, try pop(), right))
    }

    private func width(_ value: Value) -> UInt64 { value.type == types.i32 ? 32 : 64 }

    private func constant(_ value: Value, _ number: UInt64) -> Value { module.ir.constant(value.type, number) }

    private func shift(_ operation: BinaryOperation) throws(LoweringError) {
        let amount = try pop()
        let masked = build.binary(.and, amount, constant(amount, width(amount) - 1))
        push(build.binary(operation, try pop(), masked))
    }

    /// Funnel shifts take their amount modulo the width.
    private func rotate(_ name: StaticString) throws(LoweringError) {
        let amount = try pop()
        let value = try pop()
        push(build.call(module.ir.intrinsic(name, [value.type]), [value, value, amount]))
    }

    private func count(_ name: StaticString) throws(LoweringError) {
        let value = try pop()
        // The flag: a zero operand gives the width, not poison.
        push(build.call(module.ir.intrinsic(name, [value.type]), [value, module.ir.zero(types.i1)]))
    }

    private func extend(from narrow: IRType) throws(LoweringError) {
        let value = try pop()
        push(build.convert(.signExtend, build.convert(.truncate, value, to: narrow), to: value.type))
    }

    private func trapOnZero(_ divisor: Value) {
        trap(
            SMELT_RT_TRAP_INTEGER_DIVIDE_BY_ZERO,
            if: build.compare(.equal, divisor, module.ir.zero(divisor.type)))
    }

    private func divide(_ operation: BinaryOperation) throws(LoweringError) {
        let divisor = try pop()
        trapOnZero(divisor)
        push(build.binary(operation, try pop(), divisor))
    }

    private func divideSigned() throws(LoweringError) {
        let divisor = try pop()
        let dividend = try pop()
        trapOnZero(divisor)
        let lowest = constant(dividend, width(dividend) == 32 ? 1 << 31 : 1 << 63)
        let overflows = build.binary(
            .and, build.compare(.equal, dividend, lowest),
            build.compare(.equal, divisor, constant(divisor, .max)))
        trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: overflows)
        push(build.binary(.sdiv, dividend, divisor))
    }

    /// The remainder by -1 is 0, as by 1; dividing the lowest number by -1 would be undefined.
    private func remainderSigned() throws(LoweringError) {
        let divisor = try pop()
        trapOnZero(divisor)
        let isMinusOne = build.compare(.equal, divisor, constant(divisor, .max))
        let safe = build.select(isMinusOne, constant(divisor, 1), divisor)
        push(build.binary(.srem, try pop(), safe))
    }
}
