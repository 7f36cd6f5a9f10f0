import TestSupport
import Testing

@testable import WasmFormat

private func decode(_ bytes: [UInt8]) throws(Refusal) -> Module { try Module.decode(bytes, profile: .fvm) }

private func refusal(_ bytes: [UInt8]) -> Refusal? {
    do throws(Refusal) {
        _ = try decode(bytes)
        return nil
    } catch {
        return error
    }
}

private func function(_ code: [UInt8]) -> [UInt8] {
    var module = WasmModule()
    module.functions = [.init(code: code)]
    return module.bytes
}

/// A module with every section.
let everySection: WasmModule = {
    var module = WasmModule()
    module.types = [
        WasmBytes.functionType([], []), WasmBytes.functionType([0x7F, 0x7E, 0x7D, 0x7C, 0x70], [0x7F]),
    ]
    module.imports = [
        WasmModule.importedFunction("env", "f", type: 0),
        WasmModule.importedGlobal("env", "g", type: 0x7F, mutable: false),
    ]
    module.functions = [
        .init(
            locals: [(3, 0x7F), (0, 0x7E), (2, 0x7C)],
            "block loop i32.const 1 br_table 0,1,0,1 end end i32.const 0 i32.load drop i64.const -5 drop "
                + "f32.const drop f64.const drop i32.const 0 i32.const 0 i32.const 1 memory.init 1 0 data.drop 1"),
        .init(type: 1, "i32.const 0 call_indirect 0 0 i32.const 7"),
    ]
    module.tables = [[0x70, 0x01, 2, 9]]
    module.memories = [[0x01, 1, 4]]
    module.globals = [[0x7E, 1, 0x42, 0x7F, 0x0B]]
    module.exports = [("memory", 2, 0), ("invoke", 0, 2), ("t", 1, 0), ("g", 3, 1)]
    module.start = 1
    module.elements = [[0, 0x41, 0, 0x0B, 2, 1, 2], [1, 0, 1, 0], [7, 0x70, 1, 0xD0, 0x70, 0x0B]]
    module.dataCount = 2
    module.data = [[0, 0x41, 1, 0x0B, 2, 0x68, 0x69], [1, 1, 0x21]]
    let names = WasmBytes.vector([WasmBytes.unsigned(1) + WasmBytes.name("first")])
    module.trailing = [WasmBytes.section(0, WasmBytes.name("name") + [1] + WasmBytes.sized(names))]
    return module
}()

@Suite struct DecoderTests {
    @Test func everySectionComesOutAsItStood() throws {
        let module = try decode(everySection.bytes)
        #expect(module.types.map(\.parameters.count) == [0, 5])
        #expect(module.imports.map(\.name) == [Name("f"), Name("g")])
        #expect(module.functions == [0, 1])
        #expect(module.tables == [TableType(element: .funcref, limits: SizeLimits(minimum: 2, maximum: 9))])
        #expect(module.memories == [SizeLimits(minimum: 1, maximum: 4)])
        #expect(module.globals.first?.initializer.instructions.first?.bits == .max)
        #expect(module.exports.map(\.kind) == [.memory, .function, .table, .global])
        #expect(module.start == 1)
        #expect(module.elements.map(\.mode)[1...] == [.passive, .declarative])
        #expect(module.dataCount == 2)
        #expect(module.data.map(\.bytes) == [[0x68, 0x69], [0x21]])
        #expect(module.functionNames == [1: "first"])
        // Runs of locals are kept, the empty one too.
        #expect(module.bodies[0].localGroups.map(\.count) == [3, 0, 2])
        #expect(module.bodies[0].branchTables == [[0, 1, 0, 1]])
        #expect(module.bodies[0].instructions.last?.opcode == .end)
        #expect(module.importedFunctionCount == 1)
        #expect(module.functionType(2)?.results == [.i32])
        #expect(module.functionType(3) == nil)
    }

    @Test func offsetsPointAtTheOpcode() throws {
        let bytes = everySection.bytes
        for body in try decode(bytes).bodies {
            for instruction in body.instructions where instruction.opcode.rawValue < 0x100 {
                #expect(UInt16(bytes[Int(instruction.offset)]) == instruction.opcode.rawValue)
            }
        }
    }

