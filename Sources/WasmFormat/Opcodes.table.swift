/// The one opcode table. Columns: opcode, name, immediates, operand and result types (left out where they depend
/// on immediates or context), gas class, recipe, then the numbers of operands taken and given where the types are left
/// out and the numbers are fixed, width in bytes and sign extension of a memory access, and the stage that refuses it.
/// Sources: core spec 5.4 and 3.3; gas classes as in ref-fvm's `WasmGasPrices::instruction_cost`.
extension OpcodeRow {
    static let table: [OpcodeRow] =
        control + variables + memory + constants + comparisons + integers
        + floats + conversions + references + saturating + bulk

    /// Control and parametric instructions.
    private static let control: [OpcodeRow] = [
        .init(.unreachable, "unreachable", .none, .free, .unreachable),
        .init(.nop, "nop", .none, [], [], .free, .nop),
        .init(.block, "block", .blockType, .free, .block),
        .init(.loop, "loop", .blockType, .free, .loop),
        .init(.if, "if", .blockType, .jumpConditional, .if),
        .init(.else, "else", .none, .free, .else),
        .init(.end, "end", .none, .free, .end),
        .init(.br, "br", .label, .jumpUnconditional, .branch),
        .init(.brIf, "br_if", .label, .jumpConditional, .branchIf),
        .init(.brTable, "br_table", .branchTable, .branchTable, .branchTable),
        .init(.return, "return", .none, .free, .return),
        .init(.call, "call", .function, .call, .call),
        .init(.callIndirect, "call_indirect", .typeAndTable, .callIndirect, .callIndirect),
        .init(.drop, "drop", .none, .free, .drop, takes: 1, gives: 0),
        .init(.select, "select", .none, .instruction, .select, takes: 3, gives: 1),
        .init(
            .selectTyped, "select", .selectTypes, .instruction, .select, takes: 3, gives: 1, refusedBy: .stackLimiter),
    ]

    /// Locals, globals and single table elements.
    private static let variables: [OpcodeRow] = [
        .init(.localGet, "local.get", .local, .instruction, .localGet, takes: 0, gives: 1),
        .init(.localSet, "local.set", .local, .instruction, .localSet, takes: 1, gives: 0),
        .init(.localTee, "local.tee", .local, .instruction, .localTee, takes: 1, gives: 1),
        .init(.globalGet, "global.get", .global, .instruction, .globalGet, takes: 0, gives: 1),
        .init(.globalSet, "global.set", .global, .instruction, .globalSet, takes: 1, gives: 0),
        .init(.tableGet, "table.get", .table, .load, .tableGet, takes: 1, gives: 1),
        .init(.tableSet, "table.set", .table, .store, .tableSet, takes: 2, gives: 0),
    ]

    /// Loads, stores, size and growth of memory.
    private static let memory: [OpcodeRow] = [
        .init(.i32Load, "i32.load", .memoryArgument, [.i32], [.i32], .load, .load, width: 4),
        .init(.i64Load, "i64.load", .memoryArgument, [.i32], [.i64], .load, .load, width: 8),
        .init(.f32Load, "f32.load", .memoryArgument, [.i32], [.f32], .load, .load, width: 4),
        .init(.f64Load, "f64.load", .memoryArgument, [.i32], [.f64], .load, .load, width: 8),
        .init(.i32Load8S, "i32.load8_s", .memoryArgument, [.i32], [.i32], .load, .load, width: 1, signed: true),
        .init(.i32Load8U, "i32.load8_u", .memoryArgument, [.i32], [.i32], .load, .load, width: 1),
        .init(.i32Load16S, "i32.load16_s", .memoryArgument, [.i32], [.i32], .load, .load, width: 2, signed: true),
        .init(.i32Load16U, "i32.load16_u", .memoryArgument, [.i32], [.i32], .load, .load, width: 2),
        .init(.i64Load8S, "i64.load8_s", .memoryArgument, [.i32], [.i64], .load, .load, width: 1, signed: true),
        .init(.i64Load8U, "i64.load8_u", .memoryArgument, [.i32], [.i64], .load, .load, width: 1),
        .init(.i64Load16S, "i64.load16_s", .memoryArgument, [.i32], [.i64], .load, .load, width: 2, signed: true),
        .init(.i64Load16U, "i64.load16_u", .memoryArgument, [.i32], [.i64], .load, .load, width: 2),
        .init(.i64Load32S, "i64.load32_s", .memoryArgument, [.i32], [.i64], .load, .load, width: 4, signed: true),
        .init(.i64Load32U, "i64.load32_u", .memoryArgument, [.i32], [.i64], .load, .load, width: 4),
        .init(.i32Store, "i32.store", .memoryArgument, [.i32, .i32], [], .store, .store, width: 4),
        .init(.i64Store, "i64.store", .memoryArgument, [.i32, .i64], [], .store, .store, width: 8),
        .init(.f32Store, "f32.store", .memoryArgument, [.i32, .f32], [], .store, .store, width: 4),
        .init(.f64Store, "f64.store", .memoryArgument, [.i32, .f64], [], .store, .store, width: 8),
        .init(.i32Store8, "i32.store8", .memoryArgument, [.i32, .i32], [], .store, .store, width: 1),
        .init(.i32Store16, "i32.store16", .memoryArgument, [.i32, .i32], [], .store, .store, width: 2),
        .init(.i64Store8, "i64.store8", .memoryArgument, [.i32, .i64], [], .store, .store, width: 1),
        .init(.i64Store16, "i64.store16", .memoryArgument, [.i32, .i64], [], .store, .store, width: 2),
        .init(.i64Store32, "i64.store32", .memoryArgument, [.i32, .i64], [], .store, .store, width: 4),
        .init(.memorySize, "memory.size", .zeroByte, [], [.i32], .instruction, .memorySize),
        .init(.memoryGrow, "memory.grow", .zeroByte, [.i32], [.i32], .memoryGrow, .memoryGrow),
    ]

