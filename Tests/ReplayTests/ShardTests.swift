import Foundation
import JSON
import TestSupport
import Testing

@testable import Replay

@Suite struct ShardTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A document as `smelt replay --format json` writes it.
    private func document(_ path: String, shard: Shard? = nil, jobs: Int = 1) throws -> JSONValue {
        var options = ReplayOptions(paths: [path], jobs: jobs)
        options.shard = shard
        let runner = try ReplayRunner(options, engine: NoEngine(), bundles: [])
        var reports: [VectorReport] = []
        let summary = try runner.run { reports.append($0) }
        return JSONReport.document(reports, summary, shard: shard.map { ($0, runner.total) })
    }

    /// Seven vectors, the fourth of which is broken.
    private func vectors() throws -> String? {
        guard let path = sharedData(transferVector) else { return nil }
        let transfer = try JSON.parse(try readFile(path))
        let lines = (1...7).map { index in
            index == 4 ? "{}" : transfer.replacing(["_meta", "id"], with: .string("v\(index)")).text()
        }
        return try directory.write("many.ndjson", Array(lines.joined(separator: "\n").utf8))
    }

    /// Times are the only thing in which two runs differ.
    private func withoutTimes(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(withoutTimes))
        case .object(let members):
            .object(
                members.filter { !$0.name.hasSuffix("nanoseconds") }.map { .init($0.name, withoutTimes($0.value)) })
        default: value
        }
    }

    @Test(arguments: [1, 2, 3, 7, 9]) func partsMakeTheWhole(count: Int) throws {
        guard let path = try vectors() else { return }
        let whole = withoutTimes(try document(path))
        var parts: [(file: String, report: JSONValue)] = []
        for index in 1...count {
            let shard = try #require(Shard(index: index, count: count))
            parts.append(("part\(index).json", try document(path, shard: shard, jobs: 2)))
        }
        #expect(withoutTimes(try ReplayMerge.document(parts.reversed())) == whole)
    }

    @Test func whatDoesNotBelongTogetherIsNamed() throws {
        guard let path = try vectors() else { return }
        func part(_ index: Int, _ count: Int) throws -> (file: String, report: JSONValue) {
            ("\(index)of\(count)", try document(path, shard: Shard(index: index, count: count)))
        }
        let (one, two) = (try part(1, 2), try part(2, 2))
        for (reports, complaint) in [
            ([one], "parts are missing: 2/2"), ([one, two, one], "is part 1/2, as 1of2 is"),
            ([one, try part(2, 3)], "others are parts of 2"),
            ([("whole", try document(path))], "is no report of a shard"),
            ([("other", .object(["schema": .string("x")]))], "schema is not"), ([], "no reports"),
        ] {
            let failure = #expect(throws: ReplayMerge.Failure.self) { try ReplayMerge.document(reports) }
            #expect(failure?.description.contains(complaint) == true, "\(String(describing: failure))")
        }
    }

    @Test func onlyPartsThatExistAreParts() {
        for text in ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "", "-1/2"] {
            #expect(Shard(text: text) == nil, "\(text)")
        }
        #expect(Shard(text: "2/3") == Shard(index: 2, count: 3))
    }
}
