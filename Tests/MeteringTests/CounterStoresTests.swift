import TestSupport
import Testing
import WasmFormat

@testable import Metering

/// Where the counter is stored, on small functions, and why. Positions count instructions from 0.
@Suite struct CounterStoresTests {
    private let i32: UInt8 = 0x7F

    /// Functions: 0 is an import without parameters and results, 1 the one at hand with an i32, 2 an empty one.
    private func stores(_ text: String, _ readers: CounterStores.Readers = .accesses) throws -> [UInt32] {
        var module = oneFunction("")
        module.types = [WasmBytes.functionType([], []), WasmBytes.functionType([i32], [])]
        module.imports = [WasmModule.importedFunction("host", "f", type: 0)]
        module.functions = [.init(type: 1, code: Assembler.assemble(text)), .init(type: 0, code: [])]
        let analyzed = try analyze(module.bytes)
        return try CounterStores(
            analyzed.module.module.bodies[0], analyzed.module.sideTables[0], plan: analyzed.plan.functions[0],
            function: 1, importedFunctions: 1, readers: readers
        ).positions
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

    @Test func aPlanThatDoesNotFitIsAFault() throws {
        let analyzed = try analyze(oneFunction("nop nop").bytes)
        var plan = analyzed.plan.functions[0]
        plan.blocks.append(.init(position: 9, milligas: 1))
        let rule = PlanFault(function: 0, position: 3, rule: .leftOver(milligas: 1))
        #expect(throws: rule) {
            try CounterStores(
                analyzed.module.module.bodies[0], analyzed.module.sideTables[0], plan: plan, function: 0,
                importedFunctions: 0, readers: [])
        }
    }
}