    @Test func everyPrefixIsRefusedExceptThoseThatEndWithASection() {
        let bytes = everySection.bytes
        let accepted = bytes.indices.filter { refusal(Array(bytes[..<$0])) == nil }
        // After the header, and after every section until the first function is declared; once bodies and data
        // are complete, before the name section.
        #expect(accepted.count == 4)
        #expect(accepted.first == 8)
    }

    @Test func everySingleByteChangeEndsInAVerdict() {
        var bytes = everySection.bytes
        var accepted = 0
        var total = 0
        for index in bytes.indices {
            let original = bytes[index]
            for value in UInt8.min...UInt8.max where value != original {
                bytes[index] = value
                total += 1
                if let refusal = refusal(bytes) {
                    #expect(!refusal.rule.isEmpty)
                } else {
                    accepted += 1
                }
            }
            bytes[index] = original
        }
        #expect(total == 255 * bytes.count)
        #expect(accepted > 0 && accepted < total / 2)
    }

    @Test func aMillionNestedBlocksTakeNoStack() throws {
        let depth = 1_000_000
        let code =
            [UInt8](repeating: 0x02, count: depth).flatMap { [$0, 0x40] } + [UInt8](repeating: 0x0B, count: depth)
        #expect(try decode(function(code)).bodies[0].instructions.count == 2 * depth + 1)
        #expect(refusal(function(Array(code.dropLast())))?.stage == .decode)
    }

    @Test func lengthsAreNotTrusted() {
        // Four thousand million types in ten bytes.
        let bytes = WasmBytes.module([[1, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]])
        #expect(refusal(bytes)?.rule == "4294967295 types, only 0 bytes remain")
    }

    @Test func sectionsStandInOrderOnce() {
        let type = WasmBytes.section(1, [0])
        let memory = WasmBytes.section(5, [0])
        #expect(refusal(WasmBytes.module([type, memory])) == nil)
        #expect(refusal(WasmBytes.module([memory, type]))?.rule == "section 1 is repeated or out of order")
        #expect(refusal(WasmBytes.module([type, type]))?.rule == "section 1 is repeated or out of order")
        #expect(refusal(WasmBytes.module([WasmBytes.section(14, [])]))?.rule == "unknown section 14")
    }

    @Test func customSectionsMayStandAnywhereButNeedAName() {
        let custom = WasmBytes.section(0, WasmBytes.name("x") + [1, 2, 3])
        #expect(refusal(WasmBytes.module([custom, WasmBytes.section(1, [0]), custom])) == nil)
        #expect(refusal(WasmBytes.module([WasmBytes.section(0, [])]))?.stage == .decode)
        #expect(refusal(WasmBytes.module([WasmBytes.section(0, [1, 0xFF])]))?.rule == "malformed UTF-8 encoding")
    }

    @Test func nonsenseInsideANameSectionIsTolerated() throws {
        for nonsense: [UInt8] in [[1], [1, 0xFF, 0xFF], [1, 3, 9, 9, 9], [7, 0], [1, 4, 1, 0, 1, 0xFF]] {
            let section = WasmBytes.section(0, WasmBytes.name("name") + nonsense)
            #expect(try decode(WasmBytes.module([section])).functionNames.isEmpty)
        }
    }

    @Test func dataCountHasToMatchAndToBeThere() {
        var module = everySection
        module.dataCount = 3
        #expect(refusal(module.bytes)?.rule == "data count is 3, the data section has 2 segments")
        module.dataCount = nil
        #expect(refusal(module.bytes)?.rule == "data count section required")
        #expect(refusal(module.bytes)?.function == 1)
    }

    @Test func aBodyEndsWithItsEndAndNowhereElse() {
        #expect(refusal(function([0x0B]))?.rule == "function body has 1 bytes after its contents")
        #expect(refusal(function([0x02, 0x40]))?.rule == "unexpected end")
        #expect(refusal(function([0x0B]))?.description.hasPrefix("function 0 at 0x") == true)
    }

