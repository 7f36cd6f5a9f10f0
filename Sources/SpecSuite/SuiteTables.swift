import WasmFormat

/// The tables of a run as text.
public struct SuiteTables {
    private let run: SuiteRun

    public init(_ run: SuiteRun) { self.run = run }

    /// Executors in the order in which they ran.
    private var executors: [String] {
        run.results.reduce(into: []) { if !$0.contains($1.executor) { $0.append($1.executor) } }
    }

    private var suites: [String] {
        run.results.reduce(into: []) { if !$0.contains($1.file.suite) { $0.append($1.file.suite) } }
    }

    /// Everything but the last line.
    public var lines: [String] {
        executors.flatMap(counts) + rewritten + refusals + contradictions + verdictTable + failures
    }

    // MARK: Counts

    private static let columns: [(AssertionKind, String)] = [
        (.return, "return"), (.trap, "trap"), (.exhaustion, "exhaust"), (.invalid, "invalid"),
        (.malformed, "malform"), (.unlinkable, "unlink"), (.uninstantiable, "uninst"),
    ]

    /// Passed assertions by kind, then what failed and was skipped.
    private func counts(_ executor: String) -> [String] {
        var lines = [
            "", "Passed assertions, \(executor)", Self.row("", Self.columns.map(\.1) + ["failed", "skipped"]),
        ]
        for suite in suites {
            let results = run.results.filter { $0.executor == executor && $0.file.suite == suite }
            for result in results { lines.append(Self.row(result.file.title, Self.numbers([result]))) }
            lines.append(Self.row("\(suite), all \(results.count) files", Self.numbers(results)))
            let skips = SkipReason.allCases.map { reason in
                "\(results.reduce(0) { $0 + ($1.skips[reason] ?? 0) }) \(reason.rawValue)"
            }
            lines.append("  skipped: " + skips.joined(separator: "; "))
            let accepted = results.reduce(0) { $0 + $1.accepted }
            let refused = results.reduce(0) { $0 + $1.refused.count }
            lines.append("  modules: \(accepted) accepted, \(refused) refused by the profile")
        }
        return lines
    }

    private static func numbers(_ results: [FileResult]) -> [String] {
        let byKind = columns.map { kind, _ in
            String(results.reduce(0) { $0 + ($1.tallies[kind]?.passed ?? 0) })
        }
        return byKind + [
            String(results.reduce(0) { $0 + $1.failures.count }),
            String(results.reduce(0) { $0 + $1.total.skipped }),
        ]
    }

    private static func row(_ title: String, _ cells: [String]) -> String {
        title.padded(to: 34) + cells.map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }.joined()
    }

    // MARK: Lists

    private var first: [FileResult] { run.results.filter { $0.executor == executors.first } }

    private var rewritten: [String] {
        let lines = first.filter { !$0.rewritten.isEmpty }.map {
            "  " + $0.file.title.padded(to: 26) + $0.rewritten.joined(separator: ", ")
        }
        return lines.isEmpty ? [] : ["", "Forms rewritten for wast2json"] + lines
    }

    private var refusals: [String] {
        let lines = first.flatMap { result in
            result.refused.map {
                "  \(result.file.title):\($0.line)".padded(to: 32) + $0.stage.rawValue.padded(to: 22) + $0.rule
            }
        }
        return lines.isEmpty ? [] : ["", "Modules refused by the suite profile: stage and rule"] + lines
    }

    private var contradictions: [String] {
        let lines = first.flatMap { result in result.contradicted.map { "  \(result.file.title):\($0)" } }
        return lines.isEmpty ? [] : ["", "Assertions of wg-1.0 contradicted by features that are on"] + lines
    }

    /// The FVM profile's verdict on every module that scripts instantiate.
    private var verdictTable: [String] {
        let stages = ProfileVerdicts.stages
        let heads = ["accepted", "decode", "validate", "limiter", "gas", "again", "pool", "link"]
        var lines = ["", "Modules under the FVM profile, by the stage that refuses", Self.row("", heads)]
        for suite in suites {
            let verdicts = run.verdicts.filter { $0.file.suite == suite }
            let numbers = { (verdicts: [ProfileVerdicts]) in
                [verdicts.reduce(0) { $0 + $1.accepted }]
                    + stages.map { stage in verdicts.reduce(0) { $0 + ($1.refused[stage] ?? 0) } }
            }
            for verdict in verdicts { lines.append(Self.row(verdict.file.title, numbers([verdict]).map(String.init))) }
            lines.append(Self.row("\(suite), all", numbers(verdicts).map(String.init)))
        }
        return lines
    }

    private var failures: [String] {
        let lines = run.results.flatMap { result in
            result.failures.map { "  \(result.file.title):\($0.line) [\(result.executor)] \($0.text)" }
        }
        return lines.isEmpty ? [] : ["", "Failures"] + lines
    }

    /// `N passed, N failed, N skipped`, where differences from the expectations are failures.
    public func lastLine(differences: Int) -> String {
        let total = run.total
        return "\(total.passed) passed, \(total.failed + differences) failed, \(total.skipped) skipped"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
