import Foundation
import JSON
import WasmFormat

/// The committed counts: any change of any count is a failure.
public struct Expectations {
    /// One row per script, in order of title.
    private var rows: [JSONValue.Member]

    /// Reads the committed file.
    public init(path: String) throws(SuiteFailure) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SuiteFailure("\(path): cannot be read")
        }
        do { rows = try JSON.parse([UInt8](data)).members ?? [] } catch { throw SuiteFailure("\(path): \(error)") }
    }

    /// An empty table, to be blessed.
    public init() { rows = [] }

    /// Differences between a run and the table, as lines; executors that did not run are not compared.
    public func differences(_ run: SuiteRun) -> [String] {
        var lines: [String] = []
        for (title, row) in Self.table(run) {
            guard let expected = rows.first(where: { $0.name == title })?.value else {
                lines.append("\(title): not in the table of expectations")
                continue
            }
            for member in row.members ?? [] where member.name != "executors" {
                lines += Self.compare(title, member.name, expected[member.name], member.value)
            }
            for member in row["executors"]?.members ?? [] {
                lines += Self.compare(title, member.name, expected["executors"]?[member.name], member.value)
            }
        }
        return lines
    }

    /// Takes a run's counts; rows of scripts and executors that did not run stay.
    public mutating func bless(_ run: SuiteRun) {
        for (title, row) in Self.table(run) {
            guard let index = rows.firstIndex(where: { $0.name == title }) else {
                rows.append(JSONValue.Member(title, row))
                continue
            }
            let old = rows[index].value["executors"]?.members ?? []
            let new = row["executors"]?.members ?? []
            let kept = old.filter { member in !new.contains { $0.name == member.name } }
            let executors = (kept + new).sorted { $0.name < $1.name }
            let others = (row.members ?? []).filter { $0.name != "executors" }
            rows[index].value = .object(others + [JSONValue.Member("executors", .object(executors))])
        }
        rows.sort { $0.name < $1.name }
    }

    /// The file's text: one script a line.
    public var text: String {
        let lines = rows.map { row in
            var line: [UInt8] = []
            JSONValue.string(row.name).write(to: &line)
            return String(decoding: line, as: UTF8.self) + ": " + row.value.text()
        }
        return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }

    // MARK: Rows

    private static func compare(_ title: String, _ name: String, _ old: JSONValue?, _ new: JSONValue) -> [String] {
        guard old != new else { return [] }
        return ["\(title): \(name) is \(new.text()), expected \(old?.text() ?? "nothing")"]
    }

    private static func table(_ run: SuiteRun) -> [(String, JSONValue)] {
        run.verdicts.map { verdicts in
            let results = run.results.filter { $0.file == verdicts.file }
            return (verdicts.file.title, row(verdicts, results))
        }
    }

    private static func row(_ verdicts: ProfileVerdicts, _ results: [FileResult]) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let first = results.first {
            members.append(JSONValue.Member("accepted", .integer(first.accepted)))
            let refused = first.refused.map { module in
                JSONValue.array([.integer(module.line), .string(module.stage.rawValue), .string(module.rule)])
            }
            if !refused.isEmpty { members.append(JSONValue.Member("refused", .array(refused))) }
            members.append(JSONValue.Member("rejected", stages(first.stages)))
            if !first.contradicted.isEmpty {
                members.append(
                    JSONValue.Member("contradicted", .array(first.contradicted.map { .integer($0) })))
            }
            members.append(JSONValue.Member("milligas", .integer(first.milligas)))
        }
        let fvm = [JSONValue.Member("accepted", .integer(verdicts.accepted))] + (stages(verdicts.refused).members ?? [])
        members.append(JSONValue.Member("fvm", .object(fvm)))
        let executors = results.map { JSONValue.Member($0.executor, counts($0)) }.sorted { $0.name < $1.name }
        members.append(JSONValue.Member("executors", .object(executors)))
        return .object(members)
    }

    private static func stages(_ stages: [RefusalStage: Int]) -> JSONValue {
        .object(
            ProfileVerdicts.stages.compactMap { stage in
                stages[stage].map { JSONValue.Member(stage.rawValue, .integer($0)) }
            })
    }

    /// `{"return": [passed, failed, skipped], …}`, kinds that do not occur left out.
    private static func counts(_ result: FileResult) -> JSONValue {
        .object(
            AssertionKind.allCases.compactMap { kind in
                result.tallies[kind].map { tally in
                    let numbers = [tally.passed, tally.failed, tally.skipped].map { JSONValue.integer($0) }
                    return JSONValue.Member(kind.rawValue, .array(numbers))
                }
            })
    }
}
