import JSON
import Kernel
import Primitives
import Statistics

/// What a report keeps of a measured message.
struct MessageRecord: Sendable {
    /// Gas and time of what has one name.
    struct Part: Sendable, Equatable {
        var name: String
        var count: Int
        /// Milligas.
        var compute: UInt64
        /// Milligas.
        var other: UInt64
        var nanoseconds: Double
    }

    var vector: String
    var index: Int
    var file: String
    var networkVersion: UInt32
    /// `actor.Method` of the call the message makes.
    var title: String
    var exitCode: UInt32
    /// Whole gas.
    var gasUsed: UInt64
    /// Nanoseconds, as `MeasuredMessage` has them.
    var elapsed: Double
    var spans: Double
    var uncharged: Double
    /// Nanoseconds of the rounds.
    var rounds: [Double]
    var charges: [Part]
    var calls: [Part]

    init(_ message: MeasuredMessage) {
        vector = message.vector
        index = message.index
        file = message.file
        networkVersion = message.networkVersion.rawValue
        title = message.timeline.frames.first?.title ?? "(no call)"
        exitCode = message.report.exitCode.rawValue
        gasUsed = message.report.gasUsed
        elapsed = message.elapsed
        spans = message.sum
        uncharged = message.uncharged
        rounds = message.elapsedByRound
        func parts(_ key: GasStatistics.Key) -> [Part] {
            var statistics = GasStatistics(by: key)
            statistics.add(message)
            return statistics.rows.map { row in
                Part(
                    name: row.name, count: row.count, compute: row.compute, other: row.other,
                    nanoseconds: row.nanoseconds)
            }
        }
        charges = parts(.charge)
        calls = parts(.method)
    }

    /// Milligas for computing, of all charges.
    var compute: UInt64 { charges.reduce(0) { $0.addingSaturating($1.compute) } }
    /// The guest's code: milligas and nanoseconds.
    var guest: Part? { charges.first { $0.name == "wasm_exec" } }
    /// Nanoseconds per gas for computing; nil without such gas.
    var nanosecondsPerGas: Double? { compute == 0 ? nil : elapsed * 1000 / Double(compute) }

    // MARK: JSON

    var json: JSONValue {
        .object([
            "vector": .string(vector), "message": .integer(index), "file": .string(file),
            "network_version": .integer(networkVersion),
            "method": .string(title), "exit_code": .integer(exitCode), "gas_used": .integer(gasUsed),
            "compute_milligas": .integer(compute), "elapsed_ns": .rounded(elapsed, 0),
            "spans_ns": .rounded(spans, 0), "uncharged_ns": .rounded(uncharged, 0),
            "rounds_ns": .array(rounds.map { .rounded($0, 0) }), "charges": .array(charges.map(Self.json)),
            "calls": .array(calls.map(Self.json)),
        ])
    }

    private static func json(_ part: Part) -> JSONValue {
        .array([
            .string(part.name), .integer(part.count), .integer(part.compute), .integer(part.other),
            .rounded(part.nanoseconds, 0),
        ])
    }

    /// Reads what `json` wrote; nil for anything else.
    init?(_ value: JSONValue) {
        guard let vector = value["vector"]?.string, let index = value["message"]?.integer(Int.self),
            let file = value["file"]?.string, let networkVersion = value["network_version"]?.integer(UInt32.self),
            let title = value["method"]?.string, let exitCode = value["exit_code"]?.integer(UInt32.self),
            let gasUsed = value["gas_used"]?.integer(UInt64.self),
            let elapsed = value["elapsed_ns"]?.double, let spans = value["spans_ns"]?.double,
            let uncharged = value["uncharged_ns"]?.double, let rounds = value["rounds_ns"]?.array,
            let charges = value["charges"]?.array, let calls = value["calls"]?.array
        else { return nil }
        self.vector = vector
        self.index = index
        self.file = file
        self.networkVersion = networkVersion
        self.title = title
        self.exitCode = exitCode
        self.gasUsed = gasUsed
        self.elapsed = elapsed
        self.spans = spans
        self.uncharged = uncharged
        self.rounds = rounds.compactMap(\.double)
        self.charges = charges.compactMap(Self.part)
        self.calls = calls.compactMap(Self.part)
        guard
            (self.rounds.count, self.charges.count, self.calls.count) == (rounds.count, charges.count, calls.count),
            !rounds.isEmpty
        else { return nil }
    }

    private static func part(_ value: JSONValue) -> Part? {
        guard let cells = value.array, cells.count == 5, let name = cells[0].string,
            let count = cells[1].integer(Int.self), let compute = cells[2].integer(UInt64.self),
            let other = cells[3].integer(UInt64.self), let time = cells[4].double
        else { return nil }
        return Part(name: name, count: count, compute: compute, other: other, nanoseconds: time)
    }
}

extension JSONValue {
    /// A number; nil for other values.
    var double: Double? { numberText.flatMap { Double($0) } }
}

extension Estimate {
    /// `value`, `low` and `high`.
    var json: JSONValue {
        .object([
            "value": .rounded(value, 6), "low": .rounded(interval.low, 6), "high": .rounded(interval.high, 6),
        ])
    }

    /// Reads what `json` wrote, and what other tables of the report have in the same form.
    init?(_ json: JSONValue?) {
        guard let value = json?["value"]?.double, let low = json?["low"]?.double, let high = json?["high"]?.double,
            low <= high
        else { return nil }
        self.init(value: value, interval: Interval(low: low, high: high))
    }
}