    /// Constants.
    private static let constants: [OpcodeRow] = [
        .init(.i32Const, "i32.const", .i32, [], [.i32], .instruction, .constant),
        .init(.i64Const, "i64.const", .i64, [], [.i64], .instruction, .constant),
        .init(.f32Const, "f32.const", .f32, [], [.f32], .instruction, .constant),
        .init(.f64Const, "f64.const", .f64, [], [.f64], .instruction, .constant),
    ]

    /// Tests and comparisons.
    private static let comparisons: [OpcodeRow] = [
        .init(.i32Eqz, "i32.eqz", .none, [.i32], [.i32], .math, .isZero),
        .init(.i32Eq, "i32.eq", .none, [.i32, .i32], [.i32], .math, .compare(.equal)),
        .init(.i32Ne, "i32.ne", .none, [.i32, .i32], [.i32], .math, .compare(.notEqual)),
        .init(.i32LtS, "i32.lt_s", .none, [.i32, .i32], [.i32], .math, .compare(.signedLess)),
        .init(.i32LtU, "i32.lt_u", .none, [.i32, .i32], [.i32], .math, .compare(.unsignedLess)),
        .init(.i32GtS, "i32.gt_s", .none, [.i32, .i32], [.i32], .math, .compare(.signedGreater)),
        .init(.i32GtU, "i32.gt_u", .none, [.i32, .i32], [.i32], .math, .compare(.unsignedGreater)),
        .init(.i32LeS, "i32.le_s", .none, [.i32, .i32], [.i32], .math, .compare(.signedLessEqual)),
        .init(.i32LeU, "i32.le_u", .none, [.i32, .i32], [.i32], .math, .compare(.unsignedLessEqual)),
        .init(.i32GeS, "i32.ge_s", .none, [.i32, .i32], [.i32], .math, .compare(.signedGreaterEqual)),
        .init(.i32GeU, "i32.ge_u", .none, [.i32, .i32], [.i32], .math, .compare(.unsignedGreaterEqual)),
        .init(.i64Eqz, "i64.eqz", .none, [.i64], [.i32], .math, .isZero),
        .init(.i64Eq, "i64.eq", .none, [.i64, .i64], [.i32], .math, .compare(.equal)),
        .init(.i64Ne, "i64.ne", .none, [.i64, .i64], [.i32], .math, .compare(.notEqual)),
        .init(.i64LtS, "i64.lt_s", .none, [.i64, .i64], [.i32], .math, .compare(.signedLess)),
        .init(.i64LtU, "i64.lt_u", .none, [.i64, .i64], [.i32], .math, .compare(.unsignedLess)),
        .init(.i64GtS, "i64.gt_s", .none, [.i64, .i64], [.i32], .math, .compare(.signedGreater)),
        .init(.i64GtU, "i64.gt_u", .none, [.i64, .i64], [.i32], .math, .compare(.unsignedGreater)),
        .init(.i64LeS, "i64.le_s", .none, [.i64, .i64], [.i32], .math, .compare(.signedLessEqual)),
        .init(.i64LeU, "i64.le_u", .none, [.i64, .i64], [.i32], .math, .compare(.unsignedLessEqual)),
        .init(.i64GeS, "i64.ge_s", .none, [.i64, .i64], [.i32], .math, .compare(.signedGreaterEqual)),
        .init(.i64GeU, "i64.ge_u", .none, [.i64, .i64], [.i32], .math, .compare(.unsignedGreaterEqual)),
        .init(.f32Eq, "f32.eq", .none, [.f32, .f32], [.i32], .math, .floatCompare(.equal)),
        .init(.f32Ne, "f32.ne", .none, [.f32, .f32], [.i32], .math, .floatCompare(.notEqual)),
        .init(.f32Lt, "f32.lt", .none, [.f32, .f32], [.i32], .math, .floatCompare(.less)),
        .init(.f32Gt, "f32.gt", .none, [.f32, .f32], [.i32], .math, .floatCompare(.greater)),
        .init(.f32Le, "f32.le", .none, [.f32, .f32], [.i32], .math, .floatCompare(.lessEqual)),
        .init(.f32Ge, "f32.ge", .none, [.f32, .f32], [.i32], .math, .floatCompare(.greaterEqual)),
        .init(.f64Eq, "f64.eq", .none, [.f64, .f64], [.i32], .math, .floatCompare(.equal)),
        .init(.f64Ne, "f64.ne", .none, [.f64, .f64], [.i32], .math, .floatCompare(.notEqual)),
        .init(.f64Lt, "f64.lt", .none, [.f64, .f64], [.i32], .math, .floatCompare(.less)),
        .init(.f64Gt, "f64.gt", .none, [.f64, .f64], [.i32], .math, .floatCompare(.greater)),
        .init(.f64Le, "f64.le", .none, [.f64, .f64], [.i32], .math, .floatCompare(.lessEqual)),
        .init(.f64Ge, "f64.ge", .none, [.f64, .f64], [.i32], .math, .floatCompare(.greaterEqual)),
    ]

