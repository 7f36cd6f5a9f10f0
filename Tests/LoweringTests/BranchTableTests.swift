import Lowering
import TestSupport
import Testing
import WasmFormat

/// `br_table` at the limit of validation.
struct BranchTableTests {
    /// Three blocks; targets by position modulo three, the default leads to the outermost.
    private static func module(targets: Int) -> [UInt8] {
        var sample = Sample()
        let labels = (0..<targets).map { UInt8($0 % 3) }
        let table = Opcode.brTable.encoded + WasmBytes.unsigned(targets) + labels + [2]
        let blocks: [UInt8] = [0x02, 0x40, 0x02, 0x40, 0x02, 0x40] + Code.get(0) + table + [0x0B]
        sample.add(
            "table", [.i32], [.i32],
            code: blocks + [0x41, 10, 0x0F, 0x0B, 0x41, 20, 0x0F, 0x0B, 0x41, 30])
        return sample.module.bytes
    }

    /// The four ways, and optimised code for functions whose estimates would send them to the other tier.
    private static let ways: [LoweringOptions] =
        everyWay + [
            LoweringOptions(
                budget: Budget(
                    phis: .max, edges: .max, joinsPerHundred: 1_000_000, free: .max >> 32, loopLocals: .max,
                    longestBlock: .max))
        ]

    @Test(arguments: ways) func theLargestTableReachesAllItsTargets(_ way: LoweringOptions) throws {
        let last = 131_071
        let selectors: [UInt64] = [0, 1, 2, 3, 65_535, 65_536, UInt64(last) - 1, UInt64(last)]
        let outside: [UInt64] = [UInt64(last) + 1, UInt64(last) + 2, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
        let calls = (selectors + outside).map { GuestCall(export: "table", arguments: [$0]) }
        try compare(Self.module(targets: last + 1), calls, gas: [1 << 40, 55_000], ways: [way], "br_table")
        let module = try TestModule(Self.module(targets: last + 1))
        let outcomes = try module.interpret(calls, gas: 1 << 40).outcomes.dropFirst()
        let expected = selectors.map { 10 * ($0 % 3 + 1) } + outside.map { _ in 30 }
        #expect(Array(outcomes) == expected.map { .returned([$0]) })
    }

    @Test func oneTargetMoreIsRefused() throws {
        do {
            _ = try TestModule(Self.module(targets: 131_073))
            Issue.record("accepted")
        } catch let refusal as Refusal {
            #expect(refusal.description.contains("br_table") && refusal.description.contains("131072"), "\(refusal)")
        }
    }
}
