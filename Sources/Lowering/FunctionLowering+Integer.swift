import CActorRuntime
import LLVMKit
import WasmFormat

/// Integer instructions. Nothing relies on undefined behaviour: shift amounts are masked, divisors tested.
extension FunctionLowering {
    func binary(_ operation: BinaryOperation) throws(LoweringError) {
        let right = try pop()
        push(build.binary(operation, try pop(), right))
    }

    func compare(_ predicate: IntegerPredicate) throws(LoweringError) {
        let right = try pop()
        pushFlag(build.compare(predicate, try pop(), right))
    }

    /// Of a number or a reference.
    func lowerIsZero() throws(LoweringError) {
        switch try popOperand() {
        case .flag(let flag): pushFlag(build.binary(.xor, flag, module.ir.constant(types.i1, 1)))
        case .value(let value): pushFlag(build.compare(.equal, value, module.ir.zero(value.type)))
        }
    }

    private func width(_ value: Value) -> UInt64 { value.type == types.i32 ? 32 : 64 }

    private func number(_ number: UInt64, like value: Value) -> Value { module.ir.constant(value.type, number) }

    func lowerShift(_ shift: Recipe.Shift) throws(LoweringError) {
        switch shift {
        case .left: try self.shift(.shl)
        case .rightSigned: try self.shift(.ashr)
        case .rightUnsigned: try self.shift(.lshr)
        case .rotateLeft: try rotate("llvm.fshl")
        case .rotateRight: try rotate("llvm.fshr")
        }
    }

    private func shift(_ operation: BinaryOperation) throws(LoweringError) {
        let amount = try pop()
        let masked = build.binary(.and, amount, number(width(amount) - 1, like: amount))
        push(build.binary(operation, try pop(), masked))
    }

    /// Funnel shifts take their amount modulo the width.
    private func rotate(_ name: StaticString) throws(LoweringError) {
        let amount = try pop()
        let value = try pop()
        push(build.call(module.ir.intrinsic(name, [value.type]), [value, value, amount]))
    }

    func lowerCount(_ count: Recipe.BitCount) throws(LoweringError) {
        let value = try pop()
        // The flag: a zero operand gives the width, not poison.
        let flag = module.ir.zero(types.i1)
        func call(_ name: StaticString, _ arguments: [Value]) -> Value {
            build.call(module.ir.intrinsic(name, [value.type]), arguments)
        }
        switch count {
        case .leadingZeros: push(call("llvm.ctlz", [value, flag]))
        case .trailingZeros: push(call("llvm.cttz", [value, flag]))
        case .ones: push(call("llvm.ctpop", [value]))
        }
    }

    func signExtend(from narrow: IRType) throws(LoweringError) {
        let value = try pop()
        push(build.convert(.signExtend, build.convert(.truncate, value, to: narrow), to: value.type))
    }

    private func trapOnZero(_ divisor: Value) {
        trap(
            SMELT_RT_TRAP_INTEGER_DIVIDE_BY_ZERO,
            if: build.compare(.equal, divisor, module.ir.zero(divisor.type)))
    }

    func divide(signed: Bool) throws(LoweringError) {
        let divisor = try pop()
        let dividend = try pop()
        trapOnZero(divisor)
        guard signed else { return push(build.binary(.udiv, dividend, divisor)) }
        let lowest = number(width(dividend) == 32 ? 1 << 31 : 1 << 63, like: dividend)
        let overflows = build.binary(
            .and, build.compare(.equal, dividend, lowest),
            build.compare(.equal, divisor, number(.max, like: divisor)))
        trap(SMELT_RT_TRAP_INTEGER_OVERFLOW, if: overflows)
        push(build.binary(.sdiv, dividend, divisor))
    }

    func remainder(signed: Bool) throws(LoweringError) {
        let divisor = try pop()
        let dividend = try pop()
        trapOnZero(divisor)
        guard signed else { return push(build.binary(.urem, dividend, divisor)) }
        // By -1 it is 0, as by 1; dividing the lowest number by -1 would be undefined.
        let isMinusOne = build.compare(.equal, divisor, number(.max, like: divisor))
        let safe = build.select(isMinusOne, number(1, like: divisor), divisor)
        push(build.binary(.srem, dividend, safe))
    }
}

extension Recipe.IntegerOperation {
    /// LLVM's instruction.
    var operation: BinaryOperation {
        switch self {
        case .add: .add
        case .subtract: .sub
        case .multiply: .mul
        case .and: .and
        case .or: .or
        case .xor: .xor
        }
    }
}

extension Recipe.IntegerComparison {
    /// LLVM's predicate.
    var predicate: IntegerPredicate {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .signedLess: .signedLess
        case .unsignedLess: .unsignedLess
        case .signedGreater: .signedGreater
        case .unsignedGreater: .unsignedGreater
        case .signedLessEqual: .signedLessEqual
        case .unsignedLessEqual: .unsignedLessEqual
        case .signedGreaterEqual: .signedGreaterEqual
        case .unsignedGreaterEqual: .unsignedGreaterEqual
        }
    }
}
