import GasSchedule
import TestSupport
import Testing
import WasmFormat

@testable import Metering

private let i32: UInt8 = 0x7F

@Suite struct BlockChargesTests {
    private func plan(
        _ text: String, parameters: [UInt8] = [i32], prices: WasmPrices = .fvm
    ) throws -> MeteringPlan.Function {
        let plan = try analyze(oneFunction(text, parameters: parameters).bytes, prices: prices).plan
        return try #require(plan.functions.first)
    }

    /// Position and gas of every block.
    @Test(arguments: [
        ("block local.get 0 drop end i32.const 1 drop", "0:8"),
        // What follows the block is paid on entry.
        ("block local.get 0 br_if 0 i32.const 1 drop end i32.const 2 drop", "0:12 3:4"),
        // The inner end cuts, the outer does not.
        ("block block local.get 0 br_if 1 end i32.const 1 drop end i32.const 2 drop", "0:12 5:4"),
        (
            "local.get 0 if i32.const 1 drop else i32.const 2 drop i32.const 3 drop end i32.const 4 drop",
            "0:12 2:4 5:8"
        ),
        // `return` is free, so the arm has no charge, but it still separates.
        ("local.get 0 if return end i32.const 1 drop", "0:8 4:4"),
        ("i32.const 1 drop unreachable i32.const 2 drop", "0:8"),
        ("block br 0 i32.const 1 drop end i32.const 2 drop", "0:8 2:4"),
        ("nop block end return", ""),
        // Position 0 pays for what follows the loop.
        ("loop local.get 0 br_if 0 end i32.const 1 drop", "0:4 1:8"),
        // The default label of `br_table` is not looked at.
        ("block block local.get 0 br_table 0,1 end i32.const 1 drop end", "0:12"),
        ("block block local.get 0 br_table 1,0 end i32.const 1 drop end", "0:8 5:4"),
        ("block local.get 0 br_table 0 end i32.const 1 drop", "0:12"),
        // Branches to a loop are not looked at.
        ("loop block local.get 0 br_if 1 end i32.const 1 drop end", "1:12"),
        ("", ""),
    ])
    func blocksAreThoseOfTheReference(text: String, expected: String) throws {
        #expect(blocks(try plan(text)) == expected)
    }

    @Test func aCallOfADefinedFunctionCostsFiftyTwoGasOneOfAnImportFour() throws {
        var module = oneFunction("call 0 call 1")
        module.imports = [WasmModule.importedFunction("a", "b", type: 0)]
        #expect(blocks(try analyze(module.bytes).plan.functions[0]) == "0:56")
    }

    @Test func constantsBeforeLinearInstructionsArePricedInTheBlock() throws {
        let function = try plan("i32.const 0 i32.const 0 i32.const 10 memory.fill 0")
        #expect(function.blocks == [.init(position: 0, milligas: 16_000 + 10 * 400)])
        #expect(function.linear.isEmpty)
    }

    @Test func otherOperandsArePricedWhenTheInstructionRuns() throws {
        for text in ["local.get 0", "i32.const 7 nop", "block i32 i32.const 7 end"] {
            let function = try plan("i32.const 0 i32.const 0 \(text) memory.fill 0")
            #expect(function.linear.map(\.milligasPerUnit) == [400], "\(text)")
            #expect(function.blocks.map(\.milligas) == [16_000], "\(text)")
        }
    }

    @Test(arguments: [
        ("i32.const 1 memory.grow drop", 26_214_400), ("i32.const 0 i32.const 0 i32.const 1 memory.copy 0 0", 400),
        ("i32.const 0 i32.const 0 i32.const 1 memory.init 0 0", 400),
        ("i32.const 0 table.get 0 i32.const 1 table.grow 0 drop", 3_200),
        ("i32.const 0 i32.const 0 table.get 0 i32.const 1 table.fill 0", 3_200),
        ("i32.const 0 i32.const 0 i32.const 1 table.copy 0 0", 3_200),
        ("i32.const 0 i32.const 0 i32.const 1 table.init 0 0", 3_200),
    ])
    func linearInstructionsHaveTheirUnits(text: String, unit: UInt64) throws {
        var module = oneFunction(text)
        module.elements = [[1, 0, 0]]
        module.dataCount = 1
        module.data = [[1, 0]]
        let fixed = try analyze(module.bytes).plan.functions[0]
        // Every instruction but `drop` costs 4 gas here.
        let bases = UInt64(text.split(separator: " ").count { Int($0) == nil && $0 != "drop" })
        #expect(fixed.blocks.map(\.milligas) == [bases * 4_000 + unit])
        module.functions = [.init(text.replacing("i32.const 1 ", with: "i32.const 1 nop "))]
        let dynamic = try analyze(module.bytes).plan.functions[0]
        #expect(dynamic.linear.map(\.milligasPerUnit) == [unit])
        #expect(dynamic.blocks.map(\.milligas) == [bases * 4_000])
    }

