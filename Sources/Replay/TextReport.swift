import Machine
import Primitives

/// Shows a replay to people: one line per vector, more where something is wrong, the counts alone at the end.
public struct TextReport: Sendable {
    private let receipts: Bool

    /// - Parameter receipts: whether each message's whole receipt is shown.
    public init(receipts: Bool = false) { self.receipts = receipts }

    /// The lines of one vector, without the last newline.
    public func text(_ report: VectorReport) -> String {
        guard receipts, !report.messages.isEmpty else { return verdict(report) }
        var lines = [verdict(report)]
        for (index, message) in report.messages.enumerated() { lines += ReceiptReport.lines(index, message) }
        for (name, cid) in [("state root", report.stateRoot), ("built-in actors", report.manifest)] {
            if let cid { lines.append("    \(name)\(String(repeating: " ", count: 21 - name.count))\(cid.text)") }
        }
        if let list = report.priceList { lines.append("    price list           \(list)") }
        return lines.joined(separator: "\n")
    }

    private func verdict(_ report: VectorReport) -> String {
        switch report.status {
        case .skipped(let reason):
            return "skipped  \(report.name.printable()): \(reason.printable())"
        case .passed:
            return success("passed ", report)
        case .ran:
            return success("ran    ", report)
        case .failed:
            return (["FAILED   \(report.name.printable())"] + failure(report)).joined(separator: "\n")
        }
    }

    private func success(_ word: String, _ report: VectorReport) -> String {
        "\(word)  \(report.name.printable())  \(report.gasUsed) gas, \(Self.milliseconds(report.nanoseconds))"
            + Self.comparison(report.trace)
    }

    private static func comparison(_ trace: VectorReport.TraceStatus) -> String {
        switch trace {
        case .equal: ", trace equal"
        case .ignored(let reason): ", trace not compared: \(reason.printable())"
        case .notCompared, .different: ""
        }
    }

    private func failure(_ report: VectorReport) -> [String] {
        var lines: [String] = []
        if let problem = report.problem {
            lines.append("    \(report.isLocalFailure ? "failure of this machine: " : "")\(problem.printable())")
        }
        let width = 13
        for mismatch in report.mismatches {
            let place = mismatch.message.map { "message \($0), " } ?? ""
            lines.append("    \(place)\(mismatch.field)")
            lines.append("        " + Self.pad("expected", width) + mismatch.expected.printable())
            lines.append("        " + Self.pad("got", width) + mismatch.got.printable())
        }
        if case .different(let difference) = report.trace {
            lines.append(
                "    trace line \(difference.line): message \(difference.message), "
                    + "charge \(difference.charges)")
            lines.append(
                "        " + Self.pad("expected", width) + (difference.expected?.printable() ?? "end of the trace"))
            lines.append("        " + Self.pad("got", width) + (difference.got?.printable() ?? "end of the trace"))
        }
        for (index, message) in report.messages.enumerated() {
            guard let failure = message.failure, !failure.isEmpty else { continue }
            lines.append(
                "    message \(index)\(message.place.map { " (\($0))" } ?? "") ended with \(message.exitCode); actors called, innermost first:"
            )
            lines += failure.description.split(separator: "\n").map { "        \(String($0).printable())" }
        }
        return lines
    }

    /// The end of the report: what was done in one line, then the counts alone on theirs.
    public func text(_ summary: ReplaySummary) -> String {
        let answered = summary.answered.text.map { $0 + "\n" } ?? ""
        let code = summary.code.flatMap(Self.text).map { $0 + "\n" } ?? ""
        let ran = summary.ran == 0 ? "" : "\(summary.ran) ran, "
        return code + """
            \(summary.messages) messages, \(summary.gasUsed) gas in \(Self.milliseconds(summary.nanoseconds)) of \
            execution, \(summary.equalTraces) traces equal
            \(answered)\(ran)\(summary.passed) passed, \(summary.failed) failed, \(summary.skipped) skipped
            """
    }

    /// Which tiers ran; nil when all was optimised from the beginning.
    private static func text(_ code: ReplaySummary.CodeUse) -> String? {
        guard code.baseline > 0 else { return nil }
        return "\(code.optimised + code.baseline) actors: \(code.optimised) optimised, \(code.baseline) begun in the "
            + "baseline tier, \(code.replaced) of these replaced by optimised code while it ran"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> String {
        let micros = nanoseconds / 1000
        let fraction = String(micros % 1000)
        return "\(micros / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) ms"
    }
}
