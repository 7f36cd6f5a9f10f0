import TestSupport
import Testing
import WasmFormat

@testable import Validator

@Suite struct ModuleTests {
    private let end: UInt8 = 0x0B

    private func rule(_ change: (inout WasmModule) -> Void) -> String? {
        var module = moduleUnderTest([])
        change(&module)
        return refusal(module.bytes)?.rule
    }

    @Test func theModuleUnderTestIsValid() {
        #expect(rule { _ in } == nil)
    }

    @Test func parametersHaveALimit() {
        func types(_ count: Int) -> String? {
            rule { $0.types.append(WasmBytes.functionType([UInt8](repeating: Byte.i32, count: count), [])) }
        }
        #expect(types(1_000) == nil)
        #expect(types(1_001) == "type 4 has 1001 parameters, limit 1000")
    }

    @Test func aSecondResultIsMultiValue() {
        #expect(
            rule { $0.types.append(WasmBytes.functionType([], [Byte.i32, Byte.i32])) }
                == "type 4 has 2 results, multi-value is not enabled")
    }

    @Test func parametersAndLocalsHaveACommonLimit() {
        func locals(_ count: Int) -> Refusal? {
            refusal(moduleUnderTest([], parameters: [Byte.i32], locals: [(count, Byte.i64)]).bytes)
        }
        #expect(locals(49_999) == nil)
        #expect(locals(50_000)?.rule == "50001 parameters and locals, limit 50000")
    }

    @Test func exportNamesAreUnique() {
        #expect(
            rule { $0.exports = [("a", 0, 0), ("b", 0, 0), ("a", 2, 0)] } == "export 2: duplicate export name \"a\"")
    }

    @Test func exportsNameWhatExists() {
        #expect(rule { $0.exports = [("a", 0, 2)] } == "export 0: unknown function 2")
        #expect(rule { $0.exports = [("a", 1, 1)] } == "export 0: unknown table 1")
        #expect(rule { $0.exports = [("a", 2, 1)] } == "export 0: unknown memory 1")
        #expect(rule { $0.exports = [("a", 3, 2)] } == "export 0: unknown global 2")
        #expect(rule { $0.exports = [("a", 3, 0), ("", 3, 1)] } == nil)
    }

    @Test func theStartFunctionTakesAndGivesNothing() {
        #expect(rule { $0.start = 1 } == nil)
        #expect(rule { $0.start = 0 } == "start function has parameters or results")
        #expect(rule { $0.start = 2 } == "start section: unknown function 2")
    }

    @Test func memoriesAreOneOfFourGibibytesAtMost() {
        #expect(rule { $0.memories.append([0, 0]) } == "2 memories, limit 1")
        #expect(rule { $0.memories = [[1] + WasmBytes.unsigned(0) + WasmBytes.unsigned(65_536)] } == nil)
        #expect(rule { $0.memories = [[0] + WasmBytes.unsigned(65_537)] } == "memory 0: size 65537, limit 65536")
        #expect(rule { $0.memories = [[1, 2, 1]] } == "memory 0: minimum 2 is greater than maximum 1")
    }

    @Test func severalTablesPassValidation() {
        #expect(rule { $0.tables.append([Byte.funcref, 0, 0]) } == nil)
        #expect(rule { $0.tables = [[UInt8]](repeating: [Byte.funcref, 0, 1], count: 101) } == "101 tables, limit 100")
        #expect(rule { $0.tables = [[Byte.funcref, 1, 2, 1]] } == "table 0: minimum 2 is greater than maximum 1")
    }

    @Test func initializersAreOneConstantOfTheRightType() {
        func global(_ type: UInt8, _ code: [UInt8]) -> String? { rule { $0.globals.append([type, 0] + code + [end]) } }
        #expect(global(Byte.i64, [0x42, 1]) == nil)
        #expect(global(Byte.funcref, [0xD2, 1]) == nil)
        #expect(global(Byte.funcref, [0xD0, 0x70]) == nil)
        #expect(global(Byte.i32, [0x42, 1]) == "initializer of global 2: type mismatch, expected i32, found i64")
        #expect(global(Byte.i32, []) == "initializer of global 2: type mismatch, expected i32, found nothing")
        #expect(
            global(Byte.i32, [0x41, 1, 0x41, 1])
                == "initializer of global 2: type mismatch, expected i32, found i32 i32")
        #expect(global(Byte.funcref, [0xD2, 7]) == "initializer of global 2: unknown function 7")
        #expect(global(Byte.i64, [0x23, 1])?.contains("global 1 is not an imported constant") == true)
        #expect(global(Byte.i64, [0x23, 9]) == "initializer of global 2: unknown global 9")
    }

    @Test func initializersMayReadImportedConstants() {
        func module(mutable: Bool) -> String? {
            rule {
                $0.imports = [WasmModule.importedGlobal("a", "b", type: Byte.i32, mutable: mutable)]
                $0.globals = [[Byte.i32, 0, 0x23, 0, end]]
            }
        }
        #expect(module(mutable: false) == nil)
        #expect(module(mutable: true)?.contains("is not an imported constant") == true)
    }

    @Test func segmentsNameWhatExists() {
        #expect(rule { $0.elements.append([2, 1, 0x41, 0, end, 0, 0]) } == "element segment 1: unknown table 1")
        #expect(rule { $0.elements.append([1, 0, 1, 9]) } == "element segment 1: unknown function 9")
        #expect(
            rule { $0.elements.append([0, 0x42, 0, end, 0]) }
                == "offset of element segment 1: type mismatch, expected i32, found i64")
        #expect(
            rule {
                $0.data.append([2, 1, 0x41, 0, end, 0])
                $0.dataCount = 2
            } == "data segment 1: unknown memory 1")
        #expect(
            rule { $0.elements.append([5, Byte.funcref, 1, 0x41, 0, end]) }
                == "item of element segment 1: type mismatch, expected funcref, found i32")
    }

    @Test func declarativeSegmentsDeclareReferences() {
        let body = Assembler.assemble("ref.func 1 drop")
        #expect(refusal(moduleUnderTest(body).bytes)?.rule == "undeclared function reference 1")
        var module = moduleUnderTest(body)
        module.elements.append([3, 0, 1, 1])
        #expect(refusal(module.bytes) == nil)
    }

    @Test func functionsAndImportsNeedTheirTypes() {
        #expect(rule { $0.functions[0].type = 9 } == "unknown type 9")
        #expect(rule { $0.imports = [WasmModule.importedFunction("a", "b", type: 9)] } == "import 0: unknown type 9")
    }

    /// 2 + 1000 parameters for each of the exports, and 1.
    @Test func typesOfImportsAndExportsHaveACommonSize() {
        func exports(_ count: Int) -> String? {
            var module = WasmModule()
            module.types = [WasmBytes.functionType([UInt8](repeating: Byte.i32, count: 1_000), [])]
            module.functions = [.init(code: [])]
            module.exports = (0..<count).map { ("\($0)", 0, 0) }
            return refusal(module.bytes)?.rule
        }
        #expect(exports(998) == nil)
        #expect(exports(999) == "types of imports and exports have size 1000999, limit 999999")
    }
}
