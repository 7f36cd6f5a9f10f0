import CLLVM

/// A type of the context it was made in; valid while that context lives.
public struct IRType: Equatable {
    let raw: LLVMTypeRef

    init(_ raw: LLVMTypeRef) { self.raw = raw }
}

/// A value (constant, argument, instruction, function, global); valid while its module lives.
public struct Value: Hashable {
    let raw: LLVMValueRef

    init(_ raw: LLVMValueRef) { self.raw = raw }

    /// The type of the value.
    public var type: IRType { IRType(LLVMTypeOf(raw)) }

    /// Whether the value is a constant to LLVM.
    public var isConstant: Bool { LLVMIsConstant(raw) != 0 }
}

/// A basic block of a function.
public struct Block: Hashable {
    let raw: LLVMBasicBlockRef

    init(_ raw: LLVMBasicBlockRef) { self.raw = raw }
}

/// A function with its type, which opaque pointers no longer tell.
public struct Function {
    public let value: Value
    public let type: IRType

    /// The argument at `index`.
    public func argument(_ index: Int) -> Value { Value(LLVMGetParam(value.raw, UInt32(index))) }
}

/// Attributes are made once per module and applied many times.
public struct Attribute {
    let raw: LLVMAttributeRef
}

/// Where an attribute of a function or a call applies.
public enum AttributePlace {
    case function
    case result
    case parameter(Int)

    var index: LLVMAttributeIndex {
        switch self {
        case .function: LLVMAttributeIndex(bitPattern: Int32(LLVMAttributeFunctionIndex))
        case .result: LLVMAttributeIndex(LLVMAttributeReturnIndex)
        case .parameter(let position): LLVMAttributeIndex(position + 1)
        }
    }
}

/// The calling conventions in use.
public enum CallingConvention {
    /// The C convention of the target.
    case c
    /// Swift's: C's arguments, and results in up to four registers.
    case swift

    var number: UInt32 {
        switch self {
        case .c: LLVMCCallConv.rawValue
        case .swift: LLVMSwiftCallConv.rawValue
        }
    }
}

/// Integer comparisons.
public enum IntegerPredicate {
    case equal, notEqual
    case signedLess, signedLessEqual, signedGreater, signedGreaterEqual
    case unsignedLess, unsignedLessEqual, unsignedGreater, unsignedGreaterEqual

    var raw: LLVMIntPredicate {
        switch self {
        case .equal: LLVMIntEQ
        case .notEqual: LLVMIntNE
        case .signedLess: LLVMIntSLT
        case .signedLessEqual: LLVMIntSLE
        case .signedGreater: LLVMIntSGT
        case .signedGreaterEqual: LLVMIntSGE
        case .unsignedLess: LLVMIntULT
        case .unsignedLessEqual: LLVMIntULE
        case .unsignedGreater: LLVMIntUGT
        case .unsignedGreaterEqual: LLVMIntUGE
        }
    }
}

/// Float comparisons: ordered ones are false when an operand is NaN, unordered ones true.
public enum FloatPredicate {
    case orderedEqual, unorderedNotEqual
    case orderedLess, orderedLessEqual, orderedGreater, orderedGreaterEqual
    case unordered

    var raw: LLVMRealPredicate {
        switch self {
        case .orderedEqual: LLVMRealOEQ
        case .unorderedNotEqual: LLVMRealUNE
        case .orderedLess: LLVMRealOLT
        case .orderedLessEqual: LLVMRealOLE
        case .orderedGreater: LLVMRealOGT
        case .orderedGreaterEqual: LLVMRealOGE
        case .unordered: LLVMRealUNO
        }
    }
}

/// Two-operand instructions. None carries a wrap, exact or fast-math flag.
public enum BinaryOperation {
    case add, sub, mul, sdiv, udiv, srem, urem, and, or, xor, shl, ashr, lshr
    case fadd, fsub, fmul, fdiv

    var opcode: LLVMOpcode {
        switch self {
        case .add: LLVMAdd
        case .sub: LLVMSub
        case .mul: LLVMMul
        case .sdiv: LLVMSDiv
        case .udiv: LLVMUDiv
        case .srem: LLVMSRem
        case .urem: LLVMURem
        case .and: LLVMAnd
        case .or: LLVMOr
        case .xor: LLVMXor
        case .shl: LLVMShl
        case .ashr: LLVMAShr
        case .lshr: LLVMLShr
        case .fadd: LLVMFAdd
        case .fsub: LLVMFSub
        case .fmul: LLVMFMul
        case .fdiv: LLVMFDiv
        }
    }
}

/// Conversions between types.
public enum Conversion {
    case truncate, zeroExtend, signExtend, bitcast
    case floatTruncate, floatExtend
    case signedToFloat, unsignedToFloat, floatToSigned, floatToUnsigned
    case pointerToInteger, integerToPointer

    var opcode: LLVMOpcode {
        switch self {
        case .truncate: LLVMTrunc
        case .zeroExtend: LLVMZExt
        case .signExtend: LLVMSExt
        case .bitcast: LLVMBitCast
        case .floatTruncate: LLVMFPTrunc
        case .floatExtend: LLVMFPExt
        case .signedToFloat: LLVMSIToFP
        case .unsignedToFloat: LLVMUIToFP
        case .floatToSigned: LLVMFPToSI
        case .floatToUnsigned: LLVMFPToUI
        case .pointerToInteger: LLVMPtrToInt
        case .integerToPointer: LLVMIntToPtr
        }
    }
}

/// Who can refer to a symbol.
public enum Visibility {
    /// The object itself.
    case own
    /// All objects that are linked into one: references are direct ones.
    case linked
    /// Whoever loads the linked object.
    case exported

    func apply(to global: LLVMValueRef) {
        if self == .own { LLVMSetLinkage(global, LLVMInternalLinkage) }
        if self == .linked { LLVMSetVisibility(global, LLVMHiddenVisibility) }
    }
}
