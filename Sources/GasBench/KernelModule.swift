import GasSchedule
import WasmFormat

/// Kernels that share a memory, as one module: each is exported twice, with its steps once and twice.
struct KernelModule: Sendable {
    let kernels: [Kernel]
    let prices: WasmPrices
    /// Loops that are found by search: each is exported once, goes on where its last run stopped, and `prepare` writes
    /// the memory anew.
    var isFound = false

    /// The export of a found loop; of the first it is `loop`, as in a file with one.
    static func loop(_ index: Int) -> String { index == 0 ? "loop" : "loop\(index)" }
    static let prepare = "prepare"
    /// The export that lets the next loop begin at the beginning.
    static let rewind = "rewind"

    /// The export with `factor` times the kernel's copies.
    static func export(_ index: Int, _ factor: Int) -> String { "k\(index)x\(factor)" }

    /// Functions that kernels call, by index; kernels follow.
    enum Callee: Int, CaseIterable {
        /// One straight line, which the compiler puts in the place of the call.
        case short
        /// Branches, so that it is called.
        case branching
        /// The first of `table` functions that differ in a constant.
        case firstOfTable
    }
    /// Functions in the table.
    static let table = 16
    private static let firstKernel = Callee.firstOfTable.rawValue + table

    private static let unary = 0
    private static let kernel = 1
    private static let none = 2

    /// Milligas of a callee's body on the path of a value that is not zero.
    static func cost(_ callee: Callee, _ prices: WasmPrices) -> UInt64 {
        body(callee.rawValue, prices).milligas
    }

    private static func body(_ index: Int, _ prices: WasmPrices) -> CodeWriter {
        var code = CodeWriter(prices: prices)
        code.op(.localGet, 0)
        if index == Callee.branching.rawValue {
            code.op(.i64Eqz)
            code.op(.if, [ValueType.i64.rawValue])
            code.otherPath { $0.i64(-1) }
            code.op(.else)
            code.op(.localGet, 0)
            code.i64(0x1234_5678_9ABC)
            code.op(.i64Xor)
            code.op(.end)
        } else {
            code.i64(0x0123_4567_89AB &+ Int64(index) &* 0x1_0001)
            code.op(.i64Xor)
        }
        return code
    }

    /// The binary.
    var bytes: [UInt8] {
        let shape = kernels.first?.memory ?? .l1
        let parameters: [UInt8] = [ValueType.i32, .i64, .i64, .i64].map(\.rawValue)
        let long = ValueType.i64.rawValue
        var module = WasmModule()
        module.types = [
            WasmBytes.functionType([long], [long]), WasmBytes.functionType(parameters, [long]),
            WasmBytes.functionType([], []),
        ]
        for index in 0..<KernelModule.firstKernel {
            let body = KernelModule.body(index, prices)
            module.functions.append(.init(type: KernelModule.unary, code: body.bytes))
        }
        for (index, kernel) in kernels.enumerated() {
            for factor in isFound ? [1] : [1, 2] {
                let name = isFound ? KernelModule.loop(index) : KernelModule.export(index, factor)
                module.exports.append((name, 0, module.functions.count))
                module.functions.append(function(kernel, kernel.copies * factor))
            }
        }
        module.start = module.functions.count
        module.functions.append(preparation(shape))
        if isFound {
            module.exports.append((KernelModule.prepare, 0, module.functions.count - 1))
            module.exports.append((KernelModule.rewind, 0, module.functions.count))
            var code = CodeWriter(prices: prices)
            for global in [1, 2] {
                code.i32(0)
                code.op(.globalSet, global)
            }
            module.functions.append(.init(type: KernelModule.none, code: code.bytes))
        }
        let maximum = shape.grows ? 8_192 : shape.pages
        module.memories = [[1] + WasmBytes.unsigned(shape.pages) + WasmBytes.unsigned(maximum)]
        module.tables = [[ValueType.funcref.rawValue, 0] + WasmBytes.unsigned(4_096)]
        let items = (0..<KernelModule.table).map { WasmBytes.unsigned(Callee.firstOfTable.rawValue + $0) }
        // An active segment fills the first elements; passive ones are there for `table.init` and to be dropped.
        module.elements = [
            [0] + Opcode.i32Const.encoded + [0] + Opcode.end.encoded + WasmBytes.vector(items),
            [1, 0] + WasmBytes.vector(items),
            [1, 0] + WasmBytes.vector(Array(items.prefix(1))),
        ]
        let place = [ValueType.i32.rawValue, 1] + Opcode.i32Const.encoded + [0] + Opcode.end.encoded
        module.globals = [[long, 1] + Opcode.i64Const.encoded + [7] + Opcode.end.encoded, place, place]
        module.dataCount = 2
        module.data = [[1] + WasmBytes.sized([UInt8](repeating: 0x5A, count: 4_096)), [1] + WasmBytes.sized([0])]
        return module.bytes
    }

