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
                let plan = try MeteringPlan.make(
                    ValidatedModule.validate(module, profile: .fvm), prices: .fvm, profile: .fvm)
                let work = ModuleWork(module, plan: plan, options: LoweringOptions())
                #expect(work.tier == .optimised, "\(version) \(actor.name)")
            }
        }
    }

    /// The estimate counts a local once for every construct that assigns it, however often it does.
    @Test func aLocalCountsOnceForEachConstructAroundItsAssignments() {
        let text = """
            i32.const 0 local.set 0
            loop i32.const 1 local.set 0 i32.const 2 local.set 1
            block i32.const 3 local.set 0 i32.const 3 local.set 0 end
            i32.const 4 local.set 1
            end
            block i32.const 5 local.set 1 end
            """
        var sample = Sample()
        sample.add("f", [], [], locals: [(2, 0x7F)], text)
        let module = try? Module.decode(sample.module.bytes, profile: .fvm)
        let estimate = module.map { Estimate.make($0.bodies[0], localCount: 2, charges: 0, budget: .standard).0 }
        // The loop two, the block in it one, the block behind it one.
        #expect(estimate?.phis == 4)
        #expect(estimate?.loopLocals == 2)
    }
}
