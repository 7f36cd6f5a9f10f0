import ModuleFuzz
import Testing
import WasmFormat

/// The part of the campaign (`make fuzz`) that every test run repeats: the same seeds each time.
@Suite(.serialized) struct CampaignTests {
    @Test func randomModulesAgreeInEveryWay() throws {
        try check(0..<14) { campaign, seed in campaign.run(seed: seed, ways: CompiledWay.everyWay) }
    }

    @Test func functionsThatTrapAtEachOfTheirInstructionsAgreeInEveryWay() throws {
        try check(0..<5) { campaign, seed in campaign.runTraps(seed: seed, ways: CompiledWay.everyWay) }
    }

    private func check(_ seeds: Range<UInt64>, _ run: (Campaign, UInt64) -> SeedResult) throws {
        let campaign = try Campaign()
        var passed = 0
        var traps = 0
        for seed in seeds {
            switch run(campaign, seed) {
            case .passed(_, let trapped):
                passed += 1
                traps += trapped
            case .skipped: break
            case .failed(let text, _): Issue.record("seed \(seed): \(text)")
            }
        }
        #expect(passed >= seeds.count * 3 / 5 && traps > 50)
    }

    @Test func equalSeedsGiveEqualModules() {
        for seed: UInt64 in 0..<5 {
            #expect(ModuleGenerator.make(seed: seed).bytes == ModuleGenerator.make(seed: seed).bytes)
        }
        #expect(ModuleGenerator.make(seed: 1).bytes != ModuleGenerator.make(seed: 2).bytes)
    }

    /// No accepted instruction is left out.
    @Test func modulesContainEveryAcceptedInstruction() throws {
        var missing = Set(Opcode.allCases.filter { $0.row.refusedBy == nil })
        for seed: UInt64 in 0..<150 where !missing.isEmpty {
            let module = try Module.decode(ModuleGenerator.make(seed: seed).bytes, profile: .fvm)
            for body in module.bodies {
                for instruction in body.instructions { missing.remove(instruction.opcode) }
            }
        }
        #expect(missing.isEmpty, "\(missing.map(\.name).sorted())")
    }

    /// Whatever the bytes are, the front end ends with a verdict.
    @Test func damagedModulesGetAVerdict() throws {
        var accepted = 0
        var refused = 0
        for seed: UInt64 in 0..<4_000 {
            var mutator = Mutator(seed: seed)
            let bytes = mutator.mutate(ModuleGenerator.make(seed: seed / 16).bytes)
            do throws(Refusal) {
                _ = try FuzzModule(bytes)
                accepted += 1
            } catch {
                #expect(!error.rule.isEmpty)
                refused += 1
            }
        }
        #expect(accepted > 100 && refused > 1_000)
    }
}
