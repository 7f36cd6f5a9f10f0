import Bundle
import CodeSettings
import GasSchedule
import Metering
import TestSupport
import Testing
import Validator
import WasmFormat

@testable import Lowering

struct BudgetTests {
    @Test func noFunctionOfTheBuiltInActorsFallsBelowTheOptimisingTier() throws {
        for version in ["v10", "v11", "v12", "v14", "v16", "v18"] {
            guard let path = sharedData("bundles/builtin-actors-mainnet-\(version).car.zst") else { continue }
            let bundle = try ActorBundle.open(path: path)
            #expect(bundle.codes.count >= 16)
            for actor in bundle.codes {
                let module = try Module.decode(try #require(bundle.code(actor.cid)), profile: .fvm)
                let validated = try ValidatedModule.validate(module, profile: .fvm)
                let plan = try MeteringPlan.make(validated, prices: .fvm, profile: .fvm)
                let work = try ModuleWork(validated, plan: plan, options: LoweringOptions())
                #expect(work.tier == .optimised, "\(version) \(actor.name)")
            }
        }
    }

    /// The estimate counts a local once for every construct that assigns it, however often it does.
    @Test func aLocalCountsOnceForEachConstructAroundItsAssignments() throws {
        let estimate = try work(
            """
            i32.const 0 local.set 0
            loop i32.const 1 local.set 0 i32.const 2 local.set 1
            block i32.const 3 local.set 0 i32.const 3 local.set 0 end
            i32.const 4 local.set 1
            end
            block i32.const 5 local.set 1 end
            """
        ).estimate
        // The loop two, the block in it one, the block behind it one.
        #expect(estimate.phis == 4)
        #expect(estimate.loopLocals == 2)
        #expect(estimate.loopDepth == 1)
    }

    /// An import is a thunk and constants, an export two entries: each costs as much as a small function.
    @Test(arguments: [(200, 0, Tier.optimised), (2_000, 0, .baseline), (0, 100, .optimised), (0, 300, .baseline)])
    func whatStandsAroundTheFunctionsCountsForTheTier(imports: Int, exports: Int, tier: Tier) throws {
        var sample = Sample(pages: (1, 1))
        for index in 0..<imports { sample.importFunction("h\(index)", [], []) }
        for index in 0..<max(1, exports) { sample.add("f\(index)", [], [], "nop") }
        let module = try Module.decode(sample.module.bytes, profile: .fvm)
        let validated = try ValidatedModule.validate(module, profile: .fvm)
        #expect(try ModuleWork(validated, plan: nil, options: LoweringOptions()).tier == tier)
    }

    /// What cannot be reached is not lowered, so it counts nowhere.
    @Test func unreachableCodeCountsNowhere() throws {
        let text = "block loop br 1 %s end end"
        let empty = try work(text.replacing("%s", with: "")).estimate
        let full = try work(
            text.replacing("%s", with: "i32.const 1 local.set 0 loop loop end end f32.const f32.sqrt drop")
        ).estimate
        #expect(empty == full)
    }

    /// Two blocks for each test that an instruction makes, or for a NaN that becomes canonical.
    @Test(arguments: [
        ("i32.const 1 i32.const 1 i32.div_s drop", 4), ("i32.const 1 i32.const 1 i32.div_u drop", 2),
        ("i32.const 1 i32.const 1 i32.rem_s drop", 2), ("f64.const i64.trunc_f64_s drop", 4),
        ("f64.const i64.trunc_sat_f64_s drop", 0), ("f32.const f32.neg drop", 0),
        ("f32.const f32.sqrt drop", 2), ("f32.const f32.const f32.copysign drop", 0),
        ("i32.const 1 i32.load drop", 2), ("i32.const 1 if else end", 3), ("i32.const 1 memory.grow drop", 0),
    ])
    func blocksAreCountedByTheRecipe(text: String, blocks: UInt64) throws {
        #expect(try work(text).estimate.blocks == work("nop").estimate.blocks + blocks)
    }

    /// A local that is read at more than 400 places of a body gets a slot.
    @Test func aLocalThatIsReadManyTimesIsBusy() throws {
        let read = "local.get 1 drop "
        #expect(try work(String(repeating: read, count: 401)).busyLocals == [1])
        #expect(try work(String(repeating: read, count: 400)).busyLocals == [])
    }

    private func work(_ text: String) throws -> FunctionWork {
        var sample = Sample(pages: (1, 1))
        sample.add("f", [], [], locals: [(2, 0x7F)], text)
        let module = try Module.decode(sample.module.bytes, profile: .fvm)
        let validated = try ValidatedModule.validate(module, profile: .fvm)
        return FunctionWork(
            module.bodies[0], validated.sideTables[0], localCount: 2, options: LoweringOptions(),
            inlining: Inlining(module, plan: nil, reserve: StackReserve(module, plan: nil)))
    }
}
