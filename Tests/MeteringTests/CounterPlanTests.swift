import SeededRandom
import TestSupport
import Testing
import Validator
import WasmFormat

@testable import Metering

/// Where the counter is stored and charged, on small functions, and why. Positions count instructions from 0.
@Suite struct CounterPlanTests {
    private let i32: UInt8 = 0x7F

    /// Functions: 0 is an import without parameters and results, 1 the one at hand with an i32, 2 one that is called. The
    /// others are inlined: 3 computes, 4 writes to memory, 5 computes and has the greatest height, 6 costs nothing.
    private func analyzed(_ text: String) throws -> AnalyzedModule {
        var module = oneFunction("")
        module.types = [WasmBytes.functionType([], []), WasmBytes.functionType([i32], [])]
        module.imports = [WasmModule.importedFunction("host", "f", type: 0)]
        module.globals = [[i32, 1, 0x41, 0, 0x0B]]
        let others = [
            "block end", "i32.const 1 i32.eqz drop", "i32.const 1 i32.const 2 i32.store",
            "i32.const 1 i32.const 2 i32.const 3 i32.add i32.add drop", "",
        ]
        module.functions = [.init(type: 1, code: Assembler.assemble(text))]
        module.functions += others.map { .init(type: 0, code: Assembler.assemble($0)) }
        return try analyze(module.bytes)
    }

    private func plan(
        _ analyzed: AnalyzedModule, _ readers: CounterPlan.Readers = .accesses
    ) throws(PlanFault) -> CounterPlan {
        try CounterPlan(
            analyzed.module.module.bodies[0], analyzed.module.sideTables[0], plan: analyzed.plan.functions[0],
            function: 1, importedFunctions: 1, inlining: analyzed.inlining, readers: readers)
    }

    private func stores(_ text: String, _ readers: CounterPlan.Readers = .accesses) throws -> [UInt32] {
        try plan(analyzed(text), readers).stores
    }

    /// Charges as `position:gas+gas`.
    private func charges(_ text: String) throws -> String {
        try plan(analyzed(text)).charges.map { charge in
            "\(charge.position):" + charge.parts.map { String($0 / 1_000) }.joined(separator: "+")
        }.joined(separator: " ")
    }

    private let load = "local.get 0 i32.load drop "

    @Test func theFirstAccessBehindAChargeStoresAndTheNextNeedNot() throws {
        #expect(try stores(load + load) == [1])
    }

    @Test func withoutAReaderNothingIsStored() throws {
        #expect(try stores("local.get 0 i32.eqz drop") == [])
    }

    @Test func accessesWithExplicitChecksReadNothing() throws {
        #expect(try stores(load + load, []) == [])
    }

    @Test func eachArmOfAnIfIsChargedSoEachStores() throws {
        #expect(try stores("local.get 0 if \(load) else \(load) end") == [3, 7])
    }

    /// What comes behind an `if` is charged with what is in front of it: both paths bring a stale counter. The first
    /// arm has a charge of its own, so the store in front does not help it.
    @Test func aStoreOnOnePathDoesNotHelpWherePathsMeet() throws {
        #expect(try stores("local.get 0 if \(load) end \(load)") == [3, 7])
    }

    /// A `block` that nothing leaves early is one metered block with its surroundings: one store is enough for all.
    @Test func aBlockWithoutBranchesKeepsWhatIsKnown() throws {
        #expect(try stores("\(load) block \(load) end \(load)") == [1])
    }

    /// The code behind a conditional branch is a metered block of its own. What follows the `block` is paid in front of
    /// it, and both paths bring a current counter.
    @Test func behindABranchThereIsAChargeAndWherePathsMeetNone() throws {
        #expect(try stores("block \(load) local.get 0 br_if 0 \(load) end \(load)") == [2, 7])
    }

    /// One of the paths brings a counter that was charged and not stored since.
    @Test func whereOnePathBringsAStaleCounterItIsStoredAgain() throws {
        #expect(try stores("block \(load) local.get 0 br_if 0 i32.const 0 drop end \(load)") == [2, 10])
    }

    /// At the head of a loop nothing is known, whatever was stored in front of it.
    @Test func theHeadOfALoopKnowsNothing() throws {
        #expect(try stores("\(load) loop \(load) local.get 0 br_if 0 end") == [1, 5])
    }

    @Test func anImportLeavesTheCounterInTheContext() throws {
        #expect(try stores("call 0 " + load) == [])
    }

    @Test func aFunctionCountsOnInItsRegister() throws {
        #expect(try stores(load + "call 2 " + load) == [1, 5])
    }

