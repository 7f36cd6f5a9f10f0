import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// What the emitted IR and objects are like.
struct EmittedCodeTests {
    /// A module with every numeric operator, every access, calls, tables, globals and control of all kinds.
    static func everything() -> [UInt8] {
        var sample = Sample(pages: (1, 4))
        sample.importFunction("log", [.i32, .i64, .f32, .f64], [.i64])
        for (opcode, operands, result) in OperatorTests.operators {
            sample.add(
                opcode.name, operands, [result], code: operands.indices.flatMap(Code.get) + opcode.encoded)
        }
        for opcode in MemoryTests.accesses {
            guard let types = opcode.row.types else { continue }
            let code = types.operands.indices.flatMap(Code.get) + Code.access(opcode, offset: 4_000_000_000)
            sample.add(opcode.name, types.operands, types.results, code: code)
        }
        let first = 0x70
        sample.module.tables = [[UInt8(first), 0] + WasmBytes.unsigned(3)]
        sample.module.globals = [[0x7E, 1, 0x42, 5, 0x0B]]
        sample.add(
            "control", [.i32, .i64], [.i64],
            """
            block i64 block block block local.get 0 br_table 0,1,2,1 end nop end nop end
            local.get 1 local.get 0 br_if 0 drop
            loop global.get 0 i64.const 1 i64.add global.set 0 local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end
            local.get 0 i64.extend_i32_u local.get 1 i64.div_s end
            drop i32.const 3 i64.const 4 f32.const f64.const call 0
            """)
        sample.add("indirect", [.i32], [.i32], "local.get 0 local.get 0 call_indirect \(sample.type([.i32], [.i32])) 0")
        sample.module.elements = [
            [0, 0x41, 0, 0x0B] + WasmBytes.vector([WasmBytes.unsigned(sample.module.functions.count), [0x05]])
        ]
        return sample.module.bytes
    }

    static let ways = everyWay.flatMap { way in
        [
            way,
            {
                var other = way
                other.cpu = .v3
                return other
            }(),
        ]
    }

    /// The line without what the calling convention leaves open: arguments of a call and fields of a result that nobody
    /// reads. Nothing is computed from them.
    private static func withoutFillers(_ line: Substring) -> Substring {
        if line.contains("call swiftcc") { return line.replacing("i64 poison", with: "") }
        if line.contains(" = insertvalue { ") { return line.replacing("} poison,", with: "},") }
        return line
    }

    @Test(arguments: ways.filter { $0.tier == .optimised })
    func emittedIRHasNothingThatCouldBeUndefined(_ way: LoweringOptions) throws {
        let module = try TestModule(Self.everything())
        let text = try Lowering.lower(module.module, plan: module.plan, options: way, product: .ir).bytes
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            // Intrinsics come with LLVM's own attributes; functions defined here have "no-builtins".
            if line.hasPrefix("declare") || line.hasPrefix(";") { continue }
            if line.hasPrefix("attributes"), !line.contains("no-builtins") { continue }
            let words = Set(Self.withoutFillers(line).split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") })
            for word in [
                "nsw", "nuw", "exact", "inbounds", "undef", "fast", "nnan", "ninf", "nsz", "arcp", "contract",
                "reassoc", "mustprogress", "willreturn", "poison", "noalias",
            ] {
                #expect(!words.contains(Substring(word)), "\(word) in: \(line)")
            }
            if let shift = ["shl", "lshr", "ashr"].first(where: { words.contains(Substring($0)) }),
                line.contains(" = \(shift) ")
            {
                // The amount is a masked value or the constant that turns bytes into pages.
                let amount = line.split(separator: ",").dropFirst().first.map { $0.drop { $0 == " " } } ?? ""
                #expect(Self.isMasked(amount, in: text) || amount.first?.isNumber == true, "\(line)")
            }
        }
    }

    /// Whether the value is the result of an `and`.
    private static func isMasked(_ value: Substring, in text: [UInt8]) -> Bool {
        let name = value.split(separator: " ").first ?? value
        return String(decoding: text, as: UTF8.self).contains("  \(name) = and i")
    }

    @Test(arguments: ways)
    func objectsAreCompleteAndUseNoForbiddenInstruction(_ way: LoweringOptions) throws {
        let module = try TestModule(Self.everything())
        let object = try Lowering.lower(module.module, plan: module.plan, options: way).bytes
        let linked = try Linker.find().link(object)
        #expect(!linked.isEmpty)
        let folder = TemporaryFolder()
        #expect(writeFile(object, folder.path + "/code.o"))
        #expect(shell("objdump -d --no-show-raw-insn '\(folder.path)/code.o' | cut -f 2- > '\(folder.path)/code.s'"))
        let text = try #require(fileBytes(folder.path + "/code.s"))
        #expect(text.count > 1_000)
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let name = line.split(whereSeparator: \.isWhitespace).first ?? ""
            let isForbidden =
                [
                    "vfmadd", "vfmsub", "vfnmadd", "vfnmsub", "rsqrt", "vrsqrt", "rcpss", "rcpps", "vrcp", "fld", "fst",
                    "fadd", "fmul",
                ].contains { name.hasPrefix($0) }
            #expect(!isForbidden, "\(line)")
            #expect(name != "(bad)", "\(line)")
        }
    }

    @Test(arguments: everyWay)
    func equalInputGivesEqualObjects(_ way: LoweringOptions) throws {
        let module = try TestModule(Self.everything())
        let first = try Lowering.lower(module.module, plan: module.plan, options: way).bytes
        let second = try Lowering.lower(module.module, plan: module.plan, options: way).bytes
        #expect(first == second)
    }

    @Test func aFunctionAboveTheBudgetTakesItsModuleToTheBaselineTierAndAgrees() throws {
        var sample = Sample()
        // 60 nested loops that assign 60 locals each.
        var code: [UInt8] = []
        for depth in 0..<60 {
            code += [0x03, 0x40]
            for local in 1..<61 {
                code += Code.get(local) + Code.constant(.i32, UInt64(depth)) + [0x6A, 0x21] + [UInt8(local)]
            }
        }
        code += [UInt8](repeating: 0x0B, count: 60) + Code.get(60)
        sample.add("loops", [.i32], [.i32], locals: [(60, 0x7F)], code: code)
        sample.add("small", [.i32], [.i32], "local.get 0")
        var options = LoweringOptions()
        options.budget = Budget(
            phis: 1_000, edges: 1_000, joinsPerHundred: 100, free: 0, loopLocals: 50, longestBlock: 1_000)
        let module = try TestModule(sample.module.bytes)
        let output = try Lowering.lower(module.module, plan: module.plan, options: options)
        #expect(output.tier == .baseline)
        try compare(
            sample.module.bytes,
            [GuestCall(export: "loops", arguments: [3]), GuestCall(export: "small", arguments: [9])],
            ways: [options])
    }
}
