import JSON
import Measuring
import Statistics

/// Reports of several machines side by side: a price is safe where the slowest machine is fast enough, and how far the
/// second-slowest is from it says whether that one machine stands alone.
public struct ReportMerge: Sendable {
    /// Why reports are not put side by side.
    public struct Incomparable: Error, CustomStringConvertible {
        public var description: String
    }

    /// A row of at least one report.
    public struct Row: Sendable {
        /// Which table it is from, and its name there.
        public var table: String
        public var name: String
        /// Nanoseconds per gas of methods, of a step of operators, of a call of syscalls; by machine, nil where its report lacks the row.
        public var times: [Estimate?]

        /// Machines that have it, slowest first.
        var order: [Int] {
            times.indices.filter { times[$0] != nil }
                .sorted { (times[$1]?.value ?? 0, $0) < (times[$0]?.value ?? 0, $1) }
        }
    }

    /// What the reports' columns are called.
    public let machines: [String]
    private let facts: [JSONValue]
    public private(set) var rows: [Row] = []

    /// Conditions that have to be equal; the machine is what differs.
    private static let conditions = ["actors", "price_lists", "settings", "vectors"]

    /// - Parameters:
    ///   - reports: with what each is called, such as its file.
    ///   - force: puts reports of other actors, settings or vectors side by side too.
    public init(_ reports: [(name: String, report: JSONValue)], force: Bool) throws(Incomparable) {
        for (name, report) in reports {
            let schema = report["schema"]?.string ?? "none"
            // Another version means other things by the same names: no force makes that right.
            guard schema == ReportDocument.schema else {
                throw Incomparable(
                    description: "\(name): schema \(schema), this program reads \(ReportDocument.schema)")
            }
        }
        if let first = reports.first, !force {
            for (name, report) in reports.dropFirst() {
                for key in Self.conditions {
                    let (mine, other) = (first.report["conditions"]?[key], report["conditions"]?[key])
                    guard mine ?? .null == other ?? .null else {
                        throw Incomparable(
                            description: "\(first.name) and \(name): \(key) differ; --force puts them side by side")
                    }
                }
            }
        }
        machines = reports.enumerated().map { index, report in
            let processor = report.report["conditions"]?["machine"]?["processor"]?.string
            return "\(index + 1): \(processor ?? report.name)"
        }
        facts = reports.map { name, report in
            .object([
                "file": .string(name), "machine": report["conditions"]?["machine"] ?? .null,
                "compiler": report["conditions"]?["compiler"] ?? .null,
            ])
        }
        for table in ReportTable.allCases {
            let estimates = reports.map { table.estimates($0.report) }
            let names = Set(estimates.flatMap(\.keys)).sorted()
            rows += names.map { name in Row(table: table.rawValue, name: name, times: estimates.map { $0[name] }) }
        }
        // What differs most between machines first.
        rows = rows.sorted { (Self.ratio($1) ?? 0, $0.table, $0.name) < (Self.ratio($0) ?? 0, $1.table, $1.name) }
    }

    /// The slowest machine's time by the second-slowest's; nil where fewer than two have the row.
    private static func ratio(_ row: Row) -> Double? {
        let order = row.order
        guard order.count > 1, let first = row.times[order[0]], let second = row.times[order[1]] else { return nil }
        return first.value / second.value
    }

    /// The table as JSON: a row an object, with a column for each machine.
    public var table: JSONValue {
        .array(
            rows.map { row in
                let order = row.order
                func machine(_ place: Int) -> JSONValue {
                    place < order.count ? .string(machines[order[place]]) : .null
                }
                var members: [JSONValue.Member] = [
                    .init("table", .string(row.table)), .init("name", .string(row.name)),
                    .init("worst", machine(0)), .init("second", machine(1)),
                    .init("worst_by_second", Self.ratio(row).map { .rounded($0, 3) } ?? .null),
                ]
                for (name, time) in zip(machines, row.times) {
                    members.append(.init(name, time?.json(decimals: 5) ?? .null))
                }
                return .object(members)
            })
    }

    /// The whole as JSON, schema `smelt.gas.merged/1`.
    public var json: JSONValue {
        .object([
            "schema": .string("smelt.gas.merged/1"), "reports": .array(facts), "rows": table,
        ])
    }

    /// The same for people: estimates as their values alone.
    public var summary: JSONValue {
        .object([
            "reports": .array(facts),
            "rows": .array(
                (table.array ?? []).map { row in
                    .object(
                        (row.members ?? []).map { member in
                            JSONValue.Member(member.name, member.value["value"] ?? member.value)
                        })
                }),
        ])
    }
}

/// The tables of a report whose rows are compared with those of other reports.
enum ReportTable: String, CaseIterable {
    case methods, operators, syscalls

    /// Where a table stands in a report.
    private struct Place {
        /// The part of the report that has it; nil where it is the report.
        var part: String?
        /// Members whose values together name a row.
        var names: [String]
        /// The row's time: per gas, or for work whose gas is the same everywhere.
        var time: String
        /// What a yardstick took while the table was measured.
        var yardstick: String
    }

    private var place: Place {
        switch self {
        case .methods: Place(part: nil, names: ["method"], time: "ns_per_gas", yardstick: "yardstick_ns")
        case .operators:
            Place(
                part: "operators", names: ["operator", "form", "operands"], time: "step_ns", yardstick: "yardstick_ns")
        case .syscalls:
            Place(part: "operators", names: ["syscall", "operands"], time: "ns", yardstick: "syscall_yardstick_ns")
        }
    }

    /// By row: nanoseconds per gas of methods, of a step of operators, of a call of syscalls.
    func estimates(_ report: JSONValue) -> [String: Estimate] {
        let rows = place.part.map { report[$0] ?? .null } ?? report
        var out: [String: Estimate] = [:]
        for row in rows[rawValue]?.array ?? [] {
            let name = place.names.compactMap { row[$0]?.string }.filter { !$0.isEmpty }.joined(separator: " ")
            guard let estimate = Estimate(json: row[place.time]), estimate.value > 0 else { continue }
            out[name] = estimate
        }
        return out
    }

    /// What the yardstick took while the table was measured; nil without one.
    func yardstick(_ report: JSONValue) -> Estimate? {
        let source = place.part.map { report[$0] ?? .null } ?? report
        return Estimate(json: source[place.yardstick]).flatMap { $0.value > 0 ? $0 : nil }
    }
}
