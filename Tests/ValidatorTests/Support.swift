import TestSupport
import WasmFormat

@testable import Validator

/// Bytes of value types.
enum Byte {
    static let i32: UInt8 = 0x7F
    static let i64: UInt8 = 0x7E
    static let f32: UInt8 = 0x7D
    static let f64: UInt8 = 0x7C
    static let funcref: UInt8 = 0x70
}

/// Why a module is refused, nil when it is valid.
func refusal(_ bytes: [UInt8]) -> Refusal? {
    do throws(Refusal) {
        _ = try ValidatedModule.validate(Module.decode(bytes, profile: .fvm), profile: .fvm)
        return nil
    } catch {
        return error
    }
}

/// A module with something in every index space, whose function 1 is under test:
/// types 0 `() -> ()`, 1 `() -> i32`, 2 `(i32) -> i32`, 3 the tested one; function 0 has type 2; globals 0
/// mutable i32, 1 immutable i64; one table, memory, element segment and data segment.
func moduleUnderTest(
    _ code: [UInt8], parameters: [UInt8] = [], results: [UInt8] = [], locals: [(count: Int, type: UInt8)] = []
) -> WasmModule {
    var module = WasmModule()
    module.types = [
        WasmBytes.functionType([], []), WasmBytes.functionType([], [Byte.i32]),
        WasmBytes.functionType([Byte.i32], [Byte.i32]), WasmBytes.functionType(parameters, results),
    ]
    module.functions = [.init(type: 2, "local.get 0"), .init(type: 3, locals: locals, code: code)]
    module.tables = [[Byte.funcref, 0, 4]]
    module.memories = [[0, 1]]
    module.globals = [[Byte.i32, 1, 0x41, 0, 0x0B], [Byte.i64, 0, 0x42, 0, 0x0B]]
    module.elements = [[0, 0x41, 0, 0x0B, 1, 0]]
    module.dataCount = 1
    module.data = [[1, 1, 0]]
    return module
}

func refusal(
    body text: String, parameters: [UInt8] = [], results: [UInt8] = [], locals: [(count: Int, type: UInt8)] = []
) -> Refusal? {
    refusal(
        moduleUnderTest(Assembler.assemble(text), parameters: parameters, results: results, locals: locals).bytes)
}
