import TestSupport
import Testing
import Validator
import WasmFormat

@testable import Metering

/// Plans that were made wrong on purpose.
@Suite struct PlanFaultTests {
    private let block = MeteringPlan.BlockCharge(position: 2, milligas: 7)
    private let linear = MeteringPlan.LinearCharge(position: 2, milligasPerUnit: 9)

    private func plan(
        _ blocks: [MeteringPlan.BlockCharge], _ linear: [MeteringPlan.LinearCharge] = []
    ) -> MeteringPlan.Function { .init(stackCost: 0, blocks: blocks, linear: linear) }

    /// Goes through four instructions, the third of which is `opcode`, and passes over some.
    private func walk(
        _ plan: MeteringPlan.Function, _ opcode: Opcode = .memoryGrow, operands: Int = 1, skipping: Range<Int>? = nil
    ) throws(PlanFault) -> [ChargeCursor.Due] {
        var cursor = ChargeCursor(plan, function: 3)
        var found: [ChargeCursor.Due] = []
        var position = 0
        while position < 4 {
            if let skipping, skipping.lowerBound == position {
                try cursor.skip(skipping)
                position = skipping.upperBound
                continue
            }
            found.append(
                try cursor.due(at: position, before: position == 2 ? opcode : .nop, operands: operands))
            position += 1
        }
        try cursor.finish(count: 4)
        return found
    }

    private func fault(_ rule: PlanFault.Rule, at position: Int) -> PlanFault {
        PlanFault(function: 3, position: position, rule: rule)
    }

    @Test func chargesComeAtTheirInstructions() throws {
        let none = ChargeCursor.Due()
        #expect(try walk(plan([block], [linear])) == [none, none, .init(block: 7, perUnit: 9), none])
    }

    @Test func chargesBehindTheBodyAreFaults() {
        #expect(throws: fault(.leftOver(milligas: 5), at: 4)) {
            try walk(plan([block, .init(position: 4, milligas: 5)]))
        }
        #expect(throws: fault(.leftOver(milligas: 6), at: 4)) {
            try walk(plan([], [.init(position: 9, milligasPerUnit: 6)]))
        }
    }

    @Test func chargesOutOfOrderAreFaults() {
        #expect(throws: fault(.misplaced, at: 3)) { try walk(plan([block, block])) }
        #expect(throws: fault(.misplaced, at: 3)) { try walk(plan([block, .init(position: 1, milligas: 1)])) }
        #expect(throws: fault(.misplaced, at: 3)) { try walk(plan([], [linear, linear])) }
        #expect(throws: fault(.leftOver(milligas: 5), at: 4)) {
            try walk(plan([.init(position: 3, milligas: 1), .init(position: 3, milligas: 5)]))
        }
    }

    @Test func chargesByOperandNeedAnInstructionWithUnitsAndAnOperand() {
        #expect(throws: fault(.withoutUnits(instruction: "i32.add"), at: 2)) { try walk(plan([], [linear]), .i32Add) }
        #expect(throws: fault(.withoutOperand(instruction: "memory.grow"), at: 2)) {
            try walk(plan([], [linear]), operands: 0)
        }
    }

    @Test func onlyChargesOfUnreachableCodeArePassedOver() throws {
        #expect(try walk(plan([block], [linear]), skipping: 1..<3).allSatisfy { $0 == ChargeCursor.Due() })
        #expect(throws: fault(.misplaced, at: 2)) { try walk(plan([block, block]), skipping: 1..<3) }
        #expect(throws: fault(.misplaced, at: 2)) { try walk(plan([], [linear, linear]), skipping: 1..<3) }
        #expect(throws: fault(.misplaced, at: 0)) {
            try walk(plan([block, .init(position: 0, milligas: 1)]), skipping: 1..<4)
        }
    }

    private func validated(_ text: String) throws -> ValidatedModule {
        try ValidatedModule.validate(Module.decode(oneFunction(text).bytes, profile: .fvm), profile: .fvm)
    }

    /// A body cut off before its last `end`, with the side table of the whole.
    @Test func gasThatIsGatheredForNoBlockIsAFault() throws {
        let module = try validated("i32.const 1 drop")
        var body = module.module.bodies[0]
        body.instructions.removeLast()
        var charges = BlockCharges(prices: .fvm, importedFunctions: 0)
        #expect(throws: ChargeError.fault(PlanFault(function: 5, position: 2, rule: .leftOver(milligas: 4_000)))) {
            try charges.charges(ofBody: body, module.sideTables[0], function: 5)
        }
    }

    /// The stack limiter refuses these before prices are looked at; whoever came here without it gets no free gas.
    @Test func anInstructionWithoutPriceIsRefused() throws {
        let module = try validated("ref.null drop")
        var charges = BlockCharges(prices: .fvm, importedFunctions: 0)
        do throws(ChargeError) {
            _ = try charges.charges(ofBody: module.module.bodies[0], module.sideTables[0], function: 0)
            Issue.record("an instruction without price was accepted")
        } catch {
            guard case .refused(let refusal) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(refusal.stage == .gas && refusal.rule == "ref.null has no price")
        }
    }
}