    @Test func aNegativeConstantIsRefusedEvenInDeadCode() {
        let found = refusal(oneFunction("unreachable i32.const -1 memory.grow drop").bytes)
        #expect(found?.stage == .gas)
        #expect(found?.rule == "memory.grow after the negative constant -1")
    }

    @Test func theLargestConstantFits() throws {
        let function = try plan("i32.const 2147483647 memory.grow drop")
        #expect(function.blocks == [.init(position: 0, milligas: 8_000 + 2_147_483_647 * 26_214_400)])
    }

    @Test func blocksThatDoNotFitAnI64AreRefused() {
        let growth = Array(repeating: "i32.const 2147483647 memory.grow drop", count: 163).joined(separator: " ")
        #expect(refusal(oneFunction(growth).bytes) == nil)
        let more = growth + " i32.const 2147483647 memory.grow drop"
        #expect(refusal(oneFunction(more).bytes)?.rule == "a block costs more than 9223372036854775807 milligas")
    }

    @Test func chargeCostAndCalculationCostAreAddedToBlocks() throws {
        var prices = WasmPrices.fvm
        prices.gasCharge = 7
        prices.linearCalculation = 11
        let fixed = try plan("i32.const 1 memory.grow drop", prices: prices)
        #expect(fixed.blocks == [.init(position: 0, milligas: 8_000 + 26_214_400 + 7)])
        let dynamic = try plan("local.get 0 memory.grow drop", prices: prices)
        #expect(dynamic.blocks == [.init(position: 0, milligas: 8_000 + 7 + 11 + 7)])
        #expect(dynamic.linear == [.init(position: 1, milligasPerUnit: 26_214_400)])
        #expect(try plan("nop", prices: prices).blocks.isEmpty)
    }

    @Test func aUnitOfZeroMakesAnInstructionFixed() throws {
        var prices = WasmPrices.fvm
        prices.memoryFillPerByte = 0
        let function = try plan("local.get 0 memory.grow drop", prices: prices)
        #expect(function.linear.isEmpty)
        #expect(function.blocks.map(\.milligas) == [8_000])
    }

    @Test func aUnitThatIsNoPositiveI32IsRefused() {
        var prices = WasmPrices.fvm
        prices.memoryFillPerByte = 32_768
        #expect(throws: Refusal.self) { try plan("local.get 0 memory.grow drop", prices: prices) }
        prices.memoryFillPerByte = 32_767
        #expect(throws: Never.self) { try plan("local.get 0 memory.grow drop", prices: prices) }
    }

    /// Each parameter of the list stands in the price of the classes that ref-fvm composes it into.
    @Test func pricesAreComposedOfTheirParameters() {
        let prices = WasmPrices(
            instruction: 1, math: 2, jumpUnconditional: 4, jumpConditional: 8, jumpIndirect: 16, call: 32,
            memoryAccess: 64, memoryFillBase: 128, memoryCopyPerByte: 3, memoryFillPerByte: 5, gasCharge: 0,
            linearCalculation: 0)
        let expected: [(GasClass, InstructionPrice?)] = [
            (.free, .fixed(0)), (.instruction, .fixed(1)), (.math, .fixed(2)), (.jumpUnconditional, .fixed(4)),
            (.jumpConditional, .fixed(8)), (.branchTable, .fixed(80)), (.call, .fixed(36)),
            (.callIndirect, .fixed(112)), (.load, .fixed(65)), (.store, .fixed(129)),
            (.memoryGrow, .linear(base: 129, unit: 5 * 65_536)), (.memoryFill, .linear(base: 129, unit: 5)),
            (.memoryCopy, .linear(base: 65, unit: 3)), (.tableFill, .linear(base: 129, unit: 40)),
            (.tableCopy, .linear(base: 65, unit: 24)), (.refused, nil),
        ]
        #expect(expected.count == GasClass.allCases.count)
        for (gas, price) in expected { #expect(prices.price(of: gas) == price, "\(gas)") }
        #expect(prices.guardedCall == 8 * 1 + 3 * 2 + 8 + 36)
        #expect(WasmPrices.fvm.guardedCall == 52_000)
    }
}
