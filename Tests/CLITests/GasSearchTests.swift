import JSON
import TestSupport
import Testing

/// `smelt gas search`, and the command it prints.
@Suite struct GasSearchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func theCommandOfWhatWasFoundRuns() throws {
        let directory = folder.path("what is found")
        let run = try Tool.smelt(
            "gas", "search", "--budget", "2", "--seed", "4", "--tier", "baseline", "--format", "json", "-o", directory,
            "--no-table")
        #expect(run.status == 0, "\(run.errors)")
        let report = try JSON.parse(Array(run.output.utf8))
        #expect(report["schema"]?.string == "smelt.gas.search/1")
        #expect(report["beside_table"]?.isNull == true)
        let worst = try #require(report["found"]?.array?.first)
        let command = try #require(worst["command"]?.string)
        // The same loop in each other engine that is there, which counts the same gas.
        for engine in try #require(worst["engines"]?.array) {
            #expect(engine["gas_per_iteration"] == worst["gas_per_iteration"])
        }
        #expect(command.hasPrefix("smelt gas measure --tier baseline '\(directory)/worst-1.wasm' loop 1 "))
        // The program under test in the place of the installed one.
        let again = try Tool.shell("smelt() { \"$0\" \"$@\"; }; \(command) --format json")
        #expect(again.status == 0, "\(again.errors)")
        let measure = try JSON.parse(Array(again.output.utf8))
        #expect(measure["schema"]?.string == "smelt.gas.measure/1")
        #expect(measure["gas_per_iteration"] == worst["gas_per_iteration"])
    }

    @Test func wrongUse() throws {
        let taken = try folder.write("", "file")
        let run = try Tool.smelt("gas", "search", "--budget", "1", "-o", taken)
        #expect(run.status == 1 && run.errors.contains("is not a directory"), "\(run.errors)")
        let module = Tool.samples + "/arithmetic.wasm"
        let unknown = try Tool.smelt("gas", "measure", module, "gdc", "1")
        #expect(unknown.status == 64 && unknown.errors.contains("no exported function 'gdc'"), "\(unknown.errors)")
        let measured = try Tool.smelt("gas", "measure", "--tier", "baseline", module, "gcd", "1", "1")
        #expect(measured.status == 1 && measured.errors.contains("milligas used"), "\(measured.errors)")
    }
}