    /// Integer arithmetic.
    private static let integers: [OpcodeRow] = [
        .init(.i32Clz, "i32.clz", .none, [.i32], [.i32], .math, .count(.leadingZeros)),
        .init(.i32Ctz, "i32.ctz", .none, [.i32], [.i32], .math, .count(.trailingZeros)),
        .init(.i32Popcnt, "i32.popcnt", .none, [.i32], [.i32], .math, .count(.ones)),
        .init(.i32Add, "i32.add", .none, [.i32, .i32], [.i32], .math, .binary(.add)),
        .init(.i32Sub, "i32.sub", .none, [.i32, .i32], [.i32], .math, .binary(.subtract)),
        .init(.i32Mul, "i32.mul", .none, [.i32, .i32], [.i32], .math, .binary(.multiply)),
        .init(.i32DivS, "i32.div_s", .none, [.i32, .i32], [.i32], .math, .divide(signed: true)),
        .init(.i32DivU, "i32.div_u", .none, [.i32, .i32], [.i32], .math, .divide(signed: false)),
        .init(.i32RemS, "i32.rem_s", .none, [.i32, .i32], [.i32], .math, .remainder(signed: true)),
        .init(.i32RemU, "i32.rem_u", .none, [.i32, .i32], [.i32], .math, .remainder(signed: false)),
        .init(.i32And, "i32.and", .none, [.i32, .i32], [.i32], .math, .binary(.and)),
        .init(.i32Or, "i32.or", .none, [.i32, .i32], [.i32], .math, .binary(.or)),
        .init(.i32Xor, "i32.xor", .none, [.i32, .i32], [.i32], .math, .binary(.xor)),
        .init(.i32Shl, "i32.shl", .none, [.i32, .i32], [.i32], .math, .shift(.left)),
        .init(.i32ShrS, "i32.shr_s", .none, [.i32, .i32], [.i32], .math, .shift(.rightSigned)),
        .init(.i32ShrU, "i32.shr_u", .none, [.i32, .i32], [.i32], .math, .shift(.rightUnsigned)),
        .init(.i32Rotl, "i32.rotl", .none, [.i32, .i32], [.i32], .math, .shift(.rotateLeft)),
        .init(.i32Rotr, "i32.rotr", .none, [.i32, .i32], [.i32], .math, .shift(.rotateRight)),
        .init(.i64Clz, "i64.clz", .none, [.i64], [.i64], .math, .count(.leadingZeros)),
        .init(.i64Ctz, "i64.ctz", .none, [.i64], [.i64], .math, .count(.trailingZeros)),
        .init(.i64Popcnt, "i64.popcnt", .none, [.i64], [.i64], .math, .count(.ones)),
        .init(.i64Add, "i64.add", .none, [.i64, .i64], [.i64], .math, .binary(.add)),
        .init(.i64Sub, "i64.sub", .none, [.i64, .i64], [.i64], .math, .binary(.subtract)),
        .init(.i64Mul, "i64.mul", .none, [.i64, .i64], [.i64], .math, .binary(.multiply)),
        .init(.i64DivS, "i64.div_s", .none, [.i64, .i64], [.i64], .math, .divide(signed: true)),
        .init(.i64DivU, "i64.div_u", .none, [.i64, .i64], [.i64], .math, .divide(signed: false)),
        .init(.i64RemS, "i64.rem_s", .none, [.i64, .i64], [.i64], .math, .remainder(signed: true)),
        .init(.i64RemU, "i64.rem_u", .none, [.i64, .i64], [.i64], .math, .remainder(signed: false)),
        .init(.i64And, "i64.and", .none, [.i64, .i64], [.i64], .math, .binary(.and)),
        .init(.i64Or, "i64.or", .none, [.i64, .i64], [.i64], .math, .binary(.or)),
        .init(.i64Xor, "i64.xor", .none, [.i64, .i64], [.i64], .math, .binary(.xor)),
        .init(.i64Shl, "i64.shl", .none, [.i64, .i64], [.i64], .math, .shift(.left)),
        .init(.i64ShrS, "i64.shr_s", .none, [.i64, .i64], [.i64], .math, .shift(.rightSigned)),
        .init(.i64ShrU, "i64.shr_u", .none, [.i64, .i64], [.i64], .math, .shift(.rightUnsigned)),
        .init(.i64Rotl, "i64.rotl", .none, [.i64, .i64], [.i64], .math, .shift(.rotateLeft)),
        .init(.i64Rotr, "i64.rotr", .none, [.i64, .i64], [.i64], .math, .shift(.rotateRight)),
    ]

