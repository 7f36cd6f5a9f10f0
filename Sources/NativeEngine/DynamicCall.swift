import CActorRuntime
import CFFI
import Engine
import WasmFormat

/// How a call of a function ended whose type became known at run time.
public struct DynamicCallResult: Sendable {
    public var outcome: GuestOutcome
    /// Milligas, the part below zero included when it ran out.
    public var gasUsed: Int64
}

extension NativeModule {
    /// Calls an exported function through libffi, in a new instance; the start function runs first.
    ///
    /// - Parameters:
    ///   - arguments: one 64-bit slot each (i32 and f32 zero-extended).
    ///   - gas: milligas.
    /// - Throws: `EngineError.artifact` when there is no such function or the module imports anything.
    public func callDynamically(
        _ name: String, _ arguments: [UInt64], gas: Int64
    ) throws(EngineError) -> DynamicCallResult {
        guard facts.importedFunctions.isEmpty, !facts.importsOtherThanFunctions else {
            throw .artifact("the module has imports")
        }
        guard let function = function(named: Array(name.utf8)) else { throw .artifact("no exported function \(name)") }
        guard function.parameterCount == arguments.count else {
            throw .artifact("\(name) takes \(function.parameterCount) arguments, not \(arguments.count)")
        }
        let instance = try NativeInstance(self, handler: NoImports(), limiter: ResourceLimiter(limit: 2 << 30))
        instance.gasCounter = gas
        let started = try instance.instantiate()
        guard case .returned = started else {
            return DynamicCallResult(outcome: started, gasUsed: gas &- instance.gasCounter)
        }
        let call = try ForeignCall(function)
        let (trap, result) = call.run(in: instance.context, arguments)
        let results = function.type.results.first.map { [$0.isNarrow ? result & 0xFFFF_FFFF : result] } ?? []
        return DynamicCallResult(
            outcome: try instance.outcome(trap, results: results), gasUsed: gas &- instance.gasCounter)
    }
}

/// A libffi call interface for `(context, parameters…) -> result`.
private struct ForeignCall: ~Copyable {
    private let interface = UnsafeMutablePointer<ffi_cif>.allocate(capacity: 1)
    private let types: UnsafeMutableBufferPointer<UnsafeMutablePointer<ffi_type>?>
    private let function: UnsafeMutableRawPointer

    init(_ function: NativeModule.Function) throws(EngineError) {
        self.function = function.typed
        types = .allocate(capacity: function.parameterCount + 1)
        types.initialize(repeating: ffiPointer())
        for (index, parameter) in function.type.parameters.enumerated() { types[index + 1] = parameter.foreign }
        let result = function.type.results.first.map(\.foreign) ?? ffiVoid()
        let status = ffi_prep_cif(interface, FFI_DEFAULT_ABI, UInt32(types.count), result, types.baseAddress)
        guard status == FFI_OK else { throw .artifact("libffi cannot call a function of this type") }
    }

    deinit {
        interface.deallocate()
        types.deallocate()
    }

    /// The trap that ended the call, or 0, and the result's slot.
    borrowing func run(
        in context: UnsafeMutablePointer<smelt_rt_context>, _ arguments: [UInt64]
    ) -> (trap: Int32, result: UInt64) {
        // Slot 0 holds the context; libffi reads each value, of its type's width, through a pointer to its slot.
        // A trap leaves ffi_call's frame, which owns nothing; `call.call` is ffi_call itself, so between the entry
        // and the raise lies no Swift frame.
        let interface = interface
        let function = function
        var slots = [UInt64(UInt(bitPattern: context))] + arguments
        var result: UInt64 = 0
        let trap = slots.withUnsafeMutableBufferPointer { slots -> Int32 in
            guard let first = slots.baseAddress else { return Trap.localFailure.rawValue }
            var pointers = slots.indices.map { UnsafeMutableRawPointer(first + $0) as UnsafeMutableRawPointer? }
            return pointers.withUnsafeMutableBufferPointer { pointers in
                withUnsafeMutablePointer(to: &result) { result in
                    var call = smelt_rt_dynamic_call()
                    call.call = ffiCall()
                    call.interface = UnsafeMutableRawPointer(interface)
                    call.function = unsafeBitCast(function, to: (@convention(c) () -> Void).self)
                    call.result = UnsafeMutableRawPointer(result)
                    call.arguments = pointers.baseAddress
                    return withUnsafeMutablePointer(to: &call) { call in
                        let raw = UnsafeMutableRawPointer(call).assumingMemoryBound(to: UInt64.self)
                        return NativeInstance.onGuestStack { smelt_rt_enter(context, smelt_rt_dynamic_entry, raw, nil) }
                    }
                }
            }
        }
        return (trap, result)
    }
}

extension ValueType {
    fileprivate var foreign: UnsafeMutablePointer<ffi_type> {
        switch self {
        case .i32: ffiInt32()
        case .i64: ffiInt64()
        case .f32: ffiFloat()
        case .f64: ffiDouble()
        case .funcref: ffiPointer()
        }
    }

    /// Whether only the low half of a slot is the value.
    fileprivate var isNarrow: Bool { self == .i32 || self == .f32 }
}
