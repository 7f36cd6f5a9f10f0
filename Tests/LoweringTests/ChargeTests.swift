import Compiler
import Lowering
import TestSupport
import Testing
import WasmFormat

/// Charges that are taken in one piece leave, when gas runs out, what the first of them left that found too little.
struct ChargeTests {
    /// Up to four blocks in a row are decided by bits of the argument, and nobody can tell where each begins.
    private static let decided = """
        block block block block block
        local.get 0 i32.const 1 i32.and br_if 0
        local.get 0 i32.const 2 i32.and if return end
        local.get 0 i32.const 4 i32.and if return end
        local.get 0 i32.const 3 i32.mul local.set 0
        br 1
        end
        local.get 0 i32.const 8 i32.and br_if 2
        local.get 0 i32.const 5 i32.add local.set 0
        local.get 0 i32.const 16 i32.and if i32.const 9 local.set 0 else local.get 0 i32.eqz local.set 0 end
        br 0
        end
        local.get 0 i32.const 7 i32.xor local.set 0
        end end end
        local.get 0 i32.load local.set 0
        """

    @Test func everyAmountEndsAtTheSameChargeWithTheSameRest() throws {
        var sample = Sample(pages: (1, 1))
        sample.add("f", [.i32], [], Self.decided)
        let calls = (0..<32).map { GuestCall(export: "f", arguments: [$0]) }
        // One after the other with what is left: every sum falls short somewhere. Steps below the cheapest charge.
        let seen = try compare(sample.module.bytes, calls, gas: (0..<120).map { Int64($0) * 2_999 })
        #expect(seen.outcomes.count == 1 + calls.count)
    }
}
