import JSON
import Measuring
import Statistics

/// Two reports of one machine, row by row: what took longer or shorter for its gas, beyond noise.
public struct ReportDifference: Sendable {
    /// What is said of a row.
    public enum Verdict: String, Sendable {
        /// The intervals do not overlap, the ratio is beyond the threshold, and chance is no explanation even of the
        /// largest among so many rows.
        case drift
        case same
        /// An interval is wider than the threshold: nothing can be said.
        case noVerdict = "no verdict"
    }

    /// A row of both reports.
    public struct Row: Sendable {
        /// Which table it is from, and its name there.
        public var table: String
        public var name: String
        /// Nanoseconds per gas, the newer one divided by how much faster the yardstick was then.
        public var old: Estimate
        public var new: Estimate
        public var verdict: Verdict
        public var ratio: Double { new.value / old.value }
    }

    /// Why two reports are not compared.
    public struct Incomparable: Error, CustomStringConvertible {
        public var description: String
    }

    public private(set) var rows: [Row] = []
    /// How much longer the yardstick took in the newer report, by table: times of that one are divided by it.
    public private(set) var yardsticks: [(table: String, ratio: Double)] = []
    /// Rows that only one report has.
    public private(set) var onlyOld: [String] = []
    public private(set) var onlyNew: [String] = []

    /// Conditions that have to be equal.
    private static let conditions = ["machine", "actors", "price_lists", "settings", "vectors"]

    /// - Parameters:
    ///   - threshold: a share, 0.1 for 10 %.
    ///   - force: compares although conditions differ.
    public init(_ old: JSONValue, _ new: JSONValue, threshold: Double, force: Bool) throws(Incomparable) {
        for (name, report) in [("first", old), ("second", new)] {
            guard let schema = report["schema"]?.string, schema.hasPrefix("smelt.gas.report/") else {
                throw Incomparable(description: "the \(name) file is no report of 'smelt gas report'")
            }
            // Another version means other things by the same names: no force makes that right.
            guard schema == ReportDocument.schema else {
                throw Incomparable(
                    description: "the \(name) report has schema \(schema), this program reads \(ReportDocument.schema)")
            }
        }
        for key in Self.conditions where !force {
            let (first, second) = (old["conditions"]?[key] ?? .null, new["conditions"]?[key] ?? .null)
            guard first == second else {
                throw Incomparable(
                    description: "\(key) differ: \(first.text()) and \(second.text()); --force compares all the same")
            }
        }
        var candidates: [Row] = []
        for table in ReportTable.allCases {
            let (first, second) = (table.estimates(old), table.estimates(new))
            var factor = 1.0
            if !first.isEmpty, !second.isEmpty {
                guard let before = table.yardstick(old), let after = table.yardstick(new) else {
                    throw Incomparable(description: "a report has no yardstick for its \(table.rawValue)")
                }
                yardsticks.append((table.rawValue, after / before))
                factor = before / after
            }
            for (name, estimate) in first.sorted(by: { $0.key < $1.key }) {
                guard let other = second[name] else {
                    onlyOld.append("\(table.rawValue): \(name)")
                    continue
                }
                candidates.append(
                    Row(table: table.rawValue, name: name, old: estimate, new: other.scaled(by: factor), verdict: .same)
                )
            }
            onlyNew += second.keys.filter { first[$0] == nil }.sorted().map { "\(table.rawValue): \($0)" }
        }
        let chances = Comparisons.corrected(
            candidates.map { Comparisons.pValue($0.old, $0.new) }, by: .holm)
        rows = zip(candidates, chances).map { row, chance in
            var row = row
            let isFar = row.ratio > 1 + threshold || row.ratio < 1 / (1 + threshold)
            if isFar, !row.old.interval.overlaps(row.new.interval), chance <= 0.05 {
                row.verdict = .drift
            } else if [row.old, row.new].contains(where: { $0.interval.width > threshold * $0.value.magnitude }) {
                row.verdict = .noVerdict
            }
            return row
        }
    }

    /// Whether anything drifted.
    public var hasDrift: Bool { rows.contains { $0.verdict == .drift } }

    /// The comparison as JSON, schema `smelt.gas.diff/2`: rows that drifted first, farthest first.
    public var json: JSONValue {
        let order: [Verdict] = [.drift, .noVerdict, .same]
        func rank(_ row: Row) -> (Int, Double) {
            (order.firstIndex(of: row.verdict) ?? 0, -max(row.ratio, 1 / row.ratio))
        }
        return .object([
            "schema": .string("smelt.gas.diff/2"),
            "yardstick_ratios": .object(yardsticks.map { JSONValue.Member($0.table, .rounded($0.ratio, 4)) }),
            "drift": .integer(rows.filter { $0.verdict == .drift }.count),
            "same": .integer(rows.filter { $0.verdict == .same }.count),
            "no_verdict": .integer(rows.filter { $0.verdict == .noVerdict }.count),
            "only_in_first": .array(onlyOld.map { .string($0) }), "only_in_second": .array(onlyNew.map { .string($0) }),
            "rows": .array(
                rows.sorted { rank($0) < rank($1) }.map { row in
                    .object([
                        "verdict": .string(row.verdict.rawValue), "table": .string(row.table),
                        "name": .string(row.name), "ratio": .rounded(row.ratio, 3),
                        "old": .rounded(row.old.value, 5), "old_low": .rounded(row.old.interval.low, 5),
                        "old_high": .rounded(row.old.interval.high, 5), "new": .rounded(row.new.value, 5),
                        "new_low": .rounded(row.new.interval.low, 5), "new_high": .rounded(row.new.interval.high, 5),
                    ])
                }),
        ])
    }
}
