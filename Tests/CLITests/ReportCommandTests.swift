import Foundation
import JSON
import Testing

/// `smelt report merge`.
@Suite struct ReportCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func replay(_ more: String...) throws -> Tool.Run {
        try Tool.run(
            Tool.binary,
            ["replay", Tool.vectors, "--format", "json", "--tier", "baseline", "-q", "--store", folder.path("store")]
                + more)
    }

    @Test func partsOfAReplayAreJoined() throws {
        let whole = try JSON.parse(Array(try replay().output.utf8))
        let parts = try (1...2).map { part in
            try folder.write(Array(try replay("--shard", "\(part)/2").output.utf8), "part\(part).json")
        }
        let run = try Tool.smelt("report", "merge", parts[1], parts[0], "--format", "json")
        #expect(run.status == 0, "\(run.errors)")
        let joined = try JSON.parse(Array(run.output.utf8))
        func names(_ report: JSONValue) -> [String] {
            report["vectors"]?.array?.compactMap { $0["name"]?.string } ?? []
        }
        #expect(names(joined) == names(whole) && names(joined).count == 3)
        #expect(joined["summary"]?["passed"] == whole["summary"]?["passed"])
        let one = try Tool.smelt("report", "merge", parts[0])
        #expect(one.status == 2 && one.errors.contains("parts are missing: 2/2"))
        #expect(try Tool.smelt("report", "merge", parts[0], parts[1], "--format", "csv").status == 64)
    }

    @Test func whatIsNoReportIsRefused() throws {
        let other = try folder.write(Array("{\"schema\":\"else/1\"}".utf8), "else.json")
        let run = try Tool.smelt("report", "merge", other)
        #expect(run.status == 2 && run.errors.contains("schema else/1 is none that can be merged"))
        let broken = try folder.write(Array("{".utf8), "broken.json")
        #expect(try Tool.smelt("report", "merge", broken).status == 2)
        #expect(try Tool.smelt("report", "merge").status == 64)
    }
}
