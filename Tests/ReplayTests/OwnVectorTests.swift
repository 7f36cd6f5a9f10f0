import Foundation
import JSON
import TestSupport
import Testing
import WasmReference

@testable import Replay

/// The project's own vectors of what no recorded one shows.
@Suite struct OwnVectorTests {
    private static let folder = packageRoot + "/Tests/Samples/syscalls"

    @Test func theyPassWithTheirTraces() throws {
        let runner = try ReplayRunner(
            ReplayOptions(paths: [Self.folder + "/vectors"]), engine: ReferenceEngine.fvm(), bundles: [])
        var traces: [String: VectorReport.TraceStatus] = [:]
        let summary = try runner.run { traces[$0.name] = $0.trace }
        #expect(summary.passed == 4 && summary.failed == 0 && summary.skipped == 0)
        #expect(traces["debugging-v3"] == .equal && traces["debugging-v4"] == .equal)
    }

    /// ref-fvm 4 appends the line to the trace; ref-fvm 3 prints it.
    @Test func aLogLineIsInTheTraceOfTheNewerGeneration() throws {
        func lines(_ name: String) throws -> [String] {
            String(decoding: try readFile("\(Self.folder)/vectors/\(name).trace.jsonl"), as: UTF8.self)
                .split(separator: "\n").map(String.init).filter { $0.hasPrefix("[\"log\"") }
        }
        #expect(try lines("debugging-v4") == ["[\"log\",\"42 is Grüße\"]"])
        #expect(try lines("debugging-v3").isEmpty)
    }

    @Test func everyExpectedValueHasItsReason() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder + "/scenarios") {
            let scenario = try JSON.parse(try readFile("\(Self.folder)/scenarios/\(name)"))
            for message in try #require(scenario["messages"]?.array) {
                #expect(message["reason"]?.string?.hasPrefix("fvm/src/") == true, "\(name)")
            }
        }
    }

    @Test func debuggingIsOffUnlessAVectorSaysOtherwise() throws {
        let vector = try JSON.parse(try readFile(Self.folder + "/vectors/debugging-v4.json"))
        #expect(try Vector(json: Array(vector.text().utf8), file: "v").environment.actorDebugging)
        func environment(_ value: JSONValue?) throws -> Vector.Environment {
            let changed = vector.replacing(["preconditions", "actor_debugging"], with: value)
            return try Vector(json: Array(changed.text().utf8), file: "v").environment
        }
        #expect(try !environment(nil).actorDebugging && !environment(.null).actorDebugging)
        #expect(throws: VectorError.self) { try environment(.string("yes")) }
    }
}