    /// Float arithmetic.
    private static let floats: [OpcodeRow] = [
        .init(.f32Abs, "f32.abs", .none, [.f32], [.f32], .math, .floatUnary(.absolute)),
        .init(.f32Neg, "f32.neg", .none, [.f32], [.f32], .math, .floatUnary(.negate)),
        .init(.f32Ceil, "f32.ceil", .none, [.f32], [.f32], .math, .floatUnary(.ceil)),
        .init(.f32Floor, "f32.floor", .none, [.f32], [.f32], .math, .floatUnary(.floor)),
        .init(.f32Trunc, "f32.trunc", .none, [.f32], [.f32], .math, .floatUnary(.trunc)),
        .init(.f32Nearest, "f32.nearest", .none, [.f32], [.f32], .math, .floatUnary(.nearest)),
        .init(.f32Sqrt, "f32.sqrt", .none, [.f32], [.f32], .math, .floatUnary(.squareRoot)),
        .init(.f32Add, "f32.add", .none, [.f32, .f32], [.f32], .math, .floatBinary(.add)),
        .init(.f32Sub, "f32.sub", .none, [.f32, .f32], [.f32], .math, .floatBinary(.subtract)),
        .init(.f32Mul, "f32.mul", .none, [.f32, .f32], [.f32], .math, .floatBinary(.multiply)),
        .init(.f32Div, "f32.div", .none, [.f32, .f32], [.f32], .math, .floatBinary(.divide)),
        .init(.f32Min, "f32.min", .none, [.f32, .f32], [.f32], .math, .floatBinary(.minimum)),
        .init(.f32Max, "f32.max", .none, [.f32, .f32], [.f32], .math, .floatBinary(.maximum)),
        .init(.f32Copysign, "f32.copysign", .none, [.f32, .f32], [.f32], .math, .floatBinary(.copysign)),
        .init(.f64Abs, "f64.abs", .none, [.f64], [.f64], .math, .floatUnary(.absolute)),
        .init(.f64Neg, "f64.neg", .none, [.f64], [.f64], .math, .floatUnary(.negate)),
        .init(.f64Ceil, "f64.ceil", .none, [.f64], [.f64], .math, .floatUnary(.ceil)),
        .init(.f64Floor, "f64.floor", .none, [.f64], [.f64], .math, .floatUnary(.floor)),
        .init(.f64Trunc, "f64.trunc", .none, [.f64], [.f64], .math, .floatUnary(.trunc)),
        .init(.f64Nearest, "f64.nearest", .none, [.f64], [.f64], .math, .floatUnary(.nearest)),
        .init(.f64Sqrt, "f64.sqrt", .none, [.f64], [.f64], .math, .floatUnary(.squareRoot)),
        .init(.f64Add, "f64.add", .none, [.f64, .f64], [.f64], .math, .floatBinary(.add)),
        .init(.f64Sub, "f64.sub", .none, [.f64, .f64], [.f64], .math, .floatBinary(.subtract)),
        .init(.f64Mul, "f64.mul", .none, [.f64, .f64], [.f64], .math, .floatBinary(.multiply)),
        .init(.f64Div, "f64.div", .none, [.f64, .f64], [.f64], .math, .floatBinary(.divide)),
        .init(.f64Min, "f64.min", .none, [.f64, .f64], [.f64], .math, .floatBinary(.minimum)),
        .init(.f64Max, "f64.max", .none, [.f64, .f64], [.f64], .math, .floatBinary(.maximum)),
        .init(.f64Copysign, "f64.copysign", .none, [.f64, .f64], [.f64], .math, .floatBinary(.copysign)),
    ]

