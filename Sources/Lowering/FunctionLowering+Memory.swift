import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// Linear memory.
extension FunctionLowering {
    private var checks: Bool { module.options.bounds == .checks }

    /// The native address of `width` bytes at the i32 `operand` plus `offset`.
    ///
    /// The effective address is computed in 64 bits. In guard-page mode it is at most 8 GiB behind the base,
    /// where the runtime's reservation faults; otherwise it is compared here.
    private func address(_ operand: Value, offset: UInt64, width: UInt64) -> Value {
        let extended = extended(operand)
        if checks {
            let end = build.binary(.add, extended, module.i64(offset + width))
            trap(SMELT_RT_TRAP_MEMORY_OUT_OF_BOUNDS, if: build.compare(.unsignedGreater, end, memoryBytes))
        } else {
            storeGasIfNeeded()
        }
        let indexed = build.address(memoryBase, extended, byte: types.i8)
        return offset == 0 ? indexed : build.address(indexed, module.i64(offset), byte: types.i8)
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

    /// All loads and stores of numbers.
    func lowerAccess(_ instruction: Instruction) throws(LoweringError) {
        let row = instruction.opcode.row
        guard let signature = row.types else { throw fail("\(instruction.opcode.name) has no types") }
        let offset = UInt64(UInt32(truncatingIfNeeded: instruction.bits))
        let width = UInt64(row.accessWidth)
        if !checks { lastAccess = site }
        try atSite { () throws(LoweringError) in
            if let result = signature.results.first {
                let full = module.type(result)
                let place = address(try pop(), offset: offset, width: width)
                let type = accessType(full, result, width)
                let value = build.load(type, place, alignment: 1, volatile: !checks)
                push(build.convert(row.extendsSign ? .signExtend : .zeroExtend, value, to: full))
            } else {
                let value = try pop()
                let place = address(try pop(), offset: offset, width: width)
                guard let stored = signature.operands.last else { throw fail("a store has no value") }
                let narrow = build.convert(.truncate, value, to: accessType(value.type, stored, width))
                build.store(narrow, place, alignment: 1, volatile: !checks)
            }
        }
    }

    /// The type in memory: the value's own, or an integer of `width` bytes.
    private func accessType(_ full: IRType, _ type: ValueType, _ width: UInt64) -> IRType {
        switch (type, width) {
        case (_, 1): types.i8
        case (_, 2): types.i16
        case (.i64, 4): types.i32
        default: full
        }
    }

    /// Size, growth and bulk operations. The runtime's services check bounds before they act, and trap.
    func lowerMemory(_ instruction: Instruction) throws(LoweringError) {
        switch instruction.opcode {
        case .memorySize:
            let pages = build.binary(.lshr, memoryBytes, module.i64(16))
            push(build.convert(.truncate, pages, to: types.i32))
        case .memoryGrow:
            try atSite { () throws(LoweringError) in
                storeGasIfNeeded()
                let pages = module.callService(Service.memoryGrow, context, [try pop()], result: types.i64)
                push(build.convert(.truncate, pages, to: types.i32))
            }
        case .memoryFill: try callBulk(Service.memoryFill, [])
        case .memoryCopy:
            if let count = constantCount { try copy(count) } else { try callBulk(Service.memoryCopy, []) }
        case .memoryInit: try callBulk(Service.memoryInit, [module.i32(instruction.index)])
        case .dataDrop: module.callService(Service.dataDrop, context, [module.i32(instruction.index)])
        default: break
        }
    }

    /// The number of bytes of a copy, where it is a small constant: producers make every assignment of a structure one.
    private var constantCount: UInt64? {
        guard position > 0, case let before = body.instructions[position - 1], before.opcode == .i32Const else {
            return nil
        }
        let count = UInt64(UInt32(truncatingIfNeeded: before.bits))
        return (1...64).contains(count) ? count : nil
    }

    /// Copies through values: all is read before anything is written. The last byte of the target is touched first, so
    /// that a copy whose target ends outside writes nothing; ahead of it lies the rest, since an index cannot wrap.
    private func copy(_ count: UInt64) throws(LoweringError) {
        if !checks { lastAccess = site }
        try atSite { () throws(LoweringError) in
            _ = try pop()
            let from = address(try pop(), offset: 0, width: count)
            let to = address(try pop(), offset: 0, width: count)
            var pieces: [(offset: UInt64, type: IRType)] = []
            var offset: UInt64 = 0
            for (width, type) in [(8, types.i64), (4, types.i32), (2, types.i16), (1, types.i8)] as [(UInt64, IRType)] {
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

    /// A service with `leading` arguments and three operands.
    func callBulk(_ service: UInt64, _ leading: [Value]) throws(LoweringError) {
        try atSite { () throws(LoweringError) in
            storeGasIfNeeded()
            let count = try pop()
            let second = try pop()
            let first = try pop()
            module.callService(service, context, leading + [first, second, count])
        }
    }
}
