import GasSchedule
import Syscalls
import WasmFormat

/// The actor that makes syscalls: the low half of a message's method number says which kernel, the rest how often.
struct SyscallModule: Sendable {
    /// A method that does nothing.
    static let returnsAtOnce: UInt64 = 2
    private static let firstKernel: UInt64 = 3

    let kernels: [SyscallKernel]
    let syscalls: SyscallSet
    let state: SyscallState

    /// The method that makes `count` calls of a kernel.
    static func method(_ kernel: Int, _ count: UInt64) -> UInt64 { count << 16 | (firstKernel + UInt64(kernel)) }

    /// The binary.
    var bytes: [UInt8] {
        var module = WasmModule()
        let context = syscalls.rows.filter { $0.title == "vm::message_context" }
        let helpers = syscalls.rows.filter {
            ["ipld::block_open", "ipld::block_create", "self::root"].contains($0.title)
        }
        var imports = context
        for row in helpers + kernels.map(\.row) where !imports.contains(row) { imports.append(row) }
        let loop = WasmBytes.functionType([ValueType.i32.rawValue], [])
        let entry = WasmBytes.functionType([ValueType.i32.rawValue], [ValueType.i32.rawValue])
        module.types = [loop, entry]
        for row in imports {
            let type = WasmBytes.functionType(row.type.parameters.map(\.rawValue), row.type.results.map(\.rawValue))
            let index = module.types.firstIndex(of: type) ?? module.types.count
            if index == module.types.count { module.types.append(type) }
            module.imports.append(WasmModule.importedFunction(row.module, row.name, type: index))
        }
        module.functions.append(.init(type: 1, locals: [(1, ValueType.i64.rawValue)], code: invoke(imports)))
        for kernel in kernels {
            module.functions.append(
                .init(type: 0, locals: [(1, ValueType.i32.rawValue)], code: function(kernel, imports)))
        }
        module.exports = [("invoke", 0, imports.count), ("memory", 2, 0)]
        let pages = WasmBytes.unsigned(SyscallMemory.pages)
        module.memories = [[1] + pages + pages]
        module.tables = [[ValueType.funcref.rawValue, 0] + WasmBytes.unsigned(kernels.count)]
        module.elements = [
            [0] + Opcode.i32Const.encoded + [0] + Opcode.end.encoded
                + WasmBytes.vector(kernels.indices.map { WasmBytes.unsigned(imports.count + 1 + $0) })
        ]
        let place = Opcode.i32Const.encoded + WasmBytes.signed(Int64(SyscallMemory.constants)) + Opcode.end.encoded
        module.data = [[0] + place + WasmBytes.sized(state.memory)]
        return module.bytes
    }

    /// Reads the method's number and calls the kernel.
    private func invoke(_ imports: [SyscallRow]) -> [UInt8] {
        var code = SyscallCode(syscalls: syscalls, imports: imports)
        code.code.i32(SyscallMemory.result)
        code.call(imports[0])
        code.code.op(.drop)
        code.code.i32(SyscallMemory.result)
        // Origin, nonce, caller, receiver, method.
        code.code.access(.i64Load, offset: 32)
        code.code.op(.localTee, 1)
        code.code.i64(Int64(SyscallModule.returnsAtOnce))
        code.code.op(.i64Ne)
        code.code.open(.if)
        code.code.op(.localGet, 1)
        code.code.i64(16)
        code.code.op(.i64ShrU)
        code.code.op(.i32WrapI64)
        code.code.op(.localGet, 1)
        code.code.op(.i32WrapI64)
        code.code.i32(0xFFFF)
        code.code.op(.i32And)
        code.code.i32(Int32(SyscallModule.firstKernel))
        code.code.op(.i32Sub)
        code.code.op(.callIndirect, [0, 0])
        code.code.op(.end)
        code.code.i32(0)
        return code.code.bytes
    }

    private func function(_ kernel: SyscallKernel, _ imports: [SyscallRow]) -> [UInt8] {
        var code = SyscallCode(syscalls: syscalls, imports: imports)
        kernel.before(&code)
        code.code.open(.loop)
        code.code.op(.localGet, SyscallCode.number)
        code.code.i32(1)
        code.code.op(.i32Add)
        code.code.op(.localSet, SyscallCode.number)
        kernel.step(&code)
        // A call that is refused shows nothing: the message traps.
        code.code.open(.if)
        code.code.op(.unreachable)
        code.code.op(.end)
        code.code.op(.localGet, SyscallCode.number)
        code.code.op(.localGet, SyscallCode.count)
        code.code.op(.i32LtU)
        code.code.op(.brIf, 0)
        code.code.op(.end)
        return code.code.bytes
    }
}
