import CActorRuntime

/// Traps of the runtime's list, `smeltrt.h`.
public struct TrapSet: OptionSet, Hashable, Sendable {
    /// Bit n stands for the trap of number n.
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    private init(_ trap: smelt_rt_trap) { rawValue = 1 << UInt64(trap.rawValue) }

    /// The set of the trap of a number.
    public init(number: Int32) { rawValue = number > 0 && number < 64 ? 1 << UInt64(number) : 0 }

    /// How many traps it has.
    public var count: Int { rawValue.nonzeroBitCount }

    public static let unreachable = TrapSet(SMELT_RT_TRAP_UNREACHABLE)
    public static let memoryOutOfBounds = TrapSet(SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS)
    public static let tableOutOfBounds = TrapSet(SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS)
    public static let undefinedElement = TrapSet(SMELT_RT_TRAP_UNDEFINED_ELEMENT)
    public static let uninitializedElement = TrapSet(SMELT_RT_TRAP_UNINITIALIZED_ELEMENT)
    public static let indirectCallType = TrapSet(SMELT_RT_TRAP_INDIRECT_CALL_TYPE)
    public static let integerDivideByZero = TrapSet(SMELT_RT_TRAP_INTEGER_DIVIDE_BY_ZERO)
    public static let integerOverflow = TrapSet(SMELT_RT_TRAP_INTEGER_OVERFLOW)
    public static let invalidConversion = TrapSet(SMELT_RT_TRAP_INVALID_CONVERSION)
    public static let stackHeight = TrapSet(SMELT_RT_TRAP_STACK_HEIGHT)
    public static let outOfGas = TrapSet(SMELT_RT_TRAP_OUT_OF_GAS)
    public static let nativeStack = TrapSet(SMELT_RT_TRAP_NATIVE_STACK)
}
