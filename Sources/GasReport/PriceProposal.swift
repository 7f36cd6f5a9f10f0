import JSON
import Measuring
import Primitives
import Statistics

/// The prices that a report's measurements would give, and what they would do to the gas of its messages.
///
/// Each charge for computing is scaled as a whole by what its fit says of a gas's time; a charge without a model, and
/// proofs, which are answered and not computed, keep their prices. Gas for everything else stays.
public struct PriceProposal: Sendable {
    /// A charge's new price.
    public struct Row: Sendable {
        public var charge: String
        /// What the price is multiplied by, with its interval; nil where it is kept.
        public var factor: Estimate?
        /// Why it is kept.
        public var kept: String?
    }

    /// What happens to a method's messages: new gas by old gas.
    public struct Effect: Sendable {
        public var method: String
        public var messages: Int
        public var ratios: Sample
    }

    public let anchor: Double
    public private(set) var rows: [Row] = []
    public private(set) var effects: [Effect] = []
    /// Gas of all messages, new by old: a block holds its inverse as much.
    public private(set) var total = 1.0

    /// - Parameter anchor: gas per nanosecond; the promise is 10.
    public init(_ measured: Measured, anchor: Double) {
        self.anchor = anchor
        let document = ReportDocument(measured)
        let names = Set(document.records.flatMap { $0.charges.filter { $0.compute > 0 }.map(\.name) })
        var factors: [String: Double] = [:]
        for name in names.sorted() {
            if ChargeClass(charge: name) == .proofs {
                rows.append(Row(charge: name, factor: nil, kept: "answered, not computed"))
                continue
            }
            switch document.fit(of: name) {
            case .success(let line) where line.slope.interval.low > 0:
                rows.append(Row(charge: name, factor: line.slope.scaled(by: anchor), kept: nil))
                factors[name] = line.slope.value * anchor
            case .success:
                rows.append(Row(charge: name, factor: nil, kept: "the slope's interval reaches zero"))
            case .failure(let reason): rows.append(Row(charge: name, factor: nil, kept: reason.description))
            }
        }
        var (old, new) = (0.0, 0.0)
        var ratios: [String: [Double]] = [:]
        for record in document.records where record.gasUsed > 0 {
            var change = 0.0
            for part in record.charges {
                guard let factor = factors[part.name] else { continue }
                change += Double(part.compute) / 1000 * (factor - 1)
            }
            let gas = Double(record.gasUsed)
            old += gas
            new += gas + change
            ratios[record.title, default: []].append((gas + change) / gas)
        }
        if old > 0 { total = new / old }
        effects = ratios.compactMap { title, values in
            (try? Sample(values)).map { Effect(method: title, messages: values.count, ratios: $0) }
        }.sorted { ($1.messages, $0.method) < ($0.messages, $1.method) }
    }

    /// The proposal as JSON, schema `smelt.gas.price/1`.
    public var json: JSONValue {
        .object([
            "schema": .string("smelt.gas.price/1"), "anchor_gas_per_ns": .rounded(anchor, 3),
            "gas_of_all_messages": .rounded(total, 4),
            "messages_in_a_block": .rounded(total > 0 ? 1 / total : 0, 4),
            "charges": .array(
                rows.map { row in
                    .object([
                        "charge": .string(row.charge),
                        "price_times": row.factor.map { .rounded($0.value, 3) } ?? .number("1"),
                        "low": row.factor.map { .rounded($0.interval.low, 3) } ?? .null,
                        "high": row.factor.map { .rounded($0.interval.high, 3) } ?? .null,
                        "kept": row.kept.map { .string($0) } ?? .null,
                    ])
                }),
            "methods": .array(
                effects.map { effect in
                    var members: [JSONValue.Member] = [
                        .init("method", .string(effect.method)), .init("messages", .integer(effect.messages)),
                    ]
                    for p in [50.0, 75, 90, 99] {
                        members.append(.init("gas_times_p\(Int(p))", .rounded(effect.ratios.percentile(p), 3)))
                    }
                    members.append(.init("gas_times_max", .rounded(effect.ratios.maximum, 3)))
                    return .object(members)
                }),
        ])
    }
}
