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
        /// The intervals of both together are wider than the threshold to either side: nothing can be said.
        case noVerdict = "no verdict"
    }

    /// A row of both reports.
    public struct Row: Sendable {
        /// Which table it is from, and its name there.
        public var table: String
        public var name: String
        /// Nanoseconds per gas, the newer one divided by what all rows of its table have in common.
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
    /// By table, how much longer the yardstick took in the newer report, and how much longer its rows took in common,
    /// which is their median: times of the newer report are divided by it. Few rows say nothing in common; there it is
    /// the yardstick's.
    public private(set) var speeds: [(table: String, yardstick: Double, common: Double)] = []
    /// Rows from which on a median of them says something of the machine and not of one of them.
    private static let many = 20
    /// The name of the row that compares what a table's rows have in common with the yardstick.
    static let all = "(all)"
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
            onlyOld += first.keys.filter { second[$0] == nil }.sorted().map { "\(table.rawValue): \($0)" }
            onlyNew += second.keys.filter { first[$0] == nil }.sorted().map { "\(table.rawValue): \($0)" }
            guard !first.isEmpty, !second.isEmpty else { continue }
            guard let before = table.yardstick(old), let after = table.yardstick(new) else {
                throw Incomparable(description: "a report has no yardstick for its \(table.rawValue)")
            }
            let both = first.compactMap { name, estimate in second[name].map { (name: name, old: estimate, new: $0) } }
            let yardstick = after.value / before.value
            var common = yardstick
            if both.count >= Self.many, let median = try? Sample(both.map { $0.new.value / $0.old.value }).median {
                common = median
                // What all have in common is the machine's speed where the yardstick has it too.
                candidates.append(
                    Row(
                        table: table.rawValue, name: Self.all, old: before.scaled(by: 1 / before.value),
                        new: after.scaled(by: common / yardstick / after.value), verdict: .same))
            }
            speeds.append((table.rawValue, yardstick, common))
            candidates += both.sorted { $0.name < $1.name }.map {
                Row(
                    table: table.rawValue, name: $0.name, old: $0.old, new: $0.new.scaled(by: 1 / common),
                    verdict: .same)
            }
        }
        let chances = Comparisons.corrected(
            candidates.map { Comparisons.pValue($0.old, $0.new) }, by: .holm)
        rows = zip(candidates, chances).map { row, chance in
            var row = row
            let isFar = row.ratio > 1 + threshold || row.ratio < 1 / (1 + threshold)
            let widths = [row.old, row.new].map { $0.interval.width / $0.value.magnitude }
            if isFar, !row.old.interval.overlaps(row.new.interval), chance <= 0.05 {
                row.verdict = .drift
            } else if (widths[0] * widths[0] + widths[1] * widths[1]).squareRoot() / 2 > threshold {
                row.verdict = .noVerdict
            }
            return row
        }
    }

    /// Whether anything drifted.
    public var hasDrift: Bool { rows.contains { $0.verdict == .drift } }

    /// The comparison as JSON, schema `smelt.gas.diff/3`: rows that drifted first, farthest first.
    public var json: JSONValue {
        let order: [Verdict] = [.drift, .noVerdict, .same]
        func rank(_ row: Row) -> (Int, Double) {
            (order.firstIndex(of: row.verdict) ?? 0, -max(row.ratio, 1 / row.ratio))
        }
        return .object([
            "schema": .string("smelt.gas.diff/3"),
            "yardstick_ratios": .object(speeds.map { JSONValue.Member($0.table, .rounded($0.yardstick, 4)) }),
            "common_ratios": .object(speeds.map { JSONValue.Member($0.table, .rounded($0.common, 4)) }),
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
