import TestSupport
import Testing
import WasmFormat

@testable import Validator

@Suite struct BodyTests {
    /// Bodies of a function without parameters and results that are valid.
    @Test(arguments: [
        "", "nop", "unreachable", "unreachable i32.add drop", "return f32.const f32.add drop",
        "block i32 i32.const 1 end drop", "loop end", "loop i32 i32.const 1 br 0 end drop",
        "i32.const 0 if end", "i32.const 0 if else end", "i32.const 1 if i32 i32.const 1 else i32.const 2 end drop",
        "i32.const 1 if i32 unreachable else i32.const 2 end drop", "br 0", "br 0 i32.const 1 drop",
        "i32.const 0 br_if 0", "i32.const 0 br_table 0", "block i32.const 0 br_table 0,1,0 end",
        "block i32 i32.const 7 i32.const 0 br_table 0,0 end drop",
        // Labels of different types agree in unreachable code, as long as they carry as many operands.
        "block i32 block f32 unreachable br_table 0,1 end drop i32.const 0 end drop",
        "unreachable select drop", "unreachable i32.const 1 select drop", "unreachable drop", "unreachable call 0 drop",
        "i32.const 1 i32.const 2 i32.const 3 select drop", "unreachable br_if 0", "unreachable br_table 0",
        "i32.const 0 call 0 drop", "i32.const 5 i32.const 0 call_indirect 2 0 drop", "i32.const 0 call_indirect 0 0",
        "i32.const 0 i32.load drop", "i32.const 0 f64.load drop", "memory.size drop", "i32.const 1 memory.grow drop",
        "i32.const 0 i32.const 0 i32.const 0 memory.fill 0", "i32.const 0 i32.const 0 i32.const 0 memory.copy 0 0",
        "i32.const 0 i32.const 0 i32.const 0 memory.init 0 0", "data.drop 0", "elem.drop 0",
        "i32.const 0 i32.const 0 i32.const 0 table.copy 0 0", "i32.const 0 i32.const 0 i32.const 0 table.init 0 0",
        "i32.const 0 table.get 0 drop", "i32.const 0 ref.null table.set 0", "ref.null i32.const 1 table.grow 0 drop",
        "table.size 0 drop", "i32.const 0 ref.null i32.const 1 table.fill 0", "ref.null ref.is_null drop",
        "ref.func 0 drop", "global.get 0 global.set 0", "global.get 1 drop", "unreachable ref.is_null drop",
        "block br 0 i64.const 1 drop end", "i32.const 0 if return end nop",
    ])
    func validBodiesPass(text: String) {
        #expect(refusal(body: text)?.description == nil)
    }

    /// Bodies of a function without parameters and results that are not, and the rule.
    @Test(arguments: [
        ("i32.const 1", "1 operands too many"), ("drop", "an operand is missing"),
        ("i32.const 1 i64.eqz drop", "expected i64, found i32"),
        ("unreachable i32.const 1 i64.add drop", "expected i64"),
        ("block i32 end drop", "an operand is missing"), ("block i32.const 1 end", "1 operands too many"),
        ("i32.const 1 block drop end", "an operand is missing"), ("i32.const 1 if i32 i32.const 1 end drop", "no else"),
        ("i64.const 1 if end", "expected i32, found i64"), ("else", "else outside if"),
        ("i32.const 0 if else else end", "else outside if"), ("br 1", "unknown label 1"),
        ("block i32 br 0 end drop", "an operand is missing"), ("i32.const 0 br_if 2", "unknown label 2"),
        ("i32.const 0 br_table 0,3", "unknown label 3"),
        ("block i32 i32.const 7 i32.const 0 br_table 0,1 end drop", "different numbers"),
        ("block i32 unreachable br_table 1,0 end drop", "different numbers"),
        ("i32.const 1 i64.const 1 i32.const 0 select drop", "select of i32 and i64"),
        ("ref.null ref.null i32.const 0 select drop", "numbers only"),
        ("call 2", "unknown function 2"), ("call 0 drop", "an operand is missing"),
        ("i32.const 0 call_indirect 9 0", "unknown type 9"), ("i32.const 0 call_indirect 0 1", "unknown table 1"),
        ("local.get 0 drop", "unknown local 0"), ("global.get 2 drop", "unknown global 2"),
        ("i64.const 0 global.set 1", "global 1 is immutable"), ("i64.const 0 global.set 0", "expected i32, found i64"),
        ("i32.const 0 table.get 1 drop", "unknown table 1"),
        ("i32.const 0 i32.const 0 table.set 0", "expected funcref"),
        ("data.drop 1", "unknown data segment 1"), ("elem.drop 1", "unknown element segment 1"),
        ("i32.const 0 i32.const 0 i32.const 0 memory.init 1 0", "unknown data segment 1"),
        ("i32.const 0 i32.const 0 i32.const 0 memory.fill 1", "unknown memory 1"),
        ("i32.const 0 i32.const 0 i32.const 0 memory.copy 0 1", "unknown memory 1"),
        ("i32.const 0 i32.const 0 i32.const 0 table.init 4 0", "unknown element segment 4"),
        ("ref.func 1 drop", "undeclared function reference 1"), ("ref.func 9 drop", "unknown function 9"),
        ("i32.const 0 ref.is_null drop", "i32 is no reference"),
        ("unreachable i64.const 0 ref.is_null drop", "no reference"),
        ("block br 0 i32.const 1 end", "1 operands too many"), ("end nop", "bytes after its contents"),
        ("loop i32 br 0 i64.const 1 end drop", "expected i32, found i64"),
    ])
    func invalidBodiesNameTheRule(text: String, rule: String) {
        let found = refusal(body: text)
        #expect(found?.rule.contains(rule) == true, "\(found?.description ?? "accepted")")
        #expect(found?.function == 1)
    }

