import JSON
import Measuring
import Primitives
import Statistics

extension WhatIf {
    /// What rows of a table are of.
    public enum Key: String, Sendable, CaseIterable {
        case message, method, actor
    }

    private static let percentiles = [50.0, 75, 90, 95, 99]
    /// As many as fit beside one another.
    private static let fewPercentiles = [50.0, 90, 99]

    /// Messages with one name: how many, how they fare, and percentiles of gas and time now by before.
    private func group(_ key: Key, _ name: String, _ rows: [Row], _ percentiles: [Double]) -> JSONValue {
        let comparable = rows.filter(\.isComparable)
        var members: [JSONValue.Member] = [
            .init(key.rawValue, .string(name)), .init("messages", .integer(rows.count)),
            .init("not_same", .integer(rows.filter { $0.verdict != .same }.count)),
        ]
        for (name, values) in [
            ("gas_times", comparable.compactMap(\.gasTimes)), ("ns_times", comparable.compactMap(\.timeTimes)),
        ] {
            let sample = try? Sample(values)
            for p in percentiles {
                members.append(.init("\(name)_p\(Int(p))", sample.map { .rounded($0.percentile(p), 4) } ?? .null))
            }
            members.append(.init("\(name)_max", sample.map { .rounded($0.maximum, 4) } ?? .null))
        }
        return .object(members)
    }

    /// Rows by actor or method, those of most messages first; or each message.
    public func table(by key: Key) -> JSONValue { table(by: key, Self.percentiles) }

    private func table(by key: Key, _ percentiles: [Double]) -> JSONValue {
        if key == .message { return .array(rows.map(Self.json)) }
        let groups = Dictionary(grouping: rows) { key == .actor ? $0.actor : $0.method }
        let order = groups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        return .array(order.map { group(key, $0.key, $0.value, percentiles) })
    }

    private static func json(_ row: Row) -> JSONValue {
        func number(_ value: Double?, _ decimals: Int) -> JSONValue { value.map { .rounded($0, decimals) } ?? .null }
        return .object([
            "vector": .string(row.vector), "message": .integer(row.message), "file": .string(row.file),
            "network_version": .integer(row.networkVersion), "method": .string(row.method),
            "verdict": .string(row.verdict.rawValue), "reason": row.reason.map { .string($0) } ?? .null,
            "missing": .array(row.missing.map { .string($0.text) }), "gas_limit": .integer(row.gasLimit),
            "exit_code": .integer(row.exitCode), "new_exit_code": row.newExitCode.map { .integer($0) } ?? .null,
            "gas_used": .integer(row.gasUsed), "new_gas_used": row.newGasUsed.map { .integer($0) } ?? .null,
            "gas_needed": row.gasNeeded.map { .integer($0) } ?? .null, "gas_times": number(row.gasTimes, 4),
            "ns": .rounded(row.nanoseconds, 0), "new_ns": number(row.newNanoseconds, 0),
            "ns_times": number(row.timeTimes, 4),
        ])
    }

    /// All messages' gas and time, now by before; nil without comparable ones.
    private func total(_ old: (Row) -> Double?, _ new: (Row) -> Double?) -> JSONValue {
        var sums = (old: 0.0, new: 0.0)
        for row in rows where row.isComparable {
            guard let before = old(row), let after = new(row) else { continue }
            sums = (sums.old + before, sums.new + after)
        }
        return sums.old > 0 ? .rounded(sums.new / sums.old, 4) : .null
    }

    /// The whole, schema `smelt.gas.whatif/1`. Gas in whole gas, times in nanoseconds of processor time; `…_times` is now
    /// by before.
    /// - Parameters:
    ///   - change: what was changed, as the caller describes it.
    ///   - leftOut: vectors that do not count.
    public func json(change: JSONValue, leftOut: [JSONValue]) -> JSONValue {
        .object(
            head(change, Self.percentiles) + [
                .init("messages", table(by: .message)), .init("left_out", .array(leftOut)),
            ])
    }

    /// The same for people: of single messages only those that would fail.
    public func summary(change: JSONValue, leftOut: [JSONValue]) -> JSONValue {
        let failing = rows.filter { $0.verdict != .same }.map { row -> JSONValue in
            .object([
                "vector": .string(row.vector), "message": .integer(row.message), "method": .string(row.method),
                "verdict": .string(row.verdict.rawValue), "reason": .string(row.reason ?? ""),
                "gas_used": .integer(row.gasUsed), "gas_needed": row.gasNeeded.map { .integer($0) } ?? .null,
                "gas_limit": .integer(row.gasLimit),
            ])
        }
        return .object(
            head(change, Self.fewPercentiles) + [
                .init("not_same", .array(failing)), .init("left_out", .array(leftOut)),
            ])
    }

    private func head(_ change: JSONValue, _ percentiles: [Double]) -> [JSONValue.Member] {
        let verdicts = Verdict.allCases.map { verdict in
            JSONValue.Member(
                verdict.rawValue.replacing(" ", with: "_"), .integer(rows.filter { $0.verdict == verdict }.count))
        }
        return [
            .init("schema", .string("smelt.gas.whatif/1")), .init("change", change),
            .init("message_count", .integer(rows.count)), .init("verdicts", .object(verdicts)),
            .init(
                "gas_times",
                total {
                    $0.gasTimes == nil ? nil : Double($0.gasUsed)
                } _: {
                    $0.gasNeeded.map { Double($0) }
                }),
            .init(
                "ns_times",
                total {
                    $0.timeTimes == nil ? nil : $0.nanoseconds
                } _: {
                    $0.newNanoseconds
                }),
            .init("actors", table(by: .actor, percentiles)), .init("methods", table(by: .method, percentiles)),
        ]
    }
}