    /// Writes every page, so that the system has given it before anything is timed, and then the address of the next
    /// line into each line.
    private func preparation(_ shape: MemoryShape) -> WasmModule.Function {
        var code = CodeWriter(prices: prices)
        code.i32(0)
        code.i32(0)
        code.i32(Int32(truncatingIfNeeded: shape.pages << 16))
        code.op(.memoryFill, [0])
        code.open(.loop)
        code.op(.localGet, 0)
        code.i32(Int32(shape.stride))
        code.op(.i32Shl)
        code.op(.localGet, 0)
        code.i32(1_664_525)
        code.op(.i32Mul)
        code.i32(1_013_904_223)
        code.op(.i32Add)
        code.i32(Int32(shape.lineMask))
        code.op(.i32And)
        code.i32(Int32(shape.stride))
        code.op(.i32Shl)
        code.access(.i32Store, offset: shape.offset)
        code.op(.localGet, 0)
        code.i32(1)
        code.op(.i32Add)
        code.op(.localTee, 0)
        code.i32(Int32(shape.lineMask))
        code.op(.i32LeU)
        code.op(.brIf, 0)
        code.op(.end)
        return .init(type: KernelModule.none, locals: [(1, ValueType.i32.rawValue)], code: code.bytes)
    }

    private func function(_ kernel: Kernel, _ copies: Int) -> WasmModule.Function {
        var code = CodeWriter(prices: prices)
        for (local, bits, type) in [(Slot.a, Slot.aBits, kernel.aType), (Slot.b, Slot.bBits, kernel.bType)] {
            code.op(.localGet, bits)
            code.all(CodeWriter.fromBits(type))
            code.op(.localSet, local)
        }
        code.op(.localGet, Slot.start)
        code.op(.i32WrapI64)
        code.op(.localSet, Slot.address)
        code.op(.localGet, Slot.start)
        code.op(.localSet, Slot.index)
        for chain in 0..<kernel.chains {
            // Chains that begin alike would be one.
            code.op(.localGet, Slot.start)
            code.i64(Int64(chain))
            code.op(.i64Add)
            code.all(CodeWriter.fromBits(kernel.chainType))
            code.op(.localSet, Slot.chain + chain)
        }
        // Where the last run stopped: from there on a walk through memory finds nothing in the caches.
        let places = [(global: 1, local: Slot.address), (global: 2, local: Slot.chain)]
        if isFound {
            for (global, local) in places {
                code.op(.globalGet, global)
                code.op(.localSet, local)
            }
        }
        code.open(.loop)
        kernel.writeIteration(&code, copies)
        code.op(.localGet, Slot.count)
        code.i32(1)
        code.op(.i32Sub)
        code.op(.localTee, Slot.count)
        code.op(.brIf, 0)
        code.op(.end)
        if isFound {
            for (global, local) in places {
                code.op(.localGet, local)
                code.op(.globalSet, global)
            }
        }
        // Everything the steps made goes into the result.
        code.op(.localGet, Slot.address)
        code.op(.i64ExtendI32U)
        code.op(.localGet, Slot.index)
        code.op(.i64Xor)
        for (local, type) in [(Slot.a, kernel.aType), (Slot.b, kernel.bType)] {
            code.op(.localGet, local)
            code.all(CodeWriter.toBits(type))
            code.op(.i64Xor)
        }
        for chain in 0..<kernel.chains {
            code.i64(31)
            code.op(.i64Mul)
            code.op(.localGet, Slot.chain + chain)
            code.all(CodeWriter.toBits(kernel.chainType))
            code.op(.i64Xor)
        }
        let locals: [(count: Int, type: UInt8)] = [
            (1, kernel.aType.rawValue), (1, kernel.bType.rawValue), (1, ValueType.i32.rawValue),
            (1, ValueType.i64.rawValue), (kernel.chains, kernel.chainType.rawValue),
        ]
        return .init(type: KernelModule.kernel, locals: locals, code: code.bytes)
    }
}

extension Kernel {
    /// The body of the loop.
    func writeIteration(_ code: inout CodeWriter, _ copies: Int) {
        before(&code)
        switch frame {
        case .stack:
            code.op(.localGet, Slot.chain)
            for index in 0..<copies { step(&code, index) }
            code.op(.localSet, Slot.chain)
        case .chains:
            for index in 0..<copies {
                code.op(.localGet, Slot.chain + index % chains)
                step(&code, index)
                code.op(.localSet, Slot.chain + index % chains)
            }
        case .locals:
            for index in 0..<copies { step(&code, index) }
        }
    }

    /// What one step more costs and consists of: the difference of two iterations, from the price list alone.
    func oneStep(_ prices: WasmPrices) -> (milligas: UInt64, path: [Opcode]) {
        var (one, two) = (CodeWriter(prices: prices), CodeWriter(prices: prices))
        writeIteration(&one, copies)
        writeIteration(&two, copies + 1)
        // The step stands before whatever follows the last one, which is at most one `local.set`.
        let last = frame == .stack ? 1 : 0
        return (
            two.milligas - one.milligas,
            Array(two.path.dropLast(last).dropFirst(one.path.count - last))
        )
    }
}
