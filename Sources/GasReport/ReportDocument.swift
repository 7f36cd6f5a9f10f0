import JSON
import Measuring
import Primitives
import Statistics

/// The report's numbers, from what was measured.
public struct ReportDocument: Sendable {
    /// The schema's name and version.
    public static let schema = "smelt.gas.report/2"
    /// What gas promises: nanoseconds per gas (10 gas are one nanosecond, FIP-0032).
    static let promise = 0.1

    let measured: Measured
    private let bootstrap = Bootstrap()

    let records: [MessageRecord]

    public init(_ measured: Measured) {
        self.measured = measured
        records = measured.records
    }

    /// Messages by the method they call; titles with most time first.
    var methods: [(title: String, records: [MessageRecord])] {
        Dictionary(grouping: records, by: \.title)
            .map { (title: $0.key, records: $0.value) }
            .sorted { ($1.records.elapsed, $0.title) < ($0.records.elapsed, $1.title) }
    }

    /// Nanoseconds per gas for computing of messages together, with an interval from the rounds; nil without gas, and
    /// with too few rounds for an interval.
    func perGas(_ records: [MessageRecord]) -> Estimate? {
        let gas = records.reduce(0.0) { $0 + Double($1.compute) / 1000 }
        let rounds = records.map(\.rounds.count).min() ?? 0
        guard gas > 0, rounds > 0 else { return nil }
        return try? Rounds.median(
            (0..<rounds).map { round in records.reduce(0) { $0 + $1.rounds[round] } / gas }, bootstrap: bootstrap)
    }

    /// Guest code of all messages: nanoseconds against gas, weighted so that each message's relative error counts.
    var guestFit: Result<Line, NoModel> { fit(of: "wasm_exec") }

    /// Guest code by the network version that ran it, where there are several: what fits in none together may fit in
    /// each.
    var guestFits: [(version: UInt32, line: Result<Line, NoModel>)] { Self.guestFits(records) }

    static func guestFits(_ records: [MessageRecord]) -> [(version: UInt32, line: Result<Line, NoModel>)] {
        let versions = Set(records.map(\.networkVersion)).sorted()
        guard versions.count > 1 else { return [] }
        return versions.map { version in
            (version, fit(of: "wasm_exec", records.filter { $0.networkVersion == version }))
        }
    }

    /// A charge for computing, by message: nanoseconds against gas.
    func fit(of charge: String) -> Result<Line, NoModel> { Self.fit(of: charge, records) }

    static func fit(of charge: String, _ records: [MessageRecord]) -> Result<Line, NoModel> {
        let usable = records.compactMap { record in record.charges.first { $0.name == charge && $0.compute > 0 } }
        let x = usable.map { Double($0.compute) / 1000 }
        do throws(NoModel) {
            return .success(
                try Line.fit(x: x, y: usable.map(\.nanoseconds), weights: x.map { 1 / $0 }, intercept: true))
        } catch { return .failure(error) }
    }

    /// The yardstick's time, nanoseconds.
    var yardstick: Estimate? { try? Rounds.median(measured.yardsticks, bootstrap: bootstrap) }

    // MARK: JSON

    /// The report as JSON. Gas in milligas where a name says so, times in nanoseconds; estimates have `value`, `low`
    /// and `high` at 95 %.
    public var json: JSONValue {
        .object([
            "schema": .string(Self.schema), "conditions": measured.conditions, "facts": measured.facts,
            "headline": headline,
            "yardstick_ns": yardstick?.json(decimals: 6) ?? .null, "left_out": .array(measured.leftOut),
            "fits": .array(
                [fit("guest code, by message", guestFit)]
                    + guestFits.map { fit("guest code, by message, nv\($0.version)", $0.line) } + chargeFits),
            "methods": .array(methods.map { method($0.title, $0.records) }),
            "calls": parts(\.calls, "call"), "charges": parts(\.charges, "charge"), "shares": shares,
            "operators": measured.operators, "compile": measured.compile,
            "messages": .array(
                records.map { record in
                    .object([
                        "vector": .string(record.vector), "message": .integer(record.index),
                        "network_version": .integer(record.networkVersion), "method": .string(record.title),
                        "exit_code": .integer(record.exitCode), "gas_used": .integer(record.gasUsed),
                        "compute_milligas": .integer(record.compute), "elapsed_ns": .rounded(record.elapsed, 0),
                        "ns_per_gas": record.nanosecondsPerGas.map { .rounded($0, 4) } ?? .null,
                        "uncharged_ns": .rounded(record.uncharged, 0),
                        "guest_milligas": .integer(record.guest?.compute ?? 0),
                        "guest_ns": .rounded(record.guest?.nanoseconds ?? 0, 0),
                        "rounds": .integer(record.rounds.count),
                    ])
                }),
        ])
    }

