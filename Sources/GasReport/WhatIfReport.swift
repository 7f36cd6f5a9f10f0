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
        // Gas is counted, time is measured: its percentiles are those of each round, with an interval over the rounds.
        let gas = try? Sample(comparable.compactMap(\.gasTimes))
        let timed = comparable.filter { !$0.rounds.isEmpty }
        let rounds = (0..<(timed.map(\.rounds.count).min() ?? 0)).compactMap { round in
            try? Sample(timed.map { $0.rounds[round].now / $0.rounds[round].before })
        }
        func percentile(_ name: String, _ p: Double) {
            members.append(.init("gas_times_\(name)", gas.map { .rounded($0.percentile(p), 4) } ?? .null))
            let time = Self.estimate(rounds.map { $0.percentile(p) })
            members.append(.init("ns_times_\(name)", time.map { $0.json(decimals: 4) } ?? .null))
        }
        for p in percentiles { percentile("p\(Int(p))", p) }
        percentile("max", 100)
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
            "ns": number(row.nanoseconds, 0), "new_ns": number(row.newNanoseconds, 0),
            "ns_times": row.timeTimes.map { $0.json(decimals: 4) } ?? .null,
        ])
    }

    /// All messages' gas, now by before; nil without comparable ones.
    private var gasTimes: JSONValue {
        let counted = rows.filter { $0.isComparable && $0.gasTimes != nil }
        let before = counted.reduce(0.0) { $0 + Double($1.gasUsed) }
        let now = counted.reduce(0.0) { $0 + Double($1.gasNeeded ?? 0) }
        return before > 0 ? .rounded(now / before, 4) : .null
    }

    /// All messages' time, now by before, with an interval over the rounds; nil without comparable ones.
    private var timeTimes: JSONValue {
        let timed = rows.filter { !$0.rounds.isEmpty }
        let times = (0..<(timed.map(\.rounds.count).min() ?? 0)).map { round in
            timed.reduce(0) { $0 + $1.rounds[round].now } / timed.reduce(0) { $0 + $1.rounds[round].before }
        }
        return Self.estimate(times).map { $0.json(decimals: 4) } ?? .null
    }

    /// The whole, schema `smelt.gas.whatif/2`. Gas in whole gas, times in nanoseconds of processor time; `…_times` is now
    /// by before, of times the median of the rounds with its interval at 95 %.
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
            .init("schema", .string("smelt.gas.whatif/2")), .init("change", change),
            .init("message_count", .integer(rows.count)), .init("verdicts", .object(verdicts)),
            .init("gas_times", gasTimes), .init("ns_times", timeTimes),
            .init("actors", table(by: .actor, percentiles)), .init("methods", table(by: .method, percentiles)),
        ]
    }
}
