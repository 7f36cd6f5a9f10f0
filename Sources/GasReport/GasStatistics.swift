import JSON
import Kernel
import Measuring
import Primitives
import Statistics

/// Gas and time of many messages, added up by what they are of.
public struct GasStatistics: Sendable {
    /// What rows are of.
    public enum Key: String, Sendable, CaseIterable {
        /// The name a charge has in traces; stages that no charge pays for are rows in parentheses.
        case charge
        /// What happened inside of each syscall but for the calls it made; the rest is `(no syscall)`.
        case syscall
        /// What happened inside of an actor's invocations, without what these called.
        case actor
        /// The same by method.
        case method
        /// Functions of actors' code; everything else is `(no guest code)`.
        case function
    }

    /// A row of the table.
    public struct Row: Sendable {
        public var name: String
        /// Charges, syscalls or invocations.
        public var count = 0
        /// Milligas for computing, as requested.
        public var compute: UInt64 = 0
        /// Milligas for everything else, as requested.
        public var other: UInt64 = 0
        /// Nanoseconds of all.
        public var nanoseconds = 0.0
        /// Of rows by function: how many samples their times come from.
        public var samples = 0
        /// Nanoseconds of each.
        var items: [Float] = []
        /// Nanoseconds per gas for computing, of those that charge for it.
        var ratios: [Float] = []

        /// Nanoseconds of one, by percentile; nil without any.
        public var times: Sample? { try? Sample(items.map(Double.init)) }
        /// Nanoseconds per gas for computing of one, by percentile; nil where nothing is charged for it.
        public var nanosecondsPerGas: Sample? { try? Sample(ratios.map(Double.init)) }
        /// Nanoseconds per gas for computing over all; nil where nothing is charged for it.
        public var overall: Double? { compute == 0 ? nil : nanoseconds / (Double(compute) / 1000) }

        mutating func add(_ compute: UInt64, _ other: UInt64, _ nanoseconds: Double) {
            count += 1
            self.compute = self.compute.addingSaturating(compute)
            self.other = self.other.addingSaturating(other)
            self.nanoseconds += nanoseconds
            items.append(Float(nanoseconds))
            if compute > 0 { ratios.append(Float(nanoseconds / (Double(compute) / 1000))) }
        }
    }

    public let key: Key
    private var byName: [String: Row] = [:]
    /// Messages added.
    public private(set) var messages = 0
    /// Nanoseconds by each message's own clock.
    public private(set) var elapsed = 0.0
    /// Nanoseconds in spans.
    public private(set) var measured = 0.0
    /// Nanoseconds in spans that no charge pays for.
    public private(set) var uncharged = 0.0

    public init(by key: Key) { self.key = key }

    /// The rows, those that took most time first.
    public var rows: [Row] {
        byName.values.sorted { ($0.nanoseconds, $1.name) > ($1.nanoseconds, $0.name) }
    }

    /// Adds a message. Code loading, which a node does not do for each message, counts nowhere.
    /// - Parameter functions: of its calls; only rows by function ask for them.
    public mutating func add(_ message: MeasuredMessage, functions: [FunctionProfile.Row] = []) {
        messages += 1
        elapsed += message.elapsed
        measured += message.sum
        uncharged += message.uncharged
        let timeline = message.timeline
        switch key {
        case .charge:
            for (span, time) in zip(timeline.spans, message.times) where span.source != .stage(.codeLoading) {
                byName[span.source.name, default: Row(name: span.source.name)].add(span.compute, span.other, time)
            }
        case .syscall:
            add(message, timeline.syscalls, rest: "(no syscall)") { $0.syscall }
        case .actor:
            add(message, timeline.frames.map { $0.actor ?? "(no actor)" }, rest: "(message)") { $0.frame }
        case .method:
            add(message, timeline.frames.map(\.title), rest: "(message)") { $0.frame }
        case .function: add(message, functions)
        }
    }

