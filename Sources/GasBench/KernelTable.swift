import GasSchedule
import WasmFormat

/// The kernels of every operator: those with types in the opcode table from the table, the others one by one.
public enum KernelTable {
    /// Every kernel, in the order of the opcode table.
    public static func all(_ prices: WasmPrices) -> [Kernel] {
        let kernels = numeric() + memory() + SpecialKernels.all(prices)
        let order = Dictionary(
            Opcode.allCases.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        // Sorting by place keeps the order in which an operator's kernels were made.
        return kernels.enumerated().sorted { left, right in
            let places = [left, right].map { order[$0.element.opcodes[0]] ?? 0 }
            return places[0] != places[1] ? places[0] < places[1] : left.offset < right.offset
        }.map(\.element)
    }

    /// Accepted instructions without a kernel, and why.
    public static let unmeasured: [(opcode: Opcode, reason: String)] = [
        (.unreachable, "free; ends the message"),
        (.return, "free; ends a function once"),
        (.else, "free; stands in the kernels of `if`"),
        (.end, "free; stands in every kernel"),
    ]

    // MARK: Operators of the numeric types

    private static func numeric() -> [Kernel] {
        Opcode.allCases.flatMap { opcode -> [Kernel] in
            let row = opcode.row
            guard row.refusedBy == nil, let types = row.types, types.results.count == 1, !types.operands.isEmpty,
                row.accessWidth == 0, row.gas == .math || row.gas == .instruction
            else { return [] }
            return OperandClass.classes(of: opcode).flatMap { operands in
                Kernel.Form.allCases.map { kernel(opcode, types, operands, $0) }
            }
        }
    }

    /// How a numeric operator's result becomes the operand of the next: instructions, some of them glue.
    private struct Link {
        /// Takes `b` as an i64, before anything else.
        var first: Opcode?
        var code: [Opcode]
        /// Takes `b`: the last instruction.
        var joins: Opcode?
        var glue: [Kernel.Glue]
    }

    private static func link(_ opcode: Opcode, _ operand: ValueType, _ result: ValueType) -> Link {
        switch opcode {
        // Sums, products and quotients of floats are not reordered.
        case .f32Add, .f32Sub, .f32Mul, .f32Div, .f64Add, .f64Sub, .f64Mul, .f64Div:
            return Link(code: [], joins: nil, glue: [])
        // Where only some bits matter the bits are moved, or the compiler would drop what sets the others.
        case .i32Extend8S, .i32Extend16S: return Link(code: [], joins: .i32Rotl, glue: [.i32Rotate])
        case .i64Extend8S, .i64Extend16S, .i64Extend32S: return Link(code: [], joins: .i64Rotl, glue: [.i64Rotate])
        case .i32WrapI64: return Link(code: [.i64ExtendI32U], joins: .i64Rotl, glue: [.i64Rotate])
        case .i64ExtendI32S, .i64ExtendI32U:
            return Link(first: .i64Rotl, code: [.i32WrapI64], joins: nil, glue: [.i64Rotate])
        // Exclusive or with itself and sums of and, or, xor would come to little.
        case .i32And, .i32Or, .i32Xor: return Link(code: [], joins: .i32Add, glue: [.i32])
        case .i64And, .i64Or, .i64Xor: return Link(code: [], joins: .i64Add, glue: [.i64])
        // Not by way of the inverse, which the compiler knows.
        case .f64PromoteF32:
            return Link(
                code: [.i64ReinterpretF64, .i32WrapI64, .f32ReinterpretI32], joins: .f32Add, glue: [.f32])
        case .f32ReinterpretI32: return Link(code: [.i32TruncSatF32S], joins: .i32Add, glue: [.i32])
        case .f64ReinterpretI64: return Link(code: [.i64TruncSatF64S], joins: .i64Add, glue: [.i64])
        case .i32ReinterpretF32: return Link(code: [.f32ConvertI32S], joins: .f32Add, glue: [.f32])
        case .i64ReinterpretF64: return Link(code: [.f64ConvertI64S], joins: .f64Add, glue: [.f64])
        default: break
        }
        let bridge = CodeWriter.bridge(result, operand)
        return switch operand {
        case .i32: Link(code: bridge, joins: .i32Xor, glue: [.i32])
        case .i64: Link(code: bridge, joins: .i64Xor, glue: [.i64])
        case .f32: Link(code: bridge, joins: .f32Add, glue: [.f32])
        default: Link(code: bridge, joins: .f64Add, glue: [.f64])
        }
    }

    private static func kernel(
        _ opcode: Opcode, _ types: OperandTypes, _ operands: OperandClass, _ form: Kernel.Form
    ) -> Kernel {
        let type = types.operands[0]
        let link = link(opcode, type, types.results[0])
        let binary = types.operands.count == 2
        return Kernel(
            name: opcode.name, form: form, operands: operands.name, opcodes: [opcode], glue: link.glue, memory: .l1,
            copies: form == .latency ? 16 : 12, a: operands.a, b: operands.b, start: operands.start,
            aType: types.operands.last ?? type, bType: type, chainType: type,
            chains: form == .latency ? 1 : 6, isWalk: false, isFresh: false,
            frame: form == .latency ? .stack : .chains
        ) { code, _ in
            if binary { code.op(.localGet, Slot.a) }
            code.op(opcode)
            if let first = link.first {
                code.op(.localGet, Slot.bBits)
                code.op(first)
            }
            code.all(link.code)
            if let joins = link.joins {
                code.op(.localGet, Slot.b)
                code.op(joins)
            }
        }
    }

    // MARK: Loads and stores

    /// Memory shapes that an access of the whole width is measured on.
    private static let chased: [(name: String, shape: MemoryShape)] = [
        ("L1", .l1), ("L2", .l2), ("L3", .l3), ("DRAM", .dram), ("TLB miss", .tlb), ("crosses line", .crossesLine),
        ("crosses page", .crossesPage),
    ]

    private static func memory() -> [Kernel] {
        Opcode.allCases.flatMap { opcode -> [Kernel] in
            let row = opcode.row
            guard row.accessWidth > 0, let types = row.types else { return [] }
            let isWide = opcode == .i32Load || opcode == .i64Load || opcode == .i32Store || opcode == .i64Store
            var kernels: [Kernel] = []
            if let result = types.results.first {
                for (name, shape) in isWide ? chased : Array(chased.prefix(1)) {
                    kernels.append(chase(opcode, result, name, shape))
                }
            }
            // Behind the lines of the cycle.
            let base: UInt32 = 0x1_0000
            kernels.append(spread(opcode, types, "L1", .l1, mask: 0x3FF8, apart: 72, offset: base))
            if isWide {
                let far = types.results.isEmpty ? MemoryShape.written : .dram
                kernels.append(spread(opcode, types, "DRAM", far, mask: 0x7FF_FFC0, apart: 1 << 20 + 64))
                kernels.append(spread(opcode, types, "crosses line", .l1, mask: 0x3FC0, apart: 64, offset: base + 62))
                kernels.append(
                    spread(opcode, types, "crosses page", .l1, mask: 0x1F_F000, apart: 4_096, offset: base + 4_094))
            }
            return kernels
        }
    }

    /// Each load gives the address of the next.
    private static func chase(_ opcode: Opcode, _ result: ValueType, _ name: String, _ shape: MemoryShape) -> Kernel {
        let bridge = CodeWriter.bridge(result, .i32)
        return Kernel(
            name: opcode.name, form: .latency, operands: name, opcodes: [opcode], glue: [], memory: shape, copies: 16,
            a: 0, b: 0, start: 0, aType: .i64, bType: .i64, chainType: .i32, chains: 1, isWalk: true, isFresh: false,
            frame: .stack
        ) { code, _ in
            code.access(opcode, offset: shape.offset)
            code.all(bridge)
        }
    }

    /// Accesses that do not need each other, `apart` bytes apart, behind an address that changes in every iteration.
    private static func spread(
        _ opcode: Opcode, _ types: OperandTypes, _ name: String, _ shape: MemoryShape, mask: Int32, apart: UInt32,
        offset: UInt32 = 0
    ) -> Kernel {
        let chains = 4
        var kernel = Kernel(
            name: opcode.name, form: .throughput, operands: name, opcodes: [opcode], glue: [], memory: shape, copies: 8,
            a: 0, b: 0x3F80_0000, start: 0, aType: .i64, bType: types.operands.count == 2 ? types.operands[1] : .i64,
            chainType: .i64, chains: chains, isWalk: false, isFresh: false,
            frame: .locals
        ) { code, index in
            let place = offset + UInt32(index) * apart
            if let result = types.results.first {
                let chain = Slot.chain + index % chains
                code.op(.localGet, chain)
                code.op(.localGet, Slot.address)
                code.access(opcode, offset: place)
                code.all(CodeWriter.toBits(result))
                code.op(.i64Xor)
                code.op(.localSet, chain)
            } else {
                code.op(.localGet, Slot.address)
                code.op(.localGet, Slot.b)
                code.access(opcode, offset: place)
            }
        }
        kernel.before = { code in
            code.op(.localGet, Slot.address)
            code.i32(1_664_525)
            code.op(.i32Mul)
            code.i32(1_013_904_223)
            code.op(.i32Add)
            code.i32(mask)
            code.op(.i32And)
            code.op(.localSet, Slot.address)
        }
        return kernel
    }
}
