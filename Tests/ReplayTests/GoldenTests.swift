import Primitives
import TestSupport
import Testing
import WasmReference

@testable import Replay

/// The reference's own vectors: hand-made actors, Ethereum contracts, built-in actors and the executor, with
/// receipts, fees, events, state roots and traces.
@Suite struct GoldenTests {
    struct Recording: Sendable, CustomTestStringConvertible {
        var directory: String
        var bundle: String
        var vectors: Int
        /// Those without a recorded trace: it would be too long.
        var withoutTrace = 0
        var testDescription: String { directory }
    }

    static let recordings = [
        Recording(directory: "nv18", bundle: "v10", vectors: 509),
        Recording(directory: "nv20", bundle: "v11", vectors: 360),
        Recording(directory: "nv21", bundle: "v12", vectors: 360),
        Recording(directory: "nv23", bundle: "v14", vectors: 302),
        Recording(directory: "nv25", bundle: "v16", vectors: 522),
        Recording(directory: "nv28", bundle: "v18", vectors: 589, withoutTrace: 1),
    ]

    @Test(arguments: recordings)
    func goldenVectorsGiveTheReferencesResults(_ recording: Recording) throws {
        guard let vectors = sharedData("vectors/golden/\(recording.directory)"),
            let bundle = try bundle(recording.bundle)
        else { return }
        let runner = try ReplayRunner(
            ReplayOptions(paths: [vectors], jobs: 2), engine: ReferenceEngine.fvm(), bundles: [bundle])
        #expect(runner.count == recording.vectors)
        let text = TextReport()
        let summary = try runner.run { report in
            if case .passed = report.status { return }
            Issue.record("\(text.text(report))")
        }
        #expect(summary.passed == recording.vectors)
        #expect(summary.skipped == 0)
        #expect(summary.equalTraces == recording.vectors - recording.withoutTrace)
    }

    /// Every message of a recording as a vector of its own, and every vector with the results it had here.
    @Test func goldenVectorsComeApartAndAreWrittenAgain() throws {
        let recording = Self.recordings[3]
        guard let vectors = sharedData("vectors/golden/\(recording.directory)"),
            let bundle = try bundle(recording.bundle)
        else { return }
        let directory = try TemporaryDirectory()
        var options = ReplayOptions(paths: [vectors], jobs: 2)
        options.extractDirectory = directory.path + "/messages"
        options.blessOutput = directory.path + "/blessed"
        let whole = try ReplayRunner(options, engine: ReferenceEngine.fvm(), bundles: [bundle]).run { _ in }
        #expect(whole.passed == recording.vectors && whole.messages > recording.vectors)
        #expect(!whole.answered.isEmpty)
        for (folder, count) in [("messages", whole.messages), ("blessed", recording.vectors)] {
            let again = ReplayOptions(paths: [directory.path + "/" + folder], jobs: 2)
            let text = TextReport()
            let summary = try ReplayRunner(again, engine: ReferenceEngine.fvm(), bundles: [bundle]).run { report in
                if case .passed = report.status { return }
                Issue.record("\(text.text(report))")
            }
            #expect(summary.passed == count)
        }
    }
}