    private func fit(_ name: String, _ result: Result<Line, NoModel>) -> JSONValue {
        switch result {
        case .success(let line):
            .object([
                "model": .string(name), "points": .integer(line.count), "ns_per_gas": line.slope.json(decimals: 6),
                "intercept_ns": line.intercept.json(decimals: 6), "r_squared": .rounded(line.rSquared, 4),
                "refused": .null,
            ])
        case .failure(let reason):
            .object([
                "model": .string(name), "points": .null, "ns_per_gas": .null, "intercept_ns": .null,
                "r_squared": .null, "refused": .string(reason.description),
            ])
        }
    }

    /// A fit for every charge for computing, over messages.
    private var chargeFits: [JSONValue] {
        let names = Set(records.flatMap { $0.charges.filter { $0.compute > 0 }.map(\.name) }).subtracting(["wasm_exec"])
        return names.sorted().map { fit("\($0), by message", fit(of: $0)) }
    }

    private func method(_ title: String, _ records: [MessageRecord]) -> JSONValue {
        let ratios = try? Sample(records.compactMap(\.nanosecondsPerGas))
        let gas = try? Sample(records.map { Double($0.gasUsed) })
        let times = try? Sample(records.map(\.elapsed))
        func percentile(_ sample: Sample?, _ p: Double, _ decimals: Int) -> JSONValue {
            sample.map { .rounded($0.percentile(p), decimals) } ?? .null
        }
        var members: [JSONValue.Member] = [
            .init("method", .string(title)), .init("count", .integer(records.count)),
            .init("ns_per_gas", perGas(records)?.json(decimals: 6) ?? .null),
        ]
        for p in [50.0, 90, 95, 99] {
            members.append(.init("gas_p\(Int(p))", percentile(gas, p, 0)))
        }
        members.append(.init("gas_max", gas.map { .rounded($0.maximum, 0) } ?? .null))
        for p in [50.0, 90, 95, 99] {
            members.append(.init("ns_p\(Int(p))", percentile(times, p, 0)))
        }
        members.append(.init("ns_max", times.map { .rounded($0.maximum, 0) } ?? .null))
        for p in [1.0, 50, 99] { members.append(.init("ns_per_gas_p\(Int(p))", percentile(ratios, p, 4))) }
        for (name, share) in Self.shares(records) { members.append(.init("share_\(name)", .rounded(share, 4))) }
        return .object(members)
    }

    private func parts(_ path: KeyPath<MessageRecord, [MessageRecord.Part]>, _ key: String) -> JSONValue {
        var sums: [String: MessageRecord.Part] = [:]
        for part in records.flatMap({ $0[keyPath: path] }) {
            guard var sum = sums[part.name] else {
                sums[part.name] = part
                continue
            }
            sum.count += part.count
            sum.compute = sum.compute.addingSaturating(part.compute)
            sum.other = sum.other.addingSaturating(part.other)
            sum.nanoseconds += part.nanoseconds
            sums[part.name] = sum
        }
        return .array(
            sums.values.sorted { ($1.nanoseconds, $0.name) < ($0.nanoseconds, $1.name) }.map { sum in
                .object([
                    key: .string(sum.name), "count": .integer(sum.count), "compute_milligas": .integer(sum.compute),
                    "other_milligas": .integer(sum.other), "nanoseconds": .rounded(sum.nanoseconds, 0),
                    "ns_per_gas": sum.compute == 0
                        ? .null : .rounded(sum.nanoseconds * 1000 / Double(sum.compute), 4),
                ])
            })
    }

    // MARK: Shares and headline

