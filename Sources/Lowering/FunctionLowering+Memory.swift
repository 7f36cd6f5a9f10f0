import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// Linear memory.
extension FunctionLowering {
    var checks: Bool { module.options.bounds == .checks }

    /// The native address of `width` bytes at the i32 `operand` plus `offset`.
    ///
    /// The effective address is computed in 64 bits. In guard-page mode it is at most 8 GiB behind the base,
    /// where the runtime's reservation faults; otherwise it is compared here.
    private func address(_ operand: Value, offset: UInt64, width: UInt64) -> Value {
        let extended = extended(operand)
        if checks {
            let end = build.binary(.add, extended, module.i64(offset + width))
            trap(SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS, if: build.compare(.unsignedGreater, end, memoryBytes))
        }
        return module.memoryAddress(context, extended, offset: offset)
    }

    /// An index as 64 bits. One that is used several times is extended once, where it is computed: across blocks the
    /// code generator does not see that the upper half is zero already.
    private func extended(_ operand: Value) -> Value {
        if let known = extensions[operand] { return known }
        let value = build.zeroExtendWhereDefined(operand, to: types.i64)
        extensions[operand] = value
        return value
    }

    private var memoryBytes: Value {
        build.load(types.i64, module.field(context, ContextLayout.memoryBytes), alignment: 8)
    }

    func lowerLoad(_ instruction: Instruction) throws(LoweringError) {
        let row = instruction.opcode.row
        guard let result = row.types?.results.first else { throw fail("\(row.name) has no type") }
        if !checks { lastAccess = site }
        try atSite { () throws(LoweringError) in
            let place = address(try pop(), instruction, row)
            let full = module.type(result)
            let type = accessType(full, result, row.accessWidth)
            let value = build.load(type, place, alignment: 1, volatile: !checks)
            push(build.convert(row.extendsSign ? .signExtend : .zeroExtend, value, to: full))
        }
    }

    func lowerStore(_ instruction: Instruction) throws(LoweringError) {
        let row = instruction.opcode.row
        guard let stored = row.types?.operands.last else { throw fail("\(row.name) has no type") }
        if !checks { lastAccess = site }
        try atSite { () throws(LoweringError) in
            let value = try pop()
            let place = address(try pop(), instruction, row)
            let narrow = build.convert(.truncate, value, to: accessType(value.type, stored, row.accessWidth))
            build.store(narrow, place, alignment: 1, volatile: !checks)
        }
    }

    private func address(_ operand: Value, _ instruction: Instruction, _ row: OpcodeRow) -> Value {
        address(operand, offset: UInt64(UInt32(truncatingIfNeeded: instruction.bits)), width: UInt64(row.accessWidth))
    }

    /// The type in memory: the value's own, or an integer of `width` bytes.
    private func accessType(_ full: IRType, _ type: ValueType, _ width: UInt32) -> IRType {
        switch (type, width) {
        case (_, 1): types.i8
        case (_, 2): types.i16
        case (.i64, 4): types.i32
        default: full
        }
    }

    func lowerMemorySize() {
        let pages = build.binary(.lshr, memoryBytes, module.i64(16))
        push(build.convert(.truncate, pages, to: types.i32))
    }

    /// Copies through values: all is read before anything is written. The last byte of the target is touched first, so
    /// that a copy whose target ends outside writes nothing; ahead of it lies the rest, since an index cannot wrap.
    func copy(_ count: UInt64) throws(LoweringError) {
        if !checks { lastAccess = site }
        try atSite { () throws(LoweringError) in
            _ = try pop()
            let from = address(try pop(), offset: 0, width: count)
            let to = address(try pop(), offset: 0, width: count)
            var pieces: [(offset: UInt64, type: IRType)] = []
            var offset: UInt64 = 0
            let widths: [(UInt64, IRType)] = [
                (16, types.twoI64), (8, types.i64), (4, types.i32), (2, types.i16), (1, types.i8),
            ]
            for (width, type) in widths {
                while count - offset >= width {
                    pieces.append((offset, type))
                    offset += width
                }
            }
            func place(_ base: Value, _ offset: UInt64) -> Value {
                offset == 0 ? base : build.address(base, module.i64(offset), byte: types.i8)
            }
            let values = pieces.map { build.load($0.type, place(from, $0.offset), alignment: 1, volatile: !checks) }
            if !checks { _ = build.load(types.i8, place(to, count - 1), alignment: 1, volatile: true) }
            for (piece, value) in zip(pieces, values) {
                build.store(value, place(to, piece.offset), alignment: 1, volatile: !checks)
            }
        }
    }
}
