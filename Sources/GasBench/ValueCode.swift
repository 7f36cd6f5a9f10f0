import WasmFormat

/// Instructions that carry a value from one type to another, and join two of a type.
extension CodeWriter {
    /// What makes a value of type `to` of one of type `from` on the stack, keeping it a number where a float comes out.
    static func bridge(_ from: ValueType, _ to: ValueType) -> [Opcode] {
        switch (from, to) {
        case (.i32, .i64): [.i64ExtendI32U]
        case (.i64, .i32): [.i32WrapI64]
        case (.i32, .f32): [.f32ConvertI32S]
        case (.i32, .f64): [.f64ConvertI32S]
        case (.i64, .f32): [.f32ConvertI64S]
        case (.i64, .f64): [.f64ConvertI64S]
        case (.f32, .i32): [.i32ReinterpretF32]
        case (.f32, .i64): [.i32ReinterpretF32, .i64ExtendI32U]
        case (.f64, .i64): [.i64ReinterpretF64]
        case (.f64, .i32): [.i64ReinterpretF64, .i32WrapI64]
        case (.f32, .f64): [.f64PromoteF32]
        case (.f64, .f32): [.f32DemoteF64]
        default: []
        }
    }

    /// A local's bits (i64 on the stack) as a value of a type.
    static func fromBits(_ type: ValueType) -> [Opcode] {
        switch type {
        case .i32: [.i32WrapI64]
        case .f32: [.i32WrapI64, .f32ReinterpretI32]
        case .f64: [.f64ReinterpretI64]
        default: []
        }
    }

    /// The bits of a value as an i64.
    static func toBits(_ type: ValueType) -> [Opcode] {
        switch type {
        case .i32: [.i64ExtendI32U]
        case .f32: [.i32ReinterpretF32, .i64ExtendI32U]
        case .f64: [.i64ReinterpretF64]
        default: []
        }
    }

    mutating func all(_ opcodes: [Opcode]) { for opcode in opcodes { op(opcode) } }

    /// The next number of the generator in the index local, of which the upper bits are random: the multiplier is `a`.
    mutating func nextIndex() {
        op(.localGet, Slot.index)
        op(.localGet, Slot.a)
        op(.i64Mul)
        i64(1_442_695_040_888_963_407)
        op(.i64Add)
        op(.localTee, Slot.index)
        i64(40)
        op(.i64ShrU)
        op(.i32WrapI64)
        op(.localGet, Slot.b)
        op(.i32And)
    }
}
