import Engine

/// A type that one 64-bit slot holds; narrower ones are zero-extended.
protocol SlotValue {
    init(slot: UInt64)
    var slot: UInt64 { get }
}

extension UInt64: SlotValue {
    @inline(__always) init(slot: UInt64) { self = slot }
    @inline(__always) var slot: UInt64 { self }
}
extension Int64: SlotValue {
    @inline(__always) init(slot: UInt64) { self = Int64(bitPattern: slot) }
    @inline(__always) var slot: UInt64 { UInt64(bitPattern: self) }
}
extension UInt32: SlotValue {
    @inline(__always) init(slot: UInt64) { self = UInt32(truncatingIfNeeded: slot) }
    @inline(__always) var slot: UInt64 { UInt64(self) }
}
extension Int32: SlotValue {
    @inline(__always) init(slot: UInt64) { self = Int32(truncatingIfNeeded: slot) }
    @inline(__always) var slot: UInt64 { UInt64(UInt32(bitPattern: self)) }
}
extension Float: SlotValue {
    @inline(__always) init(slot: UInt64) { self = Float(bitPattern: UInt32(truncatingIfNeeded: slot)) }
    @inline(__always) var slot: UInt64 { UInt64(bitPattern) }
}
extension Double: SlotValue {
    @inline(__always) init(slot: UInt64) { self = Double(bitPattern: slot) }
    @inline(__always) var slot: UInt64 { bitPattern }
}
extension Bool: SlotValue {
    @inline(__always) init(slot: UInt64) { self = slot != 0 }
    @inline(__always) var slot: UInt64 { self ? 1 : 0 }
}

/// The operand stack of the running activation.
///
/// Unchecked pointers: validated code never pops more than it pushed, and a call checks that the callee's
/// deepest stack fits before it starts.
struct Operands {
    /// The slot the next push writes.
    var top: UnsafeMutablePointer<UInt64>

    @inline(__always)
    mutating func push(_ slot: UInt64) {
        top.pointee = slot
        top += 1
    }

    @inline(__always)
    mutating func pop() -> UInt64 {
        top -= 1
        return top.pointee
    }

    @inline(__always)
    mutating func popU32() -> UInt32 { UInt32(slot: pop()) }

    @inline(__always)
    mutating func unary<A: SlotValue, R: SlotValue>(_ operation: (A) -> R) {
        top[-1] = operation(A(slot: top[-1])).slot
    }

    @inline(__always)
    mutating func binary<A: SlotValue, R: SlotValue>(_ operation: (A, A) -> R) {
        top -= 1
        top[-1] = operation(A(slot: top[-1]), A(slot: top[0])).slot
    }

    /// Replaces the address on top by what memory holds there; false when it is outside.
    @inline(__always)
    mutating func load<T: FixedWidthInteger, R: SlotValue>(
        _ memory: UnsafeMutablePointer<UInt8>, _ size: UInt64, _ offset: UInt64, _ extend: (T) -> R
    ) -> Bool {
        let address = UInt64(UInt32(slot: top[-1])) &+ offset
        guard address &+ UInt64(MemoryLayout<T>.size) <= size else { return false }
        let value = UnsafeRawPointer(memory + Int(truncatingIfNeeded: address)).loadUnaligned(as: T.self)
        top[-1] = extend(value).slot
        return true
    }

    /// Pops a value and an address and writes the value's low bytes; false when that is outside.
    @inline(__always)
    mutating func store<T: FixedWidthInteger>(
        _ memory: UnsafeMutablePointer<UInt8>, _ size: UInt64, _ offset: UInt64, as type: T.Type
    ) -> Bool {
        top -= 2
        let address = UInt64(UInt32(slot: top[0])) &+ offset
        guard address &+ UInt64(MemoryLayout<T>.size) <= size else { return false }
        UnsafeMutableRawPointer(memory + Int(truncatingIfNeeded: address)).storeBytes(
            of: T(truncatingIfNeeded: top[1]), as: T.self)
        return true
    }

    @inline(__always)
    mutating func divide<T: FixedWidthInteger & SlotValue>(_ type: T.Type) -> Trap? {
        let (a, b) = (T(slot: top[-2]), T(slot: top[-1]))
        guard b != 0 else { return .integerDivideByZero }
        let (quotient, overflow) = a.dividedReportingOverflow(by: b)
        guard !overflow else { return .integerOverflow }
        top -= 1
        top[-1] = quotient.slot
        return nil
    }

    @inline(__always)
    mutating func remainder<T: FixedWidthInteger & SlotValue>(_ type: T.Type) -> Trap? {
        let (a, b) = (T(slot: top[-2]), T(slot: top[-1]))
        guard b != 0 else { return .integerDivideByZero }
        top -= 1
        // The one overflow, minimum by -1, has remainder 0.
        top[-1] = a.remainderReportingOverflow(dividingBy: b).partialValue.slot
        return nil
    }

    @inline(__always)
    mutating func truncate<T: FixedWidthInteger & SlotValue>(
        _ value: Double, _ range: Numerics.Range, as type: T.Type
    ) -> Trap? {
        guard value == value else { return .invalidConversion }
        guard range.contains(value) else { return .integerOverflow }
        top[-1] = T(value).slot
        return nil
    }

    @inline(__always) var float: Double { Double(Float(slot: top[-1])) }
    @inline(__always) var double: Double { Double(slot: top[-1]) }
}