    /// The share of time by part, over messages.
    static func shares(_ records: [MessageRecord]) -> [(name: String, share: Double)] {
        var total = 0.0
        var times: [ChargeClass: Double] = [:]
        for record in records {
            total += record.spans
            for part in record.charges { times[ChargeClass(charge: part.name), default: 0] += part.nanoseconds }
        }
        return ChargeClass.allCases.map { kind in
            (name: kind.rawValue, share: total > 0 ? (times[kind] ?? 0) / total : 0)
        }
    }

    private var shares: JSONValue {
        let members = Self.shares(records).map { JSONValue.Member($0.name, .rounded($0.share, 4)) }
        return .object(members)
    }

    /// The message that takes the most time for its gas.
    var worst: MessageRecord? {
        records.filter { $0.nanosecondsPerGas != nil }.max {
            ($0.nanosecondsPerGas ?? 0) < ($1.nanosecondsPerGas ?? 0)
        }
    }

    /// p99/p1 of nanoseconds per gas over the methods.
    var accuracyRatio: Double? {
        (try? Sample(methods.compactMap { perGas($0.records)?.value })).flatMap { try? $0.accuracyRatio() }
    }

    private var headline: JSONValue {
        let uncharged = records.reduce(0) { $0 + $1.uncharged }
        let spans = records.reduce(0) { $0 + $1.spans }
        let line = try? guestFit.get()
        let operators = measured.operators["summary"]
        func number(_ value: Double?, _ decimals: Int) -> JSONValue { value.map { .rounded($0, decimals) } ?? .null }
        let reproducer = worst.map { "smelt gas trace \($0.file) --message \($0.index)" }
        let members: [JSONValue.Member] = [
            .init("messages", .integer(records.count)), .init("methods", .integer(methods.count)),
            .init("ns_per_gas", perGas(records)?.json(decimals: 6) ?? .null),
            .init("accuracy_ratio_of_methods", number(accuracyRatio, 2)),
            .init("accuracy_ratio_of_operators", operators?["accuracy_ratio"] ?? .null),
            .init("worst_ns_per_gas_of_operators", operators?["worst_ns_per_gas"] ?? .null),
            .init("worst_operator", operators?["worst"] ?? .null),
            .init("worst_ns_per_gas_of_messages", number(worst?.nanosecondsPerGas, 4)),
            .init("worst_message", reproducer.map { .string($0) } ?? .null),
            .init("guest_ns_per_gas", line?.slope.json(decimals: 6) ?? .null),
            .init("guest_r_squared", number(line?.rSquared, 4)),
            .init(
                "guest_by_network_version",
                .array(
                    guestFits.map { version, line in
                        .object(
                            [.init("network_version", .integer(version))]
                                + (fit("guest code", line).members ?? []).filter { $0.name != "model" })
                    })),
            .init("share_without_charge", number(spans > 0 ? uncharged / spans : nil, 4)),
        ]
        return .object(members)
    }

    /// Tables of the report's JSON as CSV, by file name.
    public static func tables(_ json: JSONValue) -> [(name: String, text: String)] {
        ["methods", "calls", "charges", "messages", "fits"].map { name in
            (name: "\(name).csv", text: CSV.text(json[name] ?? .array([])))
        }
    }
}

/// Kinds of work a message's time goes to.
enum ChargeClass: String, CaseIterable {
    case guest, storage, hashing, signatures, proofs, memory, syscalls, uncharged

    private static let byName: [String: ChargeClass] = [
        "wasm_exec": .guest, "wasm_memory_init": .memory, "wasm_table_init": .memory, "wasm_memory_grow": .memory,
        "OnHashing": .hashing, "OnVerifySignature": .signatures, "OnRecoverSecpPublicKey": .signatures,
        "OnVerifyBlsAggregateSignature": .signatures,
    ]
    private static let byPrefix: [(prefix: String, kind: ChargeClass)] = [
        ("(", .uncharged), ("OnBlock", .storage), ("OnScanIpldLinks", .storage), ("OnVerify", .proofs),
        ("OnSubmitVerifySeal", .proofs), ("OnBatchVerifySeals", .proofs), ("OnComputeUnsealed", .proofs),
    ]

    init(charge: String) {
        self =
            Self.byName[charge] ?? Self.byPrefix.first { charge.hasPrefix($0.prefix) }?.kind ?? .syscalls
    }
}

extension [MessageRecord] {
    fileprivate var elapsed: Double { reduce(0) { $0 + $1.elapsed } }
}
