import GasSchedule
import Syscalls
import TestSupport
import Testing
import WasmFormat

@testable import Metering

private let i32: UInt8 = 0x7F
private let i64: UInt8 = 0x7E
private let end: UInt8 = 0x0B

@Suite struct PlanTests {
    @Test func trampolinesAreForDefinedFunctionsReachedFromOutside() throws {
        var module = oneFunction("")
        module.types = [WasmBytes.functionType([], []), WasmBytes.functionType([i32, i64], [])]
        module.imports = [WasmModule.importedFunction("a", "b", type: 0)]
        module.functions = (0..<7).map { .init(type: $0 == 1 ? 1 : 0, code: []) }
        module.exports = [("f", 0, 2), ("again", 0, 2), ("import", 0, 0)]
        module.start = 3
        // Active, passive and declarative segments; function 7 occurs in an initialiser only.
        module.elements = [[0, 0x41, 0, end, 2, 4, 0], [1, 0, 1, 5], [3, 0, 1, 6]]
        module.globals = [[0x70, 0, 0xD2, 7, end]]
        let plan = try analyze(module.bytes).plan
        #expect(plan.trampolines == [nil, nil, 60_000, 52_000, 52_000, 52_000, 52_000, nil])
        #expect(plan.functions.count == 7)
        #expect(plan.stackLimit == 2_048)
    }

