import GasSchedule
import Metering
import Testing
import WasmFormat

@testable import WasmReference

/// Plans that were made wrong on purpose never become code.
struct TranslationFaultTests {
    private func analyzed() throws -> AnalyzedModule {
        var module = ModuleBuilder()
        module.memories = [[0, 1]]
        // Grows by the parameter, then by it again behind a return.
        module.function("f", [ModuleBuilder.i32], [], [0x20, 0, 0x40, 0, 0x1A, 0x0F, 0x20, 0, 0x40, 0, 0x1A])
        return try FrontEnd.analyze(module.bytes, profile: .suite, prices: .fvm)
    }

    private func fault(_ change: (inout MeteringPlan) -> Void) throws -> TranslationFault? {
        let analyzed = try analyzed()
        var plan = analyzed.plan
        change(&plan)
        do throws(TranslationFault) {
            _ = try FlatCode(analyzed.module, plan: plan)
            return nil
        } catch {
            return error
        }
    }

    private func fault(_ position: Int, _ rule: PlanFault.Rule) -> TranslationFault {
        .plan(PlanFault(function: 0, position: position, rule: rule))
    }

    @Test func theRightPlanIsTranslated() throws {
        #expect(try fault { _ in } == nil)
        #expect(try analyzed().plan.functions[0].linear.map(\.position) == [1, 5])
    }

    @Test func aChargeBehindTheBodyIsAFault() throws {
        #expect(
            try fault { $0.functions[0].blocks.append(.init(position: 8, milligas: 3)) }
                == fault(8, .leftOver(milligas: 3)))
        #expect(
            try fault { $0.functions[0].linear.append(.init(position: 80, milligasPerUnit: 3)) }
                == fault(8, .leftOver(milligas: 3)))
    }

    @Test func aChargeByOperandElsewhereIsAFault() throws {
        #expect(
            try fault { $0.functions[0].linear[0].position = 2 } == fault(2, .withoutUnits(instruction: "drop")))
    }

    @Test func twoChargesAtOnePlaceAreAFault() throws {
        #expect(try fault { $0.functions[0].blocks.insert($0.functions[0].blocks[0], at: 0) } == fault(1, .misplaced))
    }

    @Test func aPlanOfAnotherModuleIsAFault() throws {
        #expect(try fault { $0.functions.append($0.functions[0]) } == .functions(planned: 2, defined: 1))
        #expect(try fault { $0.functions = [] } == .functions(planned: 0, defined: 1))
    }
}
