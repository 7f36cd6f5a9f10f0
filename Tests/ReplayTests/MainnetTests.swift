import Foundation
import Primitives
import TestSupport
import Testing
import WasmReference

@testable import Replay

/// Real messages of mainnet, run by the reference interpreter: receipts, state roots and traces.
@Suite struct MainnetTests {
    @Test func allMainnetMessagesGiveTheReferencesReceiptsRootsAndTraces() throws {
        guard let vectors = sharedData("vectors/nv18"), let golden = sharedData("traces/nv18"),
            let bundle = try bundle("v10")
        else { return }
        let runner = try ReplayRunner(
            ReplayOptions(paths: [vectors], jobs: 2, goldenDirectory: golden), engine: ReferenceEngine.fvm(),
            bundles: [bundle])
        #expect(runner.count == 118)
        let text = TextReport()
        let summary = try runner.run { report in
            if case .passed = report.status, report.trace == .equal { return }
            Issue.record("\(text.text(report))")
        }
        #expect(summary.passed == 118)
        #expect(summary.failed == 0)
        #expect(summary.skipped == 0)
        #expect(summary.equalTraces == 118)
    }
}
