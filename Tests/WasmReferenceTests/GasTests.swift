import Engine
import Testing
import WasmReference

/// Charges and heights (FVM instrumentation, sections 2 to 8).
struct GasTests {
    /// A trampoline without parameters, in milligas.
    private let entry: Int64 = 52_000

    @Test func callChargesTrampolineAndBlockBeforeTheyRun() throws {
        var module = ModuleBuilder()
        module.function("f", [], [ModuleBuilder.i32], ModuleBuilder.i32(1) + ModuleBuilder.i32(2) + [0x6A])
        let instance = try module.started()
        #expect(try instance.spent("f") == entry + 12_000)
    }

    @Test func counterOfExactlyZeroIsEnough() throws {
        var module = ModuleBuilder()
        module.function("f", [], [], ModuleBuilder.i32(1) + [0x1A])
        let instance = try module.started()
        instance.gasCounter = entry + 4_000
        #expect(try instance.call("f", []) == .returned([]))
        #expect(instance.gasCounter == 0)
    }

    @Test func exhaustionLeavesTheNegativeCounterAndRunsNothingOfTheBlock() throws {
        var module = ModuleBuilder()
        module.memories = [[0, 1]]
        module.function("f", [], [], ModuleBuilder.i32(0) + ModuleBuilder.i32(7) + [0x36, 2, 0])
        module.function("peek", [], [ModuleBuilder.i32], ModuleBuilder.i32(0) + [0x28, 2, 0])
        let instance = try module.started()
        instance.gasCounter = entry + 11_999
        guard case .trapped(.outOfGas, _) = try instance.call("f", []) else {
            Issue.record("no exhaustion")
            return
        }
        #expect(instance.gasCounter == -1)
        instance.gasCounter = Int64.max
        #expect(try instance.call("peek", []) == .returned([0]))
    }

    @Test func trapInsideABlockLeavesTheBlockCharged() throws {
        var module = ModuleBuilder()
        module.function("f", [], [], ModuleBuilder.i32(1) + [0x1A, 0x00] + ModuleBuilder.i32(2) + [0x1A])
        let instance = try module.started()
        #expect(try instance.spent("f") == entry + 8_000)
    }

    @Test func fillChargesItsOperandAsUnsignedBeforeItsBoundsAreChecked() throws {
        var module = ModuleBuilder()
        module.memories = [[0, 1]]
        let zero = ModuleBuilder.i32(0)
        module.function("f", [ModuleBuilder.i32], [], zero + zero + [0x20, 0, 0xFC, 11, 0])
        let instance = try module.started()
        #expect(try instance.spent("f", [0xFFFF_FFFF]) == entry + 4_000 + 16_000 + 400 * 0xFFFF_FFFF)
    }

    @Test func recursionOfCostFiveFitsFourHundredAndSevenTimes() throws {
        var module = ModuleBuilder()
        // Two groups of locals and three operands at the peak: 5 units. The entry takes 5 of 2048 as well.
        let code: [UInt8] =
            [0x20, 0, 0x04, 0x40, 0x20, 0] + ModuleBuilder.i32(1) + [0x6B, 0x10, 0] + [0x0B]
            + ModuleBuilder.i32(0) + [0x1A]
        module.function(
            "f", [ModuleBuilder.i32], [], locals: [(1, ModuleBuilder.i32)], code)
        let instance = try module.started()
        #expect(try instance.call("f", [407]) == .returned([]))
        guard case .trapped(.stackHeight, _) = try instance.call("f", [600]) else {
            Issue.record("no limit")
            return
        }
        // Heights are 0 again at the next entry.
        #expect(try instance.call("f", [407]) == .returned([]))
    }

    @Test func deepestRecursionIsTheLimitDividedByTheCost() throws {
        var module = ModuleBuilder()
        let code: [UInt8] =
            [0x20, 0, 0x45, 0x04, 0x40, 0x0F, 0x0B, 0x20, 0] + ModuleBuilder.i32(1) + [0x6B, 0x10, 0]
        // One group and a peak of 4 (two operands above the initial 2).
        module.function("f", [ModuleBuilder.i32], [], locals: [(9, ModuleBuilder.i64)], code)
        let instance = try module.started()
        // 409 activations of 5 units are 2045.
        #expect(try instance.call("f", [408]) == .returned([]))
        guard case .trapped(.stackHeight, _) = try instance.call("f", [409]) else {
            Issue.record("no limit")
            return
        }
    }

    @Test func hugeFramesEndInTheNativeStackTrap() throws {
        var module = ModuleBuilder()
        module.function("f", [], [], locals: [(40_000, ModuleBuilder.i64)], [0x10, 0])
        let instance = try module.started()
        guard case .trapped(.nativeStack, _) = try instance.call("f", []) else {
            Issue.record("no trap")
            return
        }
    }

    @Test func startFunctionIsChargedThroughItsTrampoline() throws {
        var module = ModuleBuilder()
        module.function("f", [], [], ModuleBuilder.i32(1) + [0x1A])
        module.start = 0
        let instance = try module.instance()
        #expect(try instance.instantiate() == .returned([]))
        #expect(Int64.max - instance.gasCounter == entry + 4_000)
    }
}
