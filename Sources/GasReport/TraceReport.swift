import GasSchedule
import JSON
import Kernel
import Measuring
import Primitives

/// One message charge by charge, with the time of every charge.
public enum TraceReport {
    /// The message as JSON: calls by number, then spans in their order. Gas in milligas, times in nanoseconds.
    /// - Parameter functions: nil when nobody asked for them.
    public static func document(_ message: MeasuredMessage, functions: [FunctionProfile.Row]? = nil) -> JSONValue {
        let timeline = message.timeline
        let gas = message.report.gasUsed
        return .object([
            "schema": .string("smelt.gas.trace/1"), "vector": .string(message.vector),
            "message": .integer(message.index), "network_version": .integer(message.networkVersion.rawValue),
            "exit_code": .integer(message.report.exitCode.rawValue), "gas_used": .integer(gas),
            "milligas_taken": .integer(timeline.taken),
            "gas_adds_up": message.gasAddsUp.map { .bool($0) } ?? .null,
            "rounds": .integer(message.rounds), "elapsed_ns": .rounded(message.elapsed, 0),
            "spans_ns": .rounded(message.sum, 0), "uncharged_ns": .rounded(message.uncharged, 0),
            "measuring_ns": .rounded(message.measuring, 0),
            "calls": .array(
                timeline.frames.enumerated().map { number, frame in
                    .object([
                        "call": .integer(number), "caller": frame.parent.map { .integer($0) } ?? .null,
                        "receiver": .string(frame.receiver), "actor": frame.actor.map { .string($0) } ?? .null,
                        "method": .integer(frame.method),
                        "method_name": frame.methodName.map { .string($0) } ?? .null,
                        "exit_code": frame.exitCode.map { .integer($0) } ?? .null,
                    ])
                }),
            "functions": functions.map { rows in .array(rows.map(function)) } ?? .null,
            "spans": .array(timeline.spans.indices.map { span(message, $0) }),
        ])
    }

    private static func function(_ row: FunctionProfile.Row) -> JSONValue {
        .object([
            "call": .integer(row.frame), "function": .string(row.function), "milligas": .integer(row.milligas),
            "ns": .object([
                "value": .rounded(row.nanoseconds, 0), "low": .rounded(row.from, 0), "high": .rounded(row.to, 0),
            ]), "samples": .integer(row.samples), "samples_of_call": .integer(row.samplesOfCall),
        ])
    }

    /// The functions inside guest code as a table.
    /// - Parameter most: rows for each call; the others are added up in one.
    public static func functions(_ message: MeasuredMessage, _ rows: [FunctionProfile.Row], most: Int = 20) -> String {
        var lines = [
            [
                pad("function", 52), right("gas", 16), right("ns", 12), right("from", 12), right("to", 12),
                right("ns/gas", 9), right("samples", 8),
            ].joined(separator: " ")
        ]
        func line(_ name: String, _ row: FunctionProfile.Row) -> String {
            let ratio = row.milligas == 0 ? "" : Decimal.text(row.nanoseconds / (Double(row.milligas) / 1000), 4)
            return [
                pad("  " + String(name.prefix(50)), 52), right(gas(row.milligas), 16),
                right(Decimal.text(row.nanoseconds, 0), 12), right(Decimal.text(row.from, 0), 12),
                right(Decimal.text(row.to, 0), 12), right(ratio, 9), right("\(row.samples)", 8),
            ].joined(separator: " ")
        }
        for (frame, functions) in Dictionary(grouping: rows, by: \.frame).sorted(by: { $0.key < $1.key }) {
            lines.append("call \(frame) \(message.timeline.frames[frame].title)")
            for row in functions.prefix(most) { lines.append(line(row.function, row)) }
            guard var rest = functions.dropFirst(most).first else { continue }
            for row in functions.dropFirst(most + 1) {
                rest.milligas += row.milligas
                rest.samples += row.samples
                rest.nanoseconds += row.nanoseconds
                rest.from += row.from
                rest.to += row.to
            }
            lines.append(line("\(functions.count - most) others", rest))
        }
        return lines.joined(separator: "\n")
    }

    /// One span as an object.
    public static func span(_ message: MeasuredMessage, _ index: Int) -> JSONValue {
        let span = message.timeline.spans[index]
        return .object([
            "span": .integer(index), "name": .string(span.source.name), "charged": .bool(span.source.isCharged),
            "call": span.frame.map { .integer($0) } ?? .null,
            "syscall": span.syscall.map { .string(message.timeline.syscalls[$0]) } ?? .null,
            "compute_milligas": .integer(span.compute), "other_milligas": .integer(span.other),
            "unpaid_milligas": .integer(span.unpaid), "ns": .rounded(message.times[index], 0),
        ])
    }

    /// As text for people: calls indented, a line a span. Calls of one syscall stay apart; nothing is summed up.
    public static func text(_ message: MeasuredMessage) -> String {
        let timeline = message.timeline
        var lines = [
            "message \(message.index) of \(message.vector): exit code \(message.report.exitCode.rawValue), "
                + "\(message.report.gasUsed) gas, "
                + "\(Decimal.text(message.elapsed / 1000, 1)) µs (\(message.rounds) rounds)"
        ]
        let header = [
            pad("span", 52), right("compute", 16), right("other", 16), right("ns", 12), right("ns/gas", 9),
        ]
        lines.append(header.joined(separator: " "))
        var depths: [Int] = []
        for frame in timeline.frames { depths.append(frame.parent.map { depths[$0] + 1 } ?? 1) }
        var seen = -1
        for (index, span) in timeline.spans.enumerated() {
            if let frame = span.frame, frame > seen {
                for call in (seen + 1)...frame {
                    let name = timeline.frames[call]
                    lines.append(
                        String(repeating: "  ", count: depths[call] - 1) + "call \(call) \(name.title) of "
                            + name.receiver + (name.exitCode.map { ", exit code \($0)" } ?? ", syscall error"))
                }
                seen = frame
            }
            let indent = String(repeating: "  ", count: span.frame.map { depths[$0] } ?? 0)
            let syscall = span.syscall.map { timeline.syscalls[$0] + " " } ?? ""
            let time = message.times[index]
            let ratio = span.compute == 0 ? "" : Decimal.text(time / (Double(span.compute) / 1000), 4)
            lines.append(
                [
                    pad(indent + syscall + span.source.name, 52), right(gas(span.compute), 16),
                    right(gas(span.other), 16), right(Decimal.text(time, 0), 12), right(ratio, 9),
                ].joined(separator: " ")
                    + (span.unpaid > 0 ? "  \(gas(span.unpaid)) not paid" : ""))
        }
        let difference = message.elapsed > 0 ? (message.sum / message.elapsed - 1) * 100 : 0
        lines.append(
            "gas taken \(gas(timeline.taken)), receipt \(message.report.gasUsed)"
                + (message.gasAddsUp == false ? ": DOES NOT ADD UP" : ""))
        lines.append(
            "spans \(Decimal.text(message.sum / 1000, 1)) µs, \(Decimal.text(difference, 2)) % from the message's own "
                + "clock; uncharged \(Decimal.text(message.uncharged / 1000, 1)) µs; "
                + "measuring took \(Decimal.text(message.measuring / 1000, 1)) µs more")
        return lines.joined(separator: "\n")
    }

    /// Milligas as gas.
    private static func gas(_ milligas: UInt64) -> String {
        let fraction = String(milligas % Milligas.perGas)
        return "\(milligas / Milligas.perGas)"
            + (milligas % Milligas.perGas == 0
                ? "" : "." + String(repeating: "0", count: 3 - fraction.count) + fraction)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