    @Test func thePlanAsTextIsStable() throws {
        var module = oneFunction("local.get 0 memory.grow drop loop local.get 0 br_if 0 end call 0", parameters: [i32])
        module.types.append(WasmBytes.functionType([], []))
        module.functions[0].code = Assembler.assemble(
            "local.get 0 memory.grow drop loop local.get 0 br_if 0 end i32.const 1 call 0")
        module.functions.append(.init(type: 1, code: []))
        module.exports = [("f", 0, 0)]
        #expect(
            try analyze(module.bytes).plan.text() == """
                smelt-plan 1
                stack-limit 2048
                function 0 stack 3
                trampoline 0 56000
                block 0 64000
                block 4 8000
                linear 1 26214400
                function 1 stack 2

                """)
    }

    @Test func aModuleWithoutFunctionSectionIsRefusedByTheStackLimiter() {
        let memory = WasmBytes.section(5, [1, 0, 1])
        let found = refusal(WasmBytes.module([memory]))
        #expect(found?.diagnostic == "stack limiter: module has no function section")
        #expect(refusal(WasmBytes.module([WasmBytes.section(3, [0]), memory])) == nil)
        #expect(refusal(WasmBytes.module([memory]), profile: .suite) == nil)
    }

    @Test func segmentsThatInstrumentationCannotReadAreRefusedByTheGasPass() {
        var module = oneFunction("")
        module.elements = [[5, 0x70, 0], [5, 0x70, 1, 0xD0, 0x70, end]]
        #expect(refusal(module.bytes)?.stage == .gas)
        #expect(refusal(module.bytes)?.rule == "element segment 1 has expressions as items")
        #expect(refusal(module.bytes, profile: .suite) == nil)
        module.elements = [[5, 0x70, 0]]
        #expect(refusal(module.bytes) == nil)
        module.imports = [WasmModule.importedGlobal("a", "b", type: i32, mutable: false)]
        module.data = [[0, 0x23, 0, end, 0]]
        #expect(refusal(module.bytes)?.rule == "offset of data segment 0 is not an i32.const")
        #expect(refusal(module.bytes, profile: .suite) == nil)
    }

    @Test func aModuleThatImportsTheCounterIsRefused() {
        var module = oneFunction("")
        module.imports = [WasmModule.importedGlobal("gas", "gas_counter", type: i64, mutable: true)]
        #expect(refusal(module.bytes)?.rule == "module imports the gas counter itself")
    }

    /// Bodies with a run-time price get one local more.
    @Test func theLimitOfLocalsAppliesToTheInstrumentedBody() {
        func locals(_ count: Int, _ text: String) -> Refusal? {
            refusal(oneFunction(text, locals: [(count, i32)]).bytes)
        }
        #expect(locals(50_000, "i32.const 1 memory.grow drop") == nil)
        #expect(locals(49_999, "local.get 0 memory.grow drop") == nil)
        let found = locals(50_000, "local.get 0 memory.grow drop")
        #expect(found?.stage == .postValidate)
        #expect(found?.rule == "50001 parameters and locals once instrumented, limit 50000")
    }

    @Test func importedGlobalsAreRenumberedIntoTheirNeighbours() {
        var module = oneFunction("global.get 0 drop")
        module.imports = [WasmModule.importedGlobal("a", "b", type: i32, mutable: false)]
        // Untyped use: global 0 becomes the i64 counter, which `drop` does not mind.
        #expect(refusal(module.bytes) == nil)
        module.functions = [.init("global.get 0 i32.eqz drop")]
        #expect(refusal(module.bytes)?.stage == .postValidate)
        #expect(refusal(module.bytes)?.function == 0)
        // With a guarded call the height counter falls on the gas counter.
        module.functions = [.init("")]
        module.exports = [("f", 0, 0)]
        #expect(
            refusal(module.bytes)?.rule == "the height counter falls on another global because globals are imported")
        #expect(refusal(module.bytes, profile: .suite) == nil)
    }

    @Test func memoriesAndTablesFitThePool() {
        var module = oneFunction("")
        module.memories = [[0] + WasmBytes.unsigned(8_192)]
        module.tables = [[0x70, 0] + WasmBytes.unsigned(20_000)]
        #expect(refusal(module.bytes) == nil)
        module.memories = [[0] + WasmBytes.unsigned(8_193)]
        #expect(refusal(module.bytes)?.diagnostic == "pool limits: memory has a minimum of 8193 pages, limit 8192")
        module.memories = []
        module.tables = [[0x70, 0] + WasmBytes.unsigned(20_001)]
        #expect(refusal(module.bytes)?.rule == "table has a minimum of 20001 elements, limit 20000")
        module.tables = [[0x70, 0, 0], [0x70, 0, 0]]
        #expect(refusal(module.bytes)?.rule == "2 tables, limit 1")
    }

    /// 160 + 48 + one memory 24 + one table 16 + the imported counter 24, rounded up to 16: 272 bytes, then 16 a
    /// global with one for the height.
    @Test func anInstanceFitsOneMebibyte() {
        func globals(_ count: Int) -> Refusal? {
            var module = oneFunction("")
            module.globals = [[UInt8]](repeating: [i32, 0, 0x41, 0, end], count: count)
            return refusal(module.bytes)
        }
        #expect(globals(65_518) == nil)
        #expect(globals(65_519)?.diagnostic == "pool limits: instance takes 1048592 bytes, limit 1048576")
    }

    @Test func stagesComeInTheOrderOfTheReference() {
        // Each change adds a fault of an earlier stage than those already there.
        var module = oneFunction("")
        module.tables.append([0x70, 0, 0])
        #expect(refusal(module.bytes)?.stage == .poolLimits)
        module.functions = [.init(locals: [(50_000, i32)], "local.get 0 memory.grow drop")]
        #expect(refusal(module.bytes)?.stage == .postValidate)
        module.functions.append(.init("i32.const -1 memory.grow drop"))
        #expect(refusal(module.bytes)?.stage == .gas)
        module.functions.append(.init("ref.null drop"))
        #expect(refusal(module.bytes)?.stage == .stackLimiter)
        module.functions.append(.init("drop"))
        #expect(refusal(module.bytes)?.stage == .validate)
        module.functions.append(.init(code: [0x27]))
        #expect(refusal(module.bytes)?.stage == .decode)
    }

    @Test func importsAreCheckedLastAndOnlyWhenAsked() throws {
        var module = oneFunction("")
        module.imports = [WasmModule.importedFunction("vm", "no_such_call", type: 0)]
        #expect(refusal(module.bytes) == nil)
        do throws(Refusal) {
            _ = try FrontEnd.analyze(module.bytes, profile: .fvm, prices: .fvm, syscalls: .v3)
            Issue.record("a module with an unknown import was accepted")
        } catch {
            #expect(error.stage == .link)
            #expect(error.rule.contains("no_such_call"))
        }
    }

    @Test func everyBlockOfADeepNestingIsFound() throws {
        let depth = 200_000
        var code: [UInt8] = []
        for _ in 0..<depth { code += [0x41, 0, 0x04, 0x40] }
        code += [UInt8](repeating: end, count: depth)
        var module = oneFunction("")
        module.functions = [.init(code: code)]
        #expect(try analyze(module.bytes).plan.functions[0].blocks.count == depth)
    }
}