    /// Conversions, reinterpretations, sign extension.
    private static let conversions: [OpcodeRow] = [
        .init(.i32WrapI64, "i32.wrap_i64", .none, [.i64], [.i32], .instruction, .convert(.wrap)),
        .init(.i32TruncF32S, "i32.trunc_f32_s", .none, [.f32], [.i32], .math, .convert(.truncate(signed: true))),
        .init(.i32TruncF32U, "i32.trunc_f32_u", .none, [.f32], [.i32], .math, .convert(.truncate(signed: false))),
        .init(.i32TruncF64S, "i32.trunc_f64_s", .none, [.f64], [.i32], .math, .convert(.truncate(signed: true))),
        .init(.i32TruncF64U, "i32.trunc_f64_u", .none, [.f64], [.i32], .math, .convert(.truncate(signed: false))),
        .init(.i64ExtendI32S, "i64.extend_i32_s", .none, [.i32], [.i64], .math, .convert(.extend(signed: true))),
        .init(
            .i64ExtendI32U, "i64.extend_i32_u", .none, [.i32], [.i64], .instruction, .convert(.extend(signed: false))),
        .init(.i64TruncF32S, "i64.trunc_f32_s", .none, [.f32], [.i64], .math, .convert(.truncate(signed: true))),
        .init(.i64TruncF32U, "i64.trunc_f32_u", .none, [.f32], [.i64], .math, .convert(.truncate(signed: false))),
        .init(.i64TruncF64S, "i64.trunc_f64_s", .none, [.f64], [.i64], .math, .convert(.truncate(signed: true))),
        .init(.i64TruncF64U, "i64.trunc_f64_u", .none, [.f64], [.i64], .math, .convert(.truncate(signed: false))),
        .init(.f32ConvertI32S, "f32.convert_i32_s", .none, [.i32], [.f32], .math, .convert(.toFloat(signed: true))),
        .init(.f32ConvertI32U, "f32.convert_i32_u", .none, [.i32], [.f32], .math, .convert(.toFloat(signed: false))),
        .init(.f32ConvertI64S, "f32.convert_i64_s", .none, [.i64], [.f32], .math, .convert(.toFloat(signed: true))),
        .init(.f32ConvertI64U, "f32.convert_i64_u", .none, [.i64], [.f32], .math, .convert(.toFloat(signed: false))),
        .init(.f32DemoteF64, "f32.demote_f64", .none, [.f64], [.f32], .math, .convert(.demote)),
        .init(.f64ConvertI32S, "f64.convert_i32_s", .none, [.i32], [.f64], .math, .convert(.toFloat(signed: true))),
        .init(.f64ConvertI32U, "f64.convert_i32_u", .none, [.i32], [.f64], .math, .convert(.toFloat(signed: false))),
        .init(.f64ConvertI64S, "f64.convert_i64_s", .none, [.i64], [.f64], .math, .convert(.toFloat(signed: true))),
        .init(.f64ConvertI64U, "f64.convert_i64_u", .none, [.i64], [.f64], .math, .convert(.toFloat(signed: false))),
        .init(.f64PromoteF32, "f64.promote_f32", .none, [.f32], [.f64], .math, .convert(.promote)),
        .init(.i32ReinterpretF32, "i32.reinterpret_f32", .none, [.f32], [.i32], .instruction, .convert(.reinterpret)),
        .init(.i64ReinterpretF64, "i64.reinterpret_f64", .none, [.f64], [.i64], .instruction, .convert(.reinterpret)),
        .init(.f32ReinterpretI32, "f32.reinterpret_i32", .none, [.i32], [.f32], .instruction, .convert(.reinterpret)),
        .init(.f64ReinterpretI64, "f64.reinterpret_i64", .none, [.i64], [.f64], .instruction, .convert(.reinterpret)),
        .init(.i32Extend8S, "i32.extend8_s", .none, [.i32], [.i32], .math, .signExtend(bits: 8)),
        .init(.i32Extend16S, "i32.extend16_s", .none, [.i32], [.i32], .math, .signExtend(bits: 16)),
        .init(.i64Extend8S, "i64.extend8_s", .none, [.i64], [.i64], .math, .signExtend(bits: 8)),
        .init(.i64Extend16S, "i64.extend16_s", .none, [.i64], [.i64], .math, .signExtend(bits: 16)),
        .init(.i64Extend32S, "i64.extend32_s", .none, [.i64], [.i64], .math, .signExtend(bits: 32)),
    ]

