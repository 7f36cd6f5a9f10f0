import CodeSettings
import Lowering
import TestSupport
import Testing
import WasmFormat

/// What optimised IR of small functions contains, in this order, and what it does not contain: the shapes on which
/// exactness and speed rest. `%` in an expectation stands for any value's name.
struct GoldenIRTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var name: String
        var parameters: [ValueType]
        var results: [ValueType]
        var code: [UInt8]
        var mode = Bounds.guardPages
        var contains: [String]
        var lacks: [String] = []

        var testDescription: String { name }
    }

    static let goldens: [Golden] = [
        Golden(
            name: "a pure function charges once, in a register", parameters: [.i32, .i32], results: [.i32],
            code: Assembler.assemble("local.get 0 local.get 1 i32.add"),
            contains: [
                "icmp ugt i64 %, 2048", "call void @trap10(ptr %, i64 %)",
                "@llvm.ssub.with.overflow.i64(i64 %, i64 12000)", "icmp slt i64 %, 0", "add i32 %, %",
                "ret { i32, i64, i64, i64 } %",
                "call void @trap11(ptr %, i64 %)",
            ],
            lacks: ["store volatile"]),
        Golden(
            name: "an unused load stays, behind the store of the counter", parameters: [.i32], results: [],
            code: Assembler.assemble("local.get 0 i32.load8_u drop"),
            contains: [
                "@llvm.ssub.with.overflow.i64(i64 %, i64 8000)", "store volatile i64 %",
                "load volatile i8, ptr %, align 1",
                "ret { i64, i64, i64, i64 } %",
            ]),
        Golden(
            name: "the counter is stored once for two accesses of one block", parameters: [.i32], results: [.i32],
            code: Assembler.assemble("local.get 0 i32.load local.get 0 i32.load16_u i32.add"),
            contains: [
                "@llvm.ssub.with.overflow.i64(i64 %, i64 20000)", "store volatile i64", "load volatile i32",
                "load volatile i16",
                "ret { i32, i64, i64, i64 }",
            ]),
        Golden(
            name: "explicit checks compare the end of the access in 64 bits", parameters: [.i32], results: [.i64],
            code: Code.get(0) + Code.access(.i64Load32S, offset: 16), mode: .checks,
            contains: [
                "@llvm.ssub.with.overflow.i64(i64 %, i64 8000)", "i64 %, 20", "icmp ugt i64 %", "load i32, ptr %",
                "sext i32",
            ],
            lacks: ["load volatile"]),
        Golden(
            name: "division traps on zero and on overflow, and only then divides", parameters: [.i32, .i32],
            results: [.i32], code: Assembler.assemble("local.get 0 local.get 1 i32.div_s"),
            contains: [
                "icmp eq i32 %, 0", "@trap7(", "icmp eq i32 %, -2147483648", "icmp eq i32 %, -1", "@trap8(", "sdiv i32",
            ]),
        Golden(
            name: "shifts take the amount modulo the width", parameters: [.i64, .i64], results: [.i64],
            code: Assembler.assemble("local.get 0 local.get 1 i64.shl"), contains: ["and i64 %, 63", "shl i64 %, %"]),
        Golden(
            name: "a NaN of arithmetic becomes the canonical one", parameters: [.f32, .f32], results: [.f32],
            code: Assembler.assemble("local.get 0 local.get 1 f32.add"),
            contains: ["fadd float", "fcmp uno float", "0x7FF8000000000000"]),
        Golden(
            name: "neg changes the sign of a NaN and nothing else", parameters: [.f64], results: [.f64],
            code: Assembler.assemble("local.get 0 f64.neg"), contains: ["ret { double, i64, i64, i64, i64 }"],
            lacks: ["fcmp"]),
        Golden(
            name: "a loop charges each round", parameters: [.i32], results: [],
            code: Assembler.assemble("loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end"),
            contains: ["phi i64", "@llvm.ssub.with.overflow.i64(i64 %, i64 20000)", "icmp slt i64 %, 0"]),
        Golden(
            name: "a length known only at run time is charged as unsigned", parameters: [.i32, .i32, .i32], results: [],
            code: Code.get(0) + Code.get(1) + Code.get(2) + [0xFC, 0x0B, 0],
            contains: [
                "@llvm.ssub.with.overflow.i64(i64 %, i64 16000)", "zext i32 % to i64", "mul i64 %, 400",
                "icmp slt i64 %, 0", "store volatile i64",
            ]),
        Golden(
            name: "trapping conversion compares before it converts", parameters: [.f64], results: [.i32],
            code: Assembler.assemble("local.get 0 i32.trunc_f64_u"),
            contains: ["fcmp uno double", "@trap9(", "fcmp o", "@trap8(", "fptoui double"]),
    ]

    @Test(arguments: goldens) func loweredIRHasItsShape(_ golden: Golden) throws {
        var sample = Sample(pages: (1, 2))
        sample.add("golden", golden.parameters, golden.results, code: golden.code)
        let module = try TestModule(sample.module.bytes)
        let options = LoweringOptions(bounds: golden.mode)
        let bytes = try Lowering.lower(module.module, plan: module.plan, options: options, product: .ir).bytes
        let text = String(decoding: bytes, as: UTF8.self)
        let body = text.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("define internal swiftcc") }.prefix { $0 != "}" }.map(Self.anonymous)
        try #require(body.count > 3, "\(text.prefix(500))")
        var rest = body[...]
        for expected in golden.contains {
            guard let index = rest.firstIndex(where: { $0.contains(expected) }) else {
                Issue.record("\(expected) is missing in:\n\(body.joined(separator: "\n"))")
                return
            }
            rest = rest[(index + 1)...]
        }
        for word in golden.lacks { #expect(!body.contains { $0.contains(word) }, "\(word)") }
    }

    /// The line with `%` for each `%name`.
    private static func anonymous(_ line: Substring) -> String {
        var text = ""
        var isName = false
        for character in line {
            if isName, character.isNumber || character.isLetter || character == "." || character == "_" { continue }
            isName = character == "%"
            text.append(character)
        }
        return text
    }
}
