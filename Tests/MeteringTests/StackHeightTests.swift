import TestSupport
import Testing
import WasmFormat

@testable import Metering

private let i32: UInt8 = 0x7F
private let i64: UInt8 = 0x7E
private let f64: UInt8 = 0x7C

@Suite struct StackHeightTests {
    private func cost(
        _ text: String, parameters: [UInt8] = [], results: [UInt8] = [], locals: [(count: Int, type: UInt8)] = []
    ) throws -> UInt32? {
        let module = oneFunction(text, parameters: parameters, results: results, locals: locals)
        return try analyze(module.bytes).plan.functions.first?.stackCost
    }

    @Test func localsCountByRunAndParametersNotAtAll() throws {
        #expect(try cost("", parameters: [i64, i64, i64], locals: [(3, i32), (1, f64)]) == 4)
        #expect(try cost("", locals: [(40_000, i32)]) == 3)
        // An empty run counts, and so does one that repeats its neighbour's type.
        #expect(try cost("", locals: [(0, i32), (1, i32), (1, i32)]) == 5)
    }

    @Test func aFunctionCostsTwoAtLeast() throws {
        #expect(try cost("") == 2)
        #expect(try cost("unreachable") == 2)
    }

    @Test func theHeightAfterTheLastInstructionIsNeverLookedAt() throws {
        // The final `end` is looked at, so the constant counts; what `end` leaves does not.
        #expect(try cost("i32.const 1", results: [i32]) == 3)
    }

    @Test func theSecondArmStartsWhereTheFirstEnded() throws {
        #expect(
            try cost(
                "local.get 0 if i32 i32.const 1 else i32.const 2 i32.const 3 drop end", parameters: [i32],
                results: [i32]) == 5)
    }

    @Test func aSecondArmAfterDeadCodeAddsNothing() throws {
        #expect(
            try cost(
                "local.get 0 if unreachable else i32.const 1 i32.const 2 i32.const 3 drop drop drop end",
                parameters: [i32]) == 3)
    }

    @Test func aConstructInsideDeadCodeIsAlive() throws {
        #expect(try cost("unreachable block i32.const 1 i32.const 2 drop drop end") == 4)
    }

    @Test func theResultOfAnUnreachableEndCounts() throws {
        #expect(try cost("block i32 unreachable end drop") == 3)
    }

    @Test func branchTablesLeaveTheirSelector() throws {
        // After the table the selector still stands, dead, until the block ends.
        #expect(try cost("block i32.const 0 br_table 0 end i32.const 1 i32.const 2 drop drop") == 4)
    }

    @Test func operandsVanishAsAGroupInDeadCodeAtTheFloor() throws {
        #expect(try cost("block unreachable i32.add drop end") == 2)
        // Not at the floor it is subtracted as a whole, here to below the floor of the block.
        #expect(try cost("block i32.const 1 unreachable i32.add drop end i32.const 1 i32.const 1 drop drop") == 4)
    }

    /// A valid module of the core spec's test suite that the analysis refuses.
    @Test func deadCodeThatPopsMoreThanThereIsIsRefused() {
        var module = oneFunction("unreachable call_indirect 1 0")
        module.types.append(WasmBytes.functionType([i32, i32, i32], []))
        let found = refusal(module.bytes)
        #expect(found?.stage == .stackLimiter)
        #expect(found?.rule == "operand stack of 1 has not the 3 operands to pop")
        #expect(found?.function == 0)
    }

    @Test(arguments: [
        ("ref.null drop", "ref.null"), ("unreachable ref.is_null drop", "ref.is_null"), ("ref.func 0 drop", "ref.func"),
    ])
    func instructionsOnReferencesPassValidationAndAreRefusedHere(text: String, name: String) {
        var module = oneFunction(text)
        module.exports = [("f", 0, 0)]
        let found = refusal(module.bytes)
        #expect(found?.stage == .stackLimiter)
        #expect(found?.rule == name + " is not supported")
    }

    @Test func typedSelectIsRefusedHere() {
        var module = oneFunction("")
        module.functions[0].code = [0x41, 0, 0x41, 0, 0x41, 0, 0x1C, 1, 0x7F, 0x1A]
        #expect(refusal(module.bytes)?.diagnostic.hasPrefix("stack limiter: function 0 at 0x") == true)
    }
}