    /// References; the stack limiter refuses them in code, constant expressions may have them.
    private static let references: [OpcodeRow] = [
        .init(
            .refNull, "ref.null", .referenceType, .refused, .nullReference, takes: 0, gives: 1, refusedBy: .stackLimiter
        ),
        .init(.refIsNull, "ref.is_null", .none, .refused, .isNull, takes: 1, gives: 1, refusedBy: .stackLimiter),
        .init(
            .refFunc, "ref.func", .function, .refused, .functionReference, takes: 0, gives: 1, refusedBy: .stackLimiter),
    ]

    /// Saturating conversions.
    private static let saturating: [OpcodeRow] = [
        .init(.i32TruncSatF32S, "i32.trunc_sat_f32_s", .none, [.f32], [.i32], .math, .convert(.saturate(signed: true))),
        .init(
            .i32TruncSatF32U, "i32.trunc_sat_f32_u", .none, [.f32], [.i32], .math, .convert(.saturate(signed: false))),
        .init(.i32TruncSatF64S, "i32.trunc_sat_f64_s", .none, [.f64], [.i32], .math, .convert(.saturate(signed: true))),
        .init(
            .i32TruncSatF64U, "i32.trunc_sat_f64_u", .none, [.f64], [.i32], .math, .convert(.saturate(signed: false))),
        .init(.i64TruncSatF32S, "i64.trunc_sat_f32_s", .none, [.f32], [.i64], .math, .convert(.saturate(signed: true))),
        .init(
            .i64TruncSatF32U, "i64.trunc_sat_f32_u", .none, [.f32], [.i64], .math, .convert(.saturate(signed: false))),
        .init(.i64TruncSatF64S, "i64.trunc_sat_f64_s", .none, [.f64], [.i64], .math, .convert(.saturate(signed: true))),
        .init(
            .i64TruncSatF64U, "i64.trunc_sat_f64_u", .none, [.f64], [.i64], .math, .convert(.saturate(signed: false))),
    ]

    /// Bulk memory and table instructions.
    private static let bulk: [OpcodeRow] = [
        .init(.memoryInit, "memory.init", .dataAndMemory, [.i32, .i32, .i32], [], .memoryCopy, .memoryInit),
        .init(.dataDrop, "data.drop", .data, [], [], .instruction, .dataDrop),
        .init(.memoryCopy, "memory.copy", .twoMemories, [.i32, .i32, .i32], [], .memoryCopy, .memoryCopy),
        .init(.memoryFill, "memory.fill", .memory, [.i32, .i32, .i32], [], .memoryFill, .memoryFill),
        .init(.tableInit, "table.init", .elementAndTable, [.i32, .i32, .i32], [], .tableCopy, .tableInit),
        .init(.elemDrop, "elem.drop", .element, [], [], .instruction, .elementDrop),
        .init(.tableCopy, "table.copy", .twoTables, [.i32, .i32, .i32], [], .tableCopy, .tableCopy),
        .init(.tableGrow, "table.grow", .table, .tableFill, .tableGrow, takes: 2, gives: 1),
        .init(.tableSize, "table.size", .table, [], [.i32], .instruction, .tableSize),
        .init(.tableFill, "table.fill", .table, .tableFill, .tableFill, takes: 3, gives: 0),
    ]
}