    @Test func branchTablesHaveALimit() throws {
        func table(_ count: Int) -> [UInt8] {
            function([0x41, 0, 0x0E] + WasmBytes.unsigned(count) + [UInt8](repeating: 0, count: count + 1))
        }
        #expect(try decode(table(131_072)).bodies[0].branchTables[0].count == 131_073)
        let found = refusal(table(131_073))
        #expect(found?.stage == .validate)
        #expect(found?.rule == "br_table has 131073 targets, limit 131072")
        #expect(refusal(function([0x41, 0, 0x0E, 0xFF, 0xFF, 0x03]))?.rule == "unexpected end")
    }

    @Test func localsAreCountedInSixtyFourBits() {
        var module = WasmModule()
        module.functions = [.init(locals: [(0xFFFF_FFFF, 0x7F), (1, 0x7F)], code: [])]
        #expect(refusal(module.bytes)?.rule == "too many locals: 4294967296")
    }

    @Test func memorySizeAndGrowNeedOneZeroByte() {
        #expect(refusal(function([0x3F, 0x00, 0x1A])) == nil)
        #expect(refusal(function([0x3F, 0x80, 0x00, 0x1A]))?.rule == "zero byte expected after memory.size")
        #expect(refusal(function([0x41, 0, 0x40, 0x01, 0x1A]))?.rule == "zero byte expected after memory.grow")
    }

    /// Features that are off are a matter of validation; codes that do not exist make a binary malformed.
    @Test(
        arguments: [
            ([0x06, 0x40], RefusalStage.validate, "exceptions"), ([0x12, 0], .validate, "tail calls"),
            ([0xFD, 0], .validate, "SIMD"), ([0xFE, 0], .validate, "threads"),
            ([0xFB, 0], .validate, "garbage collection"),
            ([0xFC, 0x13], .validate, "wide arithmetic"), ([0xD0, 0x6F], .validate, "externref"),
            ([0x27], .decode, "illegal opcode 0x27"), ([0xFF], .decode, "illegal opcode 0xff"),
            ([0xFC, 0x40], .decode, "illegal opcode 0xfc 64"), ([0x02, 0x7B], .validate, "SIMD"),
            ([0x1C, 2, 0x7F, 0x7F], .validate, "select has 2 types"),
        ] as [([UInt8], RefusalStage, String)])
    func refusedCodesNameTheirFeature(code: [UInt8], stage: RefusalStage, text: String) {
        let found = refusal(function(code))
        #expect(found?.stage == stage)
        #expect(found?.rule.contains(text) == true, "\(found?.rule ?? "accepted")")
        #expect(found?.function == 0)
    }

    @Test func limitsFlagsOfOtherProposalsAreRefused() {
        for (flags, stage, text) in [
            (UInt8(2), RefusalStage.validate, "threads"), (4, .validate, "memory64"), (8, .validate, "custom page"),
            (16, .decode, "malformed"),
        ] {
            let found = refusal(WasmBytes.module([WasmBytes.section(5, [1, flags, 1, 1])]))
            #expect(found?.stage == stage)
            #expect(found?.rule.contains(text) == true)
        }
    }

    @Test func constantExpressionsHoldConstantsOnly() {
        var module = WasmModule()
        module.globals = [[0x7F, 0] + Assembler.assemble("i32.const 1 i32.const 2 i32.add") + [0x0B]]
        #expect(refusal(module.bytes)?.rule == "constant expression required, found i32.add")
    }

    @Test func blockTypesKeepIndicesApartFromValues() throws {
        let module = try decode(function([0x02, 0x40, 0x0B, 0x02, 0x7F, 0x0B, 0x02, 0x05, 0x0B]))
        let types = module.bodies[0].instructions.filter { $0.opcode == .block }.map(\.blockType)
        #expect(types == [.empty, .value(.i32), .type(5)])
    }

    @Test func descriptionsNamePlaceAndRule() {
        let refusal = Refusal(
            stage: .validate, function: 12, offset: 0x4F1, rule: "br_table has 140000 targets, limit 131072")
        #expect(refusal.description == "function 12 at 0x4f1: br_table has 140000 targets, limit 131072")
        #expect(refusal.diagnostic == "validate: " + refusal.description)
        #expect(Refusal(stage: .decode, rule: "x").description == "x")
    }
}
