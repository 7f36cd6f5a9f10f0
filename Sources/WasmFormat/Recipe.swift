/// What an instruction does, apart from the types and widths in its row: the column that whoever executes or lowers
/// instructions goes by. Numeric recipes take their width from the row's operand type.
public enum Recipe: Hashable, Sendable {
    // Control.
    case unreachable, nop, block, loop, `if`, `else`, end, branch, branchIf, branchTable, `return`
    case call, callIndirect

    // Operands and variables.
    case drop, select, localGet, localSet, localTee, globalGet, globalSet
    /// Gives `Instruction.bits`.
    case constant

    // Memory; width, sign and type of an access are in the row.
    case load, store, memorySize, memoryGrow, memoryFill, memoryCopy, memoryInit, dataDrop

    // Tables and references.
    case tableGet, tableSet, tableSize, tableGrow, tableFill, tableCopy, tableInit, elementDrop
    case nullReference, isNull, functionReference

    // Integers.
    /// 1 when the operand is 0, else 0.
    case isZero
    case compare(IntegerComparison)
    case binary(IntegerOperation)
    /// The amount counts modulo the width.
    case shift(Shift)
    /// Traps on a divisor of 0, and signed on the quotient that does not fit.
    case divide(signed: Bool)
    /// Traps on a divisor of 0; of the lowest number by -1 it is 0.
    case remainder(signed: Bool)
    case count(BitCount)
    /// Extends the sign of the lowest `bits`.
    case signExtend(bits: UInt8)

    // Floats; a NaN that arithmetic gives becomes the positive canonical one.
    case floatCompare(FloatComparison)
    case floatBinary(FloatOperation)
    case floatUnary(FloatFunction)

    /// From the row's operand type to its result type.
    case convert(Conversion)

    /// Integer comparisons.
    public enum IntegerComparison: Hashable, Sendable, CaseIterable {
        case equal, notEqual
        case signedLess, unsignedLess, signedGreater, unsignedGreater
        case signedLessEqual, unsignedLessEqual, signedGreaterEqual, unsignedGreaterEqual
    }

    /// Integer operations that wrap and never trap.
    public enum IntegerOperation: Hashable, Sendable, CaseIterable {
        case add, subtract, multiply, and, or, xor
    }

    /// Shifts and rotations.
    public enum Shift: Hashable, Sendable, CaseIterable {
        case left, rightSigned, rightUnsigned, rotateLeft, rotateRight
    }

    /// Counts of bits.
    public enum BitCount: Hashable, Sendable, CaseIterable {
        case leadingZeros, trailingZeros, ones
    }

    /// Float comparisons; with a NaN only `notEqual` holds.
    public enum FloatComparison: Hashable, Sendable, CaseIterable {
        case equal, notEqual, less, greater, lessEqual, greaterEqual
    }

    /// Float operations of two operands. `copysign` moves bits, the others are arithmetic.
    public enum FloatOperation: Hashable, Sendable, CaseIterable {
        case add, subtract, multiply, divide, minimum, maximum, copysign
    }

    /// Float operations of one operand. `absolute` and `negate` move bits, the others are arithmetic.
    public enum FloatFunction: Hashable, Sendable, CaseIterable {
        case absolute, negate, ceil, floor, trunc, nearest, squareRoot
    }

    /// Conversions.
    public enum Conversion: Hashable, Sendable {
        /// The lower half.
        case wrap
        case extend(signed: Bool)
        /// Float to integer; traps on a NaN and outside the range.
        case truncate(signed: Bool)
        /// Float to integer; a NaN gives 0, and what is outside the range the nearest end of it.
        case saturate(signed: Bool)
        /// Integer to float, rounded to nearest, ties to even.
        case toFloat(signed: Bool)
        /// Double to single, arithmetic.
        case demote
        /// Single to double, arithmetic.
        case promote
        /// The same bits.
        case reinterpret
    }
}

extension Recipe {
    /// The traps that the instruction itself can raise. Charges in front of it are not part of it, nor is what a callee
    /// does once it runs; entering a callee is.
    public var traps: TrapSet {
        switch self {
        case .unreachable: .unreachable
        case .call: [.stackHeight, .nativeStack]
        case .callIndirect:
            [
                .undefinedElement, .uninitializedElement, .indirectCallType, .outOfGas, .stackHeight, .nativeStack,
            ]
        case .load, .store, .memoryFill, .memoryCopy, .memoryInit: .memoryOutOfBounds
        case .tableGet, .tableSet, .tableFill, .tableCopy, .tableInit: .tableOutOfBounds
        case .divide(let signed): signed ? [.integerDivideByZero, .integerOverflow] : .integerDivideByZero
        case .remainder: .integerDivideByZero
        case .convert(.truncate): [.invalidConversion, .integerOverflow]
        case .nop, .block, .loop, .if, .else, .end, .branch, .branchIf, .branchTable, .return, .drop, .select,
            .localGet, .localSet, .localTee, .globalGet, .globalSet, .constant, .memorySize, .memoryGrow, .dataDrop,
            .tableSize, .tableGrow, .elementDrop, .nullReference, .isNull, .functionReference, .isZero, .compare,
            .binary, .shift, .count, .signExtend, .floatCompare, .floatBinary, .floatUnary, .convert:
            []
        }
    }
}

extension Recipe {
    /// Whether compiled code leaves the instruction to a function of the runtime, which finds its traps.
    public var isService: Bool {
        switch self {
        case .memoryGrow, .memoryFill, .memoryCopy, .memoryInit, .dataDrop, .tableGet, .tableSet, .tableGrow,
            .tableFill, .tableCopy, .tableInit, .elementDrop, .functionReference:
            true
        default: false
        }
    }

    /// The traps that compiled code tests for in front of acting: not those found by a function of the runtime or by a
    /// callee. Of accesses to memory where bounds are checked explicitly.
    public var testedTraps: TrapSet {
        isService || self == .unreachable ? [] : traps.subtracting([.outOfGas, .stackHeight, .nativeStack])
    }

    /// Whether it is float arithmetic, which makes a NaN the positive canonical one; what moves bits keeps them.
    public var canonicalizes: Bool {
        switch self {
        case .floatBinary(let operation): operation != .copysign
        case .floatUnary(let function): function != .absolute && function != .negate
        case .convert(.demote), .convert(.promote): true
        default: false
        }
    }
}
