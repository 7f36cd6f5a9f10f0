import TestSupport
import Testing

@testable import SpecSuite

/// The official suites: all of them with the interpreter, since it takes seconds, and a part with compiled code.
@Suite(.serialized)
struct SuiteTests {
    private static func run(_ executors: [any SuiteExecutor], _ titles: [String]? = nil) throws -> SuiteRun? {
        guard sharedData("wasm-spec/wg-1.0/address.wast") != nil else { return nil }
        let files = try ScriptFile.all(below: sharedRoot + "/wasm-spec").filter { titles?.contains($0.title) ?? true }
        return try SuiteRun.run(
            files, converter: ScriptConverter(cache: packageRoot + "/.build/spec"), executors: executors)
    }

    private static let interpreted = Result { try run([InterpreterExecutor()]) }

    private func table() throws -> Expectations {
        try Expectations(path: packageRoot + "/Tests/Spec/expectations.json")
    }

    @Test func everyApplicableAssertionHoldsOnTheInterpreter() throws {
        guard let run = try Self.interpreted.get() else { return }
        #expect(run.results.count == 163)
        #expect(run.results.flatMap(\.failures).isEmpty)
        #expect(run.total.passed > 41_000)
    }

    @Test func countsAreThoseOfTheCommittedTable() throws {
        guard let run = try Self.interpreted.get() else { return }
        #expect(try table().differences(run) == [])
    }

    @Test func anyChangeOfACountIsADifference() throws {
        guard var run = try Self.interpreted.get() else { return }
        run.results[0].tallies[.return]?.passed -= 1
        run.verdicts[1].accepted += 1
        run.results[2].milligas += 1
        #expect(try table().differences(run).count == 3)
    }

    @Test func blessingTwiceGivesTheSameText() throws {
        guard let run = try Self.interpreted.get() else { return }
        var table = Expectations()
        table.bless(run)
        let text = table.text
        table.bless(run)
        #expect(table.text == text)
        #expect(table.differences(run) == [])
    }

    @Test func partOfTheSuiteHoldsOnCompiledCodeWithEqualCharges() throws {
        let titles = [
            "wg-1.0/br_table", "wg-1.0/call_indirect", "wg-1.0/f32", "wg-1.0/i64", "wg-1.0/linking",
            "wg-1.0/conversions", "wg-2.0/bulk", "wg-2.0/memory_grow", "wg-2.0/traps",
        ]
        let executors = try Executors.make("all")
        guard let run = try Self.run(executors, titles) else { return }
        #expect(run.results.count == executors.count * titles.count)
        #expect(run.results.flatMap(\.failures).isEmpty)
        #expect(try table().differences(run) == [])
    }
}
