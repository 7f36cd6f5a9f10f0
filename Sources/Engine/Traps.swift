import CActorRuntime

/// The traps of `smeltrt.h` by name.
extension Trap {
    public static var unreachable: Trap { Trap(SMELT_RT_TRAP_UNREACHABLE) }
    public static var memoryOutOfBounds: Trap { Trap(SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS) }
    public static var tableOutOfBounds: Trap { Trap(SMELT_RT_TRAP_TABLE_OUT_OF_BOUNDS) }
    public static var undefinedElement: Trap { Trap(SMELT_RT_TRAP_UNDEFINED_ELEMENT) }
    public static var uninitializedElement: Trap { Trap(SMELT_RT_TRAP_UNINITIALIZED_ELEMENT) }
    public static var indirectCallType: Trap { Trap(SMELT_RT_TRAP_INDIRECT_CALL_TYPE) }
    public static var integerDivideByZero: Trap { Trap(SMELT_RT_TRAP_INTEGER_DIVIDE_BY_ZERO) }
    public static var integerOverflow: Trap { Trap(SMELT_RT_TRAP_INTEGER_OVERFLOW) }
    public static var invalidConversion: Trap { Trap(SMELT_RT_TRAP_INVALID_CONVERSION) }
    public static var stackHeight: Trap { Trap(SMELT_RT_TRAP_STACK_HEIGHT) }
    public static var outOfGas: Trap { Trap(SMELT_RT_TRAP_OUT_OF_GAS) }
    public static var nativeStack: Trap { Trap(SMELT_RT_TRAP_NATIVE_STACK) }
    public static var resourceLimit: Trap { Trap(SMELT_RT_TRAP_RESOURCE_LIMIT) }
    public static var hostAbort: Trap { Trap(SMELT_RT_TRAP_HOST_ABORT) }
    public static var localFailure: Trap { Trap(SMELT_RT_TRAP_LOCAL_FAILURE) }
    public static var stackEnd: Trap { Trap(SMELT_RT_TRAP_STACK_END) }
}
