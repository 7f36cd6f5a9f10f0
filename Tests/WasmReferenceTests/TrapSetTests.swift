import Engine
import Metering
import TestSupport
import Testing
import WasmFormat

@testable import WasmReference

/// The trap set of every instruction that is not numeric (those are in `RecipeTests`), seen in the interpreter.
struct TrapSetTests {
    private static let i32: UInt8 = 0x7F
    private static let end: UInt8 = 0x0B

    /// Instructions on operands that may be any i32 or a null reference.
    private static let simple: [Opcode] = Opcode.allCases.filter { opcode in
        switch opcode.row.recipe {
        case .load, .store, .memorySize, .memoryGrow, .memoryFill, .memoryCopy, .memoryInit, .dataDrop, .tableGet,
            .tableSet, .tableSize, .tableGrow, .tableFill, .tableCopy, .tableInit, .elementDrop, .nop, .drop, .select,
            .localGet, .localSet, .localTee, .globalGet, .globalSet, .constant, .nullReference, .isNull,
            .functionReference:
            return true
        default: return false
        }
    }

    private func operandTypes(_ opcode: Opcode) -> [ValueType] {
        if let types = opcode.row.types { return types.operands }
        switch opcode.row.recipe {
        case .tableSet: return [.i32, .funcref]
        case .tableGrow: return [.funcref, .i32]
        case .tableFill: return [.i32, .funcref, .i32]
        case .isNull: return [.funcref]
        case .select: return opcode == .select ? [.i32, .i32, .i32] : [.funcref, .funcref, .i32]
        default: return [ValueType](repeating: .i32, count: Int(opcode.row.effect?.takes ?? 0))
        }
    }

    private func immediates(_ opcode: Opcode) -> [UInt8] {
        switch opcode.row.immediates {
        case .none: []
        case .memoryArgument, .dataAndMemory, .elementAndTable, .twoTables, .twoMemories: [0, 0]
        case .f32: [UInt8](repeating: 0, count: 4)
        case .f64: [UInt8](repeating: 0, count: 8)
        case .referenceType: [0x70]
        case .selectTypes: [1, 0x70]
        default: [0]
        }
    }

    @Test(arguments: simple)
    func simpleInstructionsRaiseWhatTheirRowSays(opcode: Opcode) throws {
        var code: [UInt8] = []
        for (index, type) in operandTypes(opcode).enumerated() {
            switch type {
            case .i32: code += [0x20, UInt8(index)]
            case .i64: code += [0x42, 0]
            case .f32: code += [0x43, 0, 0, 0, 0]
            case .f64: code += [0x44, 0, 0, 0, 0, 0, 0, 0, 0]
            case .funcref: code += [0xD0, 0x70]
            }
        }
        code += opcode.encoded + immediates(opcode)
        code += [UInt8](repeating: 0x1A, count: Int(opcode.row.effect?.gives ?? 0))
        var module = WasmModule()
        module.types = [WasmBytes.functionType([Self.i32, Self.i32, Self.i32], [])]
        module.functions = [.init(code: code)]
        module.memories = [[0, 1]]
        module.tables = [[0x70, 0, 4]]
        module.globals = [[Self.i32, 1, 0x41, 0, Self.end]]
        module.elements = [[1, 0, 1, 0]]
        module.dataCount = 1
        module.data = [[1, 1, 0]]
        module.exports = [("f", 0, 0)]
        let values: [UInt64] = [0, 1, 0xFFFF_FFFF]
        var traps: TrapSet = []
        for first in values {
            for second in values {
                for third in values {
                    let instance = try Unmetered.instance(module)
                    if case .trapped(let trap, _) = try instance.call("f", [first, second, third]) {
                        traps.insert(TrapSet(number: trap.rawValue))
                    }
                }
            }
        }
        #expect(traps == opcode.row.traps)
    }

    /// What `f` raises, with so much gas.
    private func trap(_ module: WasmModule, _ argument: UInt64, gas: Int64 = .max) throws -> TrapSet {
        let analyzed = try FrontEnd.analyze(module.bytes, profile: .suite, prices: .fvm)
        let instance = try ReferenceModule(analyzed).makeInstance(
            handler: NoHost(), limiter: ResourceLimiter(limit: 2 << 30))
        instance.gasCounter = .max
        guard case .returned = try instance.instantiate() else { throw NotStarted() }
        instance.gasCounter = gas
        guard case .trapped(let trap, _) = try instance.call("f", [argument]) else { return [] }
        return TrapSet(number: trap.rawValue)
    }

    /// `f` of an i32 and so many locals; a table of four elements, the first of which is `f`, the second a function
    /// without parameters that does nothing.
    private func module(_ text: String, locals: Int = 0) -> WasmModule {
        var module = WasmModule()
        module.types = [WasmBytes.functionType([Self.i32], []), WasmBytes.functionType([], [])]
        module.functions = [
            WasmModule.Function(locals: [(count: locals, type: UInt8(0x7E))], text),
            WasmModule.Function(type: 1, ""),
        ]
        module.tables = [[0x70, 0, 4]]
        module.elements = [[0, 0x41, 0, Self.end, 2, 0, 1]]
        module.exports = [("f", 0, 0)]
        return module
    }

    @Test func unreachableRaisesItself() throws {
        #expect(try trap(module("unreachable"), 0) == Opcode.unreachable.row.traps)
    }

    @Test func callsRaiseWhatTheirRowSays() throws {
        var traps = try trap(module("local.get 0 call 0"), 0)
        traps.formUnion(try trap(module("local.get 0 call 0", locals: 40_000), 0))
        #expect(traps == Opcode.call.row.traps)
    }

    @Test func indirectCallsRaiseWhatTheirRowSays() throws {
        let recursion = "local.get 0 local.get 0 call_indirect 0 0"
        var traps: TrapSet = []
        for index: UInt64 in [0, 1, 2, 4] { traps.formUnion(try trap(module(recursion), index)) }
        traps.formUnion(try trap(module(recursion, locals: 40_000), 0))
        // Enough for the entry, 56,000, and the block, 12,000, and not for the callee's trampoline.
        traps.formUnion(try trap(module(recursion), 0, gas: 70_000))
        #expect(traps == Opcode.callIndirect.row.traps)
    }

    /// Control is not simple, not numeric, and raises nothing but by `unreachable` and calls.
    @Test func everyInstructionIsLookedAt() {
        for opcode in Opcode.allCases where opcode.row.effect == nil && !opcode.row.traps.isEmpty {
            #expect([.unreachable, .call, .callIndirect].contains(opcode), "\(opcode)")
        }
    }
}