    @Test func indirectCallsReadItWhereModulesAreLinked() throws {
        let text = "local.get 0 call_indirect 0 0 \(load)"
        #expect(try stores(text, [.accesses]) == [3])
        #expect(try stores(text, [.accesses, .indirectCalls]) == [1, 3])
    }

    /// A function of the runtime reads it in every mode; the charge by operand in front of it comes first.
    @Test func functionsOfTheRuntimeReadItInEveryMode() throws {
        let text = "local.get 0 memory.grow drop local.get 0 local.get 0 local.get 0 memory.fill 0"
        #expect(try stores(text, []) == [1, 6])
        #expect(try stores("i32.const 0 table.get 0 drop", []) == [1])
    }

    /// Dropping a segment cannot fail.
    @Test func droppingASegmentReadsNothing() throws {
        #expect(try stores("memory.size drop nop") == [])
    }

    /// Copies of a few bytes are accesses, all others a function of the runtime.
    @Test func aShortCopyIsAnAccess() throws {
        let text = "local.get 0 local.get 0 i32.const %d memory.copy 0 0"
        #expect(try stores(text.replacing("%d", with: "128"), []) == [])
        #expect(try stores(text.replacing("%d", with: "129"), []) == [3])
        #expect(try stores(text.replacing("%d", with: "128")) == [3])
    }

    /// Unreachable code is charged by nobody and stores nothing; what follows it knows what its branches knew.
    @Test func unreachableCodeStoresNothing() throws {
        #expect(try stores("block \(load) br 0 \(load) end nop") == [2])
        #expect(try stores("\(load) unreachable \(load)") == [1])
    }

    // MARK: Functions in place of calls

    private func calls(_ text: String) throws -> String {
        try plan(analyzed(text)).calls.map { call in
            "\(call.position)" + (call.isTested ? " tested" : "") + (call.chargesItself ? " charges" : "")
        }.joined(separator: ", ")
    }

