import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// Functions that are lowered in place of calls of them behave as functions that are called.
struct InliningTests {
    /// Index 0: what memory holds at the sum of its arguments, also kept in global 0. Index 1: swaps through locals.
    private static func helpers(_ sample: inout Sample) {
        sample.module.globals = [[0x7F, 1, 0x41, 5, 0x0B]]
        sample.add(
            "load", [.i32, .i32], [.i32],
            "local.get 0 local.get 1 i32.add local.tee 0 global.set 0 local.get 0 i32.load")
        sample.add(
            "swap", [.i32, .i32], [.i32], locals: [(1, 0x7F)],
            "local.get 0 local.set 2 local.get 1 local.set 0 local.get 2 local.set 1 "
                + "local.get 0 local.get 1 local.get 1 i32.add i32.sub")
        sample.add("store", [.i32, .i64], [], "local.get 0 local.get 1 i64.store")
        sample.add("nothing", [], [], "")
    }

    private static func caller() -> [UInt8] {
        var sample = Sample(pages: (1, 2))
        helpers(&sample)
        // Calls in both arms of a choice, in a loop and behind them.
        sample.add(
            "caller", [.i32, .i32], [.i32], locals: [(1, 0x7F)],
            """
            local.get 0 i32.const 1 i32.and
            if local.get 0 i64.const 77 call 2 else call 3 end
            loop
              local.get 2 local.get 0 local.get 1 call 0 local.get 1 call 1 i32.add local.set 2
              local.get 1 i32.const 1 i32.sub local.tee 1 i32.const 0 i32.gt_s br_if 0
            end
            local.get 2 global.get 0 call 1
            """)
        return sample.module.bytes
    }

    @Test func resultsMemoryGlobalsAndGasAreThoseOfCalls() throws {
        let calls = [(0, 0), (0, 1), (1, 3), (8, 5), (65_524, 9), (65_531, 1), (65_532, 1), (65_536, 2), (.max, 1)]
            .map { (a: Int, b: Int) in
                GuestCall(
                    export: "caller",
                    arguments: [UInt64(UInt32(truncatingIfNeeded: a)), UInt64(UInt32(truncatingIfNeeded: b))])
            }
        let seen = try compare(Self.caller(), calls)
        #expect(seen.outcomes.contains(.trapped(2)), "an access outside, in an inlined function")
    }

    @Test func gasRunsOutAtTheSameChargeWithTheSameRest() throws {
        let calls = [GuestCall(export: "caller", arguments: [8, 3]), GuestCall(export: "caller", arguments: [9, 1])]
        // Every amount in steps of the cheapest instruction, up to what both calls take.
        try compare(Self.caller(), calls, gas: (0..<150).map { Int64($0) * 4_000 })
    }

    /// At each height at which the function calls a leaf, and the leaf itself does not fit.
    @Test func theHeightOfWhatIsInlinedIsCompared() throws {
        var sample = Sample(pages: (1, 1))
        Self.helpers(&sample)
        let own = UInt8(sample.module.functions.count)
        sample.add(
            "deep", [.i32], [.i32],
            code: Code.get(0) + [0x45, 0x04, 0x7F] + Code.constant(.i32, 3) + Code.constant(.i32, 4) + [0x10, 1]
                + [0x05] + Code.get(0) + Code.constant(.i32, 1) + [0x6B, 0x10, own] + Code.get(0) + [0x10, 1, 0x0B])
        let calls = (0..<700).map { GuestCall(export: "deep", arguments: [$0]) }
        let seen = try compare(sample.module.bytes, calls)
        #expect(seen.outcomes.contains(.trapped(10)))
        #expect(seen.outcomes.contains { if case .returned = $0 { true } else { false } })
    }

    @Test func whatIsShortAndStraightHasNoCall() throws {
        let module = try TestModule(Self.caller())
        let text = try Lowering.lower(
            module.module, plan: module.plan, options: LoweringOptions(), product: .ir
        ).bytes
        let caller = String(decoding: text, as: UTF8.self).split(separator: "\n")
            .drop { !($0.hasPrefix("define") && $0.contains("@f4(")) }.prefix { $0 != "}" }
        #expect(!caller.isEmpty)
        #expect(!caller.contains { $0.contains("call swiftcc") })
        // Where reserves are added up, each function adds its own.
        let unmetered = try TestModule(Self.caller(), metered: false)
        let calls = try Lowering.lower(
            unmetered.module, plan: nil, options: LoweringOptions(), product: .ir
        ).bytes
        #expect(String(decoding: calls, as: UTF8.self).contains("call swiftcc"))
    }
}
