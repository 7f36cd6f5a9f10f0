import JSON
import Machine
import Primitives
import Testing

@testable import Replay

@Suite struct ReportTests {
    static func failed() -> VectorReport {
        var report = VectorReport(name: "x", file: "x.json", status: .failed)
        report.networkVersion = NetworkVersion(rawValue: 18)
        report.mismatches = [Mismatch(message: 0, field: "exit code", expected: "0 (OK)", got: "18 (USR_FORBIDDEN)")]
        var failure = Backtrace()
        failure.push(.init(actor: 1005, method: 2, exitCode: .usrForbidden, message: "caller is not the owner"))
        failure.push(.init(actor: 1001, method: 7, exitCode: .usrForbidden, message: ""))
        report.messages = [
            MessageReport(
                exitCode: .usrForbidden, gasUsed: .max, nanoseconds: 1_234_567, processorNanoseconds: 1_000_000,
                failure: failure)
        ]
        return report
    }

    @Test func theCallChainIsShownInnermostFirst() throws {
        let lines = TextReport().text(Self.failed()).split(separator: "\n")
        let inner = try #require(lines.firstIndex { $0.contains("f01005") })
        let outer = try #require(lines.firstIndex { $0.contains("f01001") })
        #expect(inner < outer)
        #expect(lines[inner].contains("caller is not the owner"))
        #expect(lines[inner].contains("USR_FORBIDDEN"))
    }

    @Test func theCountsStandAloneOnTheLastLine() {
        var summary = ReplaySummary()
        summary.add(Self.failed())
        summary.add(VectorReport(name: "y", file: "y", status: .passed))
        summary.add(VectorReport(name: "z", file: "z", status: .skipped("because")))
        #expect(TextReport().text(summary).split(separator: "\n").last == "1 passed, 1 failed, 1 skipped")
    }

    @Test func reportsAreJSONWithExactNumbers() throws {
        var summary = ReplaySummary()
        summary.add(Self.failed())
        let text = JSONReport.document([Self.failed()], summary).text()
        let parsed = try JSON.parse(Array(text.utf8))
        let vector = try #require(parsed["vectors"]?.array?.first)
        #expect(vector["status"]?.string == "failed")
        #expect(vector["messages"]?.array?.first?["gas_used"]?.integer() == UInt64.max)
        #expect(vector["messages"]?.array?.first?["backtrace"]?.array?.count == 2)
        #expect(parsed["summary"]?["failed"]?.integer() == 1)
        #expect(!JSONReport.value(Self.failed()).text().contains("\n"))
    }
}
