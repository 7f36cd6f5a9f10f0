import CodeSettings
import Compiler
import Lowering
import Metering
import TestSupport
import Testing
import WasmFormat

/// Nothing evaluates or rewrites arithmetic of the guest between the lowering and the code generator.
struct TrustedBaseTests {
    /// LLVM 19's InstCombine lost the sign of the remainder here (llvm-project#121584).
    @Test func aRemainderByAProductOfAPhiKeepsTheSignOfTheDividend() throws {
        var sample = Sample()
        sample.add(
            "f", [.i32, .i32], [.i32], locals: [(1, 0x7F)],
            """
            local.get 0 i32.const 5 i32.eq
            if i32 i32.const -1
            else local.get 1 i32.const 9 i32.gt_s if i32 i32.const 0 else i32.const -1 end
            end
            local.set 2
            local.get 2 i32.const 31 i32.shl local.get 2 i32.const 3 i32.mul i32.rem_s
            """)
        let seen = try compare(
            sample.module.bytes,
            [[5, 0], [4, 3], [5, 100]].map { GuestCall(export: "f", arguments: $0) })
        #expect(seen.outcomes[1] == .returned([0xFFFF_FFFE]))
    }

    @Test func operationsOnConstantsAreInstructions() throws {
        var sample = Sample()
        sample.add("sum", [], [.i32], "i32.const 1 i32.const 2 i32.add")
        sample.add("less", [], [.i32], "i64.const 1 i64.const 2 i64.lt_s")
        sample.add("narrow", [], [.i32], "i64.const 4294967297 i32.wrap_i64")
        sample.add("negated", [], [.f64], "f64.const f64.neg")
        sample.add("chosen", [], [.i32], "i32.const 1 i32.const 2 i32.const 0 select")
        let module = try TestModule(sample.module.bytes)
        let bytes = try Lowering.lower(
            module.module, plan: module.plan, options: LoweringOptions(), product: .ir
        ).bytes
        let text = String(decoding: bytes, as: UTF8.self)
        for instruction in [
            "add i32 %", "icmp slt i64 %", "trunc i64 %", "fneg double %", "select i1 %",
        ] { #expect(text.contains(instruction), "\(instruction) in \(text)") }
        try compare(sample.module.bytes, sample.names.map { GuestCall(export: $0, arguments: []) })
    }

    @Test(arguments: [(ValueType.i32, UInt8(0x7F), "i32"), (.f32, 0x7D, "float")])
    func slotsOfNarrowLocalsAreAsAlignedAsTheirAccesses(_ type: ValueType, _ byte: UInt8, _ name: String) throws {
        var sample = Sample()
        // A local that is read often has a slot.
        let code = Code.get(0) + [0x21, 1] + (0..<500).flatMap { _ in Code.get(1) + [0x1A] } + Code.get(1)
        sample.add("narrow", [type], [type], locals: [(1, byte)], code: code)
        let module = try TestModule(sample.module.bytes)
        let bytes = try Lowering.lower(module.module, plan: module.plan, options: LoweringOptions(), product: .ir).bytes
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let slots = lines.filter { $0.contains("alloca \(name)") }
        #expect(!slots.isEmpty && slots.allSatisfy { $0.hasSuffix("align 8") })
        // What was passed in comes out again: slot and accesses agree, in every way of compiling.
        try compare(sample.module.bytes, [GuestCall(export: "narrow", arguments: [0x7FA0_0001])])
    }
}

/// A charge that is lost would not be noticed by anything that runs.
struct LostChargeTests {
    private func lower(_ tier: Tier, _ change: (inout MeteringPlan.Function) -> Void) throws -> LoweringOutput {
        var sample = Sample(pages: (1, 1))
        sample.add("f", [.i32], [], code: Code.get(0) + Code.get(0) + Code.get(0) + [0xFC, 0x0B, 0])
        let module = try TestModule(sample.module.bytes)
        var plan = try #require(module.plan)
        change(&plan.functions[0])
        return try Lowering.lower(module.module, plan: plan, options: LoweringOptions(tier: tier))
    }

    @Test(arguments: Tier.allCases)
    func aPlanIsLoweredWhole(_ tier: Tier) throws {
        #expect(try lower(tier) { _ in }.bytes.isEmpty == false)
    }

    @Test(arguments: Tier.allCases)
    func aBlockBehindTheEndIsAnError(_ tier: Tier) {
        #expect(throws: LoweringError.self) { try lower(tier) { $0.blocks.append(.init(position: 90, milligas: 1)) } }
    }

    @Test(arguments: Tier.allCases)
    func blocksOutOfOrderAreAnError(_ tier: Tier) {
        #expect(throws: LoweringError.self) {
            try lower(tier) { $0.blocks = [.init(position: 3, milligas: 1), .init(position: 0, milligas: 1)] }
        }
    }

    @Test(arguments: Tier.allCases)
    func aChargeByOperandBehindTheEndIsAnError(_ tier: Tier) {
        #expect(throws: LoweringError.self) {
            try lower(tier) { $0.linear.append(.init(position: 90, milligasPerUnit: 1)) }
        }
    }

    @Test(arguments: Tier.allCases)
    func aChargeByOperandWithoutAnOperandIsAnError(_ tier: Tier) {
        #expect(throws: LoweringError.self) {
            try lower(tier) { $0.linear.insert(.init(position: 0, milligasPerUnit: 1), at: 0) }
        }
    }
}