    private mutating func add(_ message: MeasuredMessage, _ functions: [FunctionProfile.Row]) {
        var guest: (compute: UInt64, time: Double) = (0, 0)
        for row in functions {
            let actor = message.timeline.frames[row.frame].actor ?? "(no actor)"
            let name = "\(actor).\(row.function)"
            byName[name, default: Row(name: name)].add(row.milligas, 0, row.nanoseconds)
            byName[name]?.samples += row.samples
            guest.compute += row.milligas
            guest.time += row.nanoseconds
        }
        var rest: (compute: UInt64, other: UInt64, time: Double) = (0, 0, 0)
        for (span, time) in zip(message.timeline.spans, message.times) where span.source != .stage(.codeLoading) {
            rest.compute = rest.compute.addingSaturating(span.compute)
            rest.other = rest.other.addingSaturating(span.other)
            rest.time += time
        }
        let name = "(no guest code)"
        byName[name, default: Row(name: name)].add(
            rest.compute.subtractingSaturating(guest.compute), rest.other, max(0, rest.time - guest.time))
    }

    /// Adds spans up by the name at an index they have; those without one are the rest.
    private mutating func add(
        _ message: MeasuredMessage, _ names: [String], rest: String, by index: (Timeline.Span) -> Int?
    ) {
        let count = names.count
        var sums = [(compute: UInt64, other: UInt64, time: Double)](repeating: (0, 0, 0), count: count + 1)
        for (span, time) in zip(message.timeline.spans, message.times) where span.source != .stage(.codeLoading) {
            let place = index(span) ?? count
            sums[place].compute = sums[place].compute.addingSaturating(span.compute)
            sums[place].other = sums[place].other.addingSaturating(span.other)
            sums[place].time += time
        }
        for (place, sum) in sums.enumerated() {
            let name = place == count ? rest : names[place]
            byName[name, default: Row(name: name)].add(sum.compute, sum.other, sum.time)
        }
    }
}

extension GasStatistics {
    /// Columns of the table: a name, and what a row has there; times in nanoseconds.
    private static let percentiles: [(name: String, p: Double)] = [("p50", 50), ("p90", 90), ("p99", 99)]

    /// The table as JSON: one object a row.
    public var table: JSONValue {
        .array(
            rows.map { row in
                var members: [JSONValue.Member] = [
                    .init(key.rawValue, .string(row.name)), .init("count", .integer(row.count)),
                    .init("compute_milligas", .integer(row.compute)), .init("other_milligas", .integer(row.other)),
                    .init("nanoseconds", .rounded(row.nanoseconds, 0)),
                ]
                let times = row.times
                for (name, p) in Self.percentiles {
                    members.append(.init("ns_\(name)", times.map { .rounded($0.percentile(p), 0) } ?? .null))
                }
                members.append(.init("ns_max", times.map { .rounded($0.maximum, 0) } ?? .null))
                members.append(.init("ns_per_gas", row.overall.map { .rounded($0, 4) } ?? .null))
                let ratios = row.nanosecondsPerGas
                for (name, p) in Self.percentiles {
                    members.append(.init("ns_per_gas_\(name)", ratios.map { .rounded($0.percentile(p), 4) } ?? .null))
                }
                if key == .function { members.append(.init("samples", .integer(row.samples))) }
                return .object(members)
            })
    }

    private var sums: [JSONValue.Member] {
        [
            .init("messages", .integer(messages)), .init("elapsed_ns", .rounded(elapsed, 0)),
            .init("spans_ns", .rounded(measured, 0)), .init("uncharged_ns", .rounded(uncharged, 0)),
        ]
    }

    /// Sums and the table, as a part of a document.
    public var summary: JSONValue { .object(sums + [.init("rows", table)]) }

    /// The whole of it as JSON, schema `smelt.gas.stat/1`.
    public func document(rounds: Int, left out: [JSONValue]) -> JSONValue {
        .object([
            "schema": .string("smelt.gas.stat/1"), "by": .string(key.rawValue), "messages": .integer(messages),
            "rounds": .integer(rounds), "elapsed_ns": .rounded(elapsed, 0), "spans_ns": .rounded(measured, 0),
            "uncharged_ns": .rounded(uncharged, 0), "left_out": .array(out), "rows": table,
        ])
    }
}