    @Test func messagesNameFunctionOffsetAndRule() throws {
        let module = moduleUnderTest(Assembler.assemble("nop i64.const 1 i32.eqz drop"))
        let bytes = module.bytes
        let start = try #require(bytes.indices.first { Array(bytes[$0...].prefix(4)) == [0x01, 0x42, 0x01, 0x45] })
        #expect(
            refusal(bytes)?.diagnostic == "validate: function 1 at 0x\(String(start + 3, radix: 16)): "
                + "type mismatch: expected i32, found i64")
    }

    @Test func resultsAreChecked() {
        #expect(refusal(body: "i32.const 1", results: [Byte.i32]) == nil)
        #expect(refusal(body: "i32.const 1 return", results: [Byte.i32]) == nil)
        #expect(refusal(body: "i32.const 1 br 0", results: [Byte.i32]) == nil)
        #expect(refusal(body: "i64.const 1", results: [Byte.i32])?.rule == "type mismatch: expected i32, found i64")
        #expect(refusal(body: "return", results: [Byte.i32])?.rule == "type mismatch: an operand is missing")
    }

    @Test func localsFollowTheParameters() {
        let locals: [(count: Int, type: UInt8)] = [(0, Byte.f64), (2, Byte.i64), (1, Byte.f32)]
        func accepts(_ text: String) -> Bool {
            refusal(body: text, parameters: [Byte.i32, Byte.funcref], locals: locals) == nil
        }
        #expect(
            accepts("local.get 0 i32.eqz drop local.get 2 local.get 3 i64.add drop local.get 4 f32.abs local.set 4"))
        #expect(accepts("local.get 1 ref.is_null drop i64.const 1 local.tee 2 drop"))
        #expect(!accepts("local.get 5 drop"))
        #expect(!accepts("local.get 4 i64.eqz drop"))
    }

    @Test func typeIndicesAsBlockTypesAreMultiValue() {
        for type: UInt8 in [0, 1] {
            let found = refusal(moduleUnderTest([0x02, type, 0x00, 0x0B]).bytes)
            #expect(found?.rule == "block type is type index \(type), multi-value is not enabled")
        }
    }

    @Test func typedSelectPassesValidation() {
        #expect(refusal(moduleUnderTest([0xD0, 0x70, 0xD0, 0x70, 0x41, 0, 0x1C, 1, 0x70, 0x1A]).bytes) == nil)
        #expect(refusal(moduleUnderTest([0x41, 0, 0x41, 0, 0x41, 0, 0x1C, 1, 0x7E, 0x1A]).bytes) != nil)
    }

    /// Every load and store: the natural alignment passes, twice of it does not.
    @Test func alignmentIsAtMostNatural() {
        for opcode in Opcode.allCases {
            let row = opcode.row
            guard row.immediates == .memoryArgument, let types = row.types else { continue }
            let natural = UInt8(row.accessWidth.trailingZeroBitCount)
            for (alignment, isValid) in [(natural, true), (natural + 1, false), (31, false)] {
                let code =
                    types.operands.flatMap(constant) + [UInt8(opcode.rawValue), alignment, 0]
                    + types.results.map { _ in 0x1A }
                #expect((refusal(moduleUnderTest(code).bytes) == nil) == isValid, "\(opcode) 2^\(alignment)")
            }
        }
    }

    /// Every instruction with fixed types: right operands pass; with one of another type, or one missing, not.
    @Test func operandsOfEveryInstructionAreChecked() {
        var count = 0
        for opcode in Opcode.allCases {
            let row = opcode.row
            guard let types = row.types else { continue }
            count += 1
            let zeros: [UInt8] =
                switch row.immediates {
                case .none: []
                case .memoryArgument, .dataAndMemory, .elementAndTable, .twoTables, .twoMemories: [0, 0]
                case .f32: [0, 0, 0, 0]
                case .f64: [0, 0, 0, 0, 0, 0, 0, 0]
                default: [0]
                }
            let tail = opcode.encoded + zeros + types.results.map { _ in 0x1A }
            #expect(refusal(moduleUnderTest(types.operands.flatMap(constant) + tail).bytes) == nil, "\(opcode)")
            for index in types.operands.indices {
                for other in [ValueType.i32, .i64, .f32, .f64, .funcref] where other != types.operands[index] {
                    var operands = types.operands
                    operands[index] = other
                    #expect(refusal(moduleUnderTest(operands.flatMap(constant) + tail).bytes) != nil, "\(opcode)")
                }
            }
            if !types.operands.isEmpty {
                let missing = types.operands.dropFirst().flatMap(constant)
                #expect(refusal(moduleUnderTest(missing + tail).bytes) != nil, "\(opcode)")
                #expect(refusal(moduleUnderTest([0x00] + missing + tail).bytes) == nil, "\(opcode)")
            }
        }
        #expect(count == 174)
    }

    private func constant(_ type: ValueType) -> [UInt8] {
        switch type {
        case .i32: [0x41, 0]
        case .i64: [0x42, 0]
        case .f32: [0x43, 0, 0, 0, 0]
        case .f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0]
        case .funcref: [0xD0, 0x70]
        }
    }

    @Test func aMillionNestedBlocksAreValidated() {
        let depth = 1_000_000
        var code: [UInt8] = []
        for _ in 0..<depth { code += [0x02, 0x40] }
        code += [0x0C] + WasmBytes.unsigned(depth)
        code += [UInt8](repeating: 0x0B, count: depth)
        #expect(refusal(moduleUnderTest(code).bytes) == nil)
    }
}
