import CodeSettings
import TestSupport
import Testing

/// LLVM's passes, each with the reason why it may run: nobody adds one, and no release of LLVM does, without a word.
@Suite struct PassListTests {
    private func passes(_ tier: Tier) throws -> [String] {
        let folder = TemporaryFolder()
        #expect(
            shell("'\(builtPrograms)/smelt-worker' --passes \(tier.rawValue) < /dev/null 2> '\(folder.path)/passes'"))
        let text = String(decoding: try #require(fileBytes(folder.path + "/passes")), as: UTF8.self)
        return text.split(separator: "\n").filter { !$0.hasPrefix("Pass Arguments") }
            .map { String($0.drop { $0 == " " }) }
    }

    /// Rows of the table: the name, a tab, the reason.
    private func reasons() throws -> [String: String] {
        let bytes = try #require(fileBytes(packageRoot + "/Tests/Golden/passes.tsv"))
        var reasons: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            #expect(cells.count == 2 && !cells[0].isEmpty && cells[1].count > 10, "\(line)")
            reasons[String(cells[0])] = String(cells.last ?? "")
        }
        return reasons
    }

    @Test func everyPassOfTheOptimisingTierHasItsReason() throws {
        let reasons = try reasons()
        let passes = try passes(.optimised)
        for pass in Set(passes) { #expect(reasons[pass] != nil, "\(pass) runs without a reason") }
        for pass in reasons.keys { #expect(passes.contains(pass), "\(pass) has a reason and does not run") }
        #expect(passes.contains("X86 DAG->DAG Instruction Selection"))
    }

    @Test func theBaselineTierRunsNoneOfThem() throws {
        #expect(try passes(.baseline).isEmpty)
    }
}
