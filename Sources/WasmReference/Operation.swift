/// What the interpreter executes: WebAssembly's own operators (raw value = opcode, 0x100 + n for the prefixed
/// ones) and, from 0x200, those that the translator puts in place of structured control and metering.
enum Operation: UInt16 {
    case unreachable = 0x00
    case callIndirect = 0x11
    case drop = 0x1A
    case select = 0x1B
    case localGet = 0x20
    case localSet = 0x21
    case localTee = 0x22
    case globalGet = 0x23
    case globalSet = 0x24
    case tableGet = 0x25
    case tableSet = 0x26
    case i32Load = 0x28
    case i64Load, f32Load, f64Load
    case i32Load8S, i32Load8U, i32Load16S, i32Load16U
    case i64Load8S, i64Load8U, i64Load16S, i64Load16U, i64Load32S, i64Load32U
    case i32Store, i64Store, f32Store, f64Store
    case i32Store8, i32Store16, i64Store8, i64Store16, i64Store32
    case memorySize, memoryGrow
    case i32Eqz = 0x45
    case i32Eq, i32Ne, i32LtS, i32LtU, i32GtS, i32GtU, i32LeS, i32LeU, i32GeS, i32GeU
    case i64Eqz, i64Eq, i64Ne, i64LtS, i64LtU, i64GtS, i64GtU, i64LeS, i64LeU, i64GeS, i64GeU
    case f32Eq, f32Ne, f32Lt, f32Gt, f32Le, f32Ge
    case f64Eq, f64Ne, f64Lt, f64Gt, f64Le, f64Ge
    case i32Clz, i32Ctz, i32Popcnt
    case i32Add, i32Sub, i32Mul, i32DivS, i32DivU, i32RemS, i32RemU
    case i32And, i32Or, i32Xor, i32Shl, i32ShrS, i32ShrU, i32Rotl, i32Rotr
    case i64Clz, i64Ctz, i64Popcnt
    case i64Add, i64Sub, i64Mul, i64DivS, i64DivU, i64RemS, i64RemU
    case i64And, i64Or, i64Xor, i64Shl, i64ShrS, i64ShrU, i64Rotl, i64Rotr
    case f32Abs, f32Neg, f32Ceil, f32Floor, f32Trunc, f32Nearest, f32Sqrt
    case f32Add, f32Sub, f32Mul, f32Div, f32Min, f32Max, f32Copysign
    case f64Abs, f64Neg, f64Ceil, f64Floor, f64Trunc, f64Nearest, f64Sqrt
    case f64Add, f64Sub, f64Mul, f64Div, f64Min, f64Max, f64Copysign
    case i32WrapI64, i32TruncF32S, i32TruncF32U, i32TruncF64S, i32TruncF64U
    case i64ExtendI32S, i64ExtendI32U, i64TruncF32S, i64TruncF32U, i64TruncF64S, i64TruncF64U
    case f32ConvertI32S, f32ConvertI32U, f32ConvertI64S, f32ConvertI64U, f32DemoteF64
    case f64ConvertI32S, f64ConvertI32U, f64ConvertI64S, f64ConvertI64U, f64PromoteF32
    case i32ReinterpretF32, i64ReinterpretF64, f32ReinterpretI32, f64ReinterpretI64
    case i32Extend8S, i32Extend16S, i64Extend8S, i64Extend16S, i64Extend32S
    case refIsNull = 0xD1
    case refFunc = 0xD2
    case i32TruncSatF32S = 0x100
    case i32TruncSatF32U, i32TruncSatF64S, i32TruncSatF64U
    case i64TruncSatF32S, i64TruncSatF32U, i64TruncSatF64S, i64TruncSatF64U
    case memoryInit, dataDrop, memoryCopy, memoryFill
    case tableInit, elemDrop, tableCopy, tableGrow, tableSize, tableFill

    /// Pushes `bits`: every constant and the null reference.
    case constant = 0x200
    /// Jumps by `a`.
    case jump
    /// Moves the top value to slot `bits` of the frame, cuts the stack above it and jumps by `a`.
    case jumpKeepingOne
    /// Cuts the stack to slot `bits` and jumps by `a`.
    case jumpKeepingNone
    /// Pops an i32 and jumps by `a` when it is zero.
    case jumpIfZero
    /// Pops an i32 and jumps by `a` when it is not zero; the others also cut the stack as above.
    case jumpIf, jumpIfKeepingOne, jumpIfKeepingNone
    /// Pops an i32 and goes on at the jump that many operations ahead, at most `a`.
    case jumpTable
    /// Ends the function with one result or none.
    case returnOne, returnNone
    /// Calls function `a` of the index space, raising no height.
    case call
    /// Calls function `a`, raising the stack height by `bits`.
    case guardedCall
    /// Charges `bits` milligas; the number of the block is `a`.
    case charge
    /// Charges the topmost i32 times `bits` milligas.
    case chargeLinear
    /// Announces the next operation to whoever watches: `a` is a kind of `Watched`, `bits` the next one's.
    case watch
    /// Ends the outermost call.
    case halt
}

/// One operation of the flat code.
struct Op {
    var operation: Operation
    /// An index or a displacement from the next operation.
    var a: UInt32
    /// A constant, an offset, a price or a slot.
    var bits: UInt64

    init(_ operation: Operation, a: UInt32 = 0, bits: UInt64 = 0) {
        self.operation = operation
        self.a = a
        self.bits = bits
    }
}