    /// The height is compared for the first call and for one that costs more, also where both arms have compared it.
    @Test func theHeightIsComparedWhereNothingHasToldAsMuch() throws {
        #expect(try calls("call 3 call 3 call 5 call 3") == "0 tested, 1, 2 tested, 3")
        #expect(
            try calls("local.get 0 if call 5 call 3 else call 3 end call 3") == "2 tested, 3, 5 tested, 7 tested")
    }

    /// Charges as `position:parts`.
    private func shapes(_ text: String) throws -> String {
        try plan(analyzed(text)).charges.map { "\($0.position):\($0.parts.count)" }.joined(separator: " ")
    }

    /// Behind the first comparison everything is charged in one piece.
    @Test func whatIsInlinedIsChargedWithWhatIsAroundIt() throws {
        #expect(try shapes("call 3 call 3 call 3 \(load)") == "0:1 2:3")
    }

    @Test func theBlockOfWhatShowsItsChargeIsChargedInFront() throws {
        #expect(try calls("call 5 call 4 call 4") == "0 tested, 1, 2")
        #expect(try shapes("call 5 call 4 call 4 nop") == "0:1 1:2 2:1")
    }

    /// Between a comparison and an access of memory in the same callee.
    @Test func aCalleeChargesItselfWhereTheHeightIsCompared() throws {
        #expect(try calls("call 4 \(load)") == "0 tested charges")
        #expect(try shapes("call 4 \(load)") == "0:1")
    }

    @Test func anAccessInAnInlinedFunctionLeavesTheCounterInTheContext() throws {
        #expect(try stores("call 4 " + load) == [])
        #expect(try stores("call 3 " + load) == [2])
    }

    // MARK: Charges

    private let decide = "local.get 0 br_if 0 "

    @Test func whatSomebodyCanTellIsChargedWhereItIsDue() throws {
        #expect(try charges("\(load) block \(load) \(decide) \(load) end \(load)") == "0:32 9:8")
    }

    /// Behind the first `br_if` nothing shows that the block in front of it has not been charged. The way to the second
    /// `end` is one of two: what is due is charged before it is taken.
    @Test func whatNobodyCanTellWaitsForTheNextCharge() throws {
        let text = "block block \(decide) nop nop br 1 end i32.const 1 drop end"
        #expect(try blocks(analyzed(text).plan.functions[0]) == "0:8 4:4 8:4")
        #expect(try charges(text) == "4:8+4 8:8+4")
    }

    @Test func bothArmsOfAnIfTakeWhatIsDueInFront() throws {
        #expect(try charges("local.get 0 if \(load) else local.get 0 i32.eqz drop end \(load)") == "2:16+8 6:16+8")
    }

    /// The second arm of an `if` without `else` has no place to charge.
    @Test func anIfWithoutElseTakesNothing() throws {
        #expect(try charges("local.get 0 if \(load) end \(load)") == "0:16 2:8")
    }

    /// ... unless it is the only way to the `end`.
    @Test func anIfWhoseArmDoesNotComeBackTakesWhatIsDue() throws {
        let text = "local.get 0 if return end nop nop local.get 0 i32.eqz drop"
        #expect(try blocks(analyzed(text).plan.functions[0]) == "0:8 4:8")
        #expect(try charges(text) == "2:8 4:8+8")
    }

    @Test(arguments: [
        "loop nop end", "local.get 0 global.set 0", "call 0", "local.get 0 memory.grow drop", "unreachable",
        "local.get 0 local.get 0 i32.div_u drop", "local.get 0 br_table 0,0", "return",
    ])
    func nothingWaitsPast(_ text: String) throws {
        let module = try analyzed("block local.get 0 br_if 0 \(text) nop end \(load)")
        let counter = try plan(module)
        let shown = 3 + UInt32(text.split(separator: " ").count { $0.hasPrefix("local") })
        let due = counter.charges.filter { $0.position <= shown }.flatMap(\.parts)
        #expect(due == module.plan.functions[0].blocks.filter { $0.position <= shown }.map(\.milligas))
    }

    @Test func aChargeHasEightPartsAtMost() throws {
        let nested = String(repeating: "block local.get 0 if nop return end nop end ", count: 20)
        let counter = try plan(analyzed(nested))
        #expect(counter.charges.map(\.parts.count).max() == 8)
    }

    /// The counter is an i64.
    @Test func partsWhoseSumIsNoAmountAreChargedApart() throws {
        let module = try analyzed("block block \(decide) nop nop br 1 end i32.const 1 drop end")
        var amounts = module.plan.functions[0]
        amounts.blocks[0].milligas = UInt64(Int64.max) - 3_999
        let counter = try CounterPlan(
            module.module.module.bodies[0], module.module.sideTables[0], plan: amounts, function: 1,
            importedFunctions: 1, inlining: module.inlining, readers: [])
        #expect(counter.charges.map(\.parts.count) == [1, 1, 1, 1])
        #expect(counter.charges.map(\.position) == [4, 4, 8, 8])
    }

    /// On every path, whatever is decided, all that is due has been charged in its order wherever somebody can tell, and
    /// never more than is due.
    @Test func onEveryPathAllIsChargedInOrderBeforeSomebodyCanTell() throws {
        var random = SplitMix64(seed: 7)
        var shared = 0
        for _ in 0..<400 {
            let module = try analyzed(RandomBody.text(&random))
            let counter = try plan(module)
            shared += counter.charges.count { $0.parts.count > 1 }
            for _ in 0..<40 {
                let fault = Path(module).fault(counter, &random)
                #expect(fault == nil, "\(fault ?? "")")
                guard fault == nil else { return }
            }
        }
        #expect(shared > 1_000)
    }

    /// The test above sees a charge that is missing, too large or too late.
    @Test func aWrongChargeIsSeenOnAPath() throws {
        let module = try analyzed("block block \(decide) nop nop br 1 end local.get 0 i32.eqz drop end \(load)")
        let counter = try plan(module)
        let wrong: [[CounterPlan.Charge]] = [
            Array(counter.charges.dropLast()),
            counter.charges.map { CounterPlan.Charge(position: $0.position, parts: $0.parts.map { $0 + 1 }) },
            counter.charges.map { CounterPlan.Charge(position: $0.position + 3, parts: $0.parts) },
        ]
        for charges in wrong {
            var random = SplitMix64(seed: 1)
            let faults = (0..<40).compactMap { _ in
                Path(module).fault(CounterPlan(charges: charges, stores: counter.stores), &random)
            }
            #expect(!faults.isEmpty)
        }
    }

    @Test func aPlanThatDoesNotFitIsAFault() throws {
        let analyzed = try analyze(oneFunction("nop nop").bytes)
        var plan = analyzed.plan.functions[0]
        plan.blocks.append(.init(position: 9, milligas: 1))
        let rule = PlanFault(function: 0, position: 3, rule: .leftOver(milligas: 1))
        #expect(throws: rule) {
            try CounterPlan(
                analyzed.module.module.bodies[0], analyzed.module.sideTables[0], plan: plan, function: 0,
                importedFunctions: 0, inlining: analyzed.inlining, readers: [])
        }
    }
}
