import JSON
import Machine
import Primitives

/// Shows a replay to programs, as one JSON document or as one object per line.
public enum JSONReport {
    /// Changes when a name or meaning in the reports changes.
    public static let schema = "smelt.replay/1"

    /// One vector, as an element of `vectors` and as a line of ndjson.
    public static func value(_ report: VectorReport) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(report.name)), .init("file", .string(report.file)),
        ]
        if let position = report.position { members.append(.init("position", .integer(position))) }
        switch report.status {
        case .passed: members.append(.init("status", .string("passed")))
        case .ran: members.append(.init("status", .string("ran")))
        case .failed: members.append(.init("status", .string("failed")))
        case .skipped(let reason):
            members.append(.init("status", .string("skipped")))
            members.append(.init("reason", .string(reason)))
        }
        if let version = report.networkVersion {
            members.append(.init("network_version", .integer(version.rawValue)))
        }
        if let epoch = report.epoch { members.append(.init("epoch", .integer(epoch))) }
        if let problem = report.problem {
            members.append(.init("problem", .string(problem)))
            members.append(.init("local_failure", .bool(report.isLocalFailure)))
            members.append(.init("bad_input", .bool(report.isBadInput)))
        }
        members.append(.init("gas_used", .integer(report.gasUsed)))
        members.append(.init("nanoseconds", .integer(report.nanoseconds)))
        members.append(.init("reading_nanoseconds", .integer(report.readingNanoseconds)))
        members.append(.init("messages", .array(report.messages.map(value))))
        members.append(.init("mismatches", .array(report.mismatches.map(value))))
        members.append(.init("trace", value(report.trace)))
        for (name, cid) in [("state_root", report.stateRoot), ("builtin_actors", report.manifest)] {
            members.append(.init(name, cid.map { .object(["/": .string($0.text)]) } ?? .null))
        }
        members.append(.init("answered_verifications", report.answered.json))
        members.append(.init("price_list", report.priceList.map { .string($0) } ?? .null))
        members += report.details
        return .object(members)
    }

    private static func value(_ message: MessageReport) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("exit_code", .integer(message.exitCode.rawValue)),
            .init("exit_name", message.exitCode.name.map { .string($0) } ?? .null),
            .init("gas_used", .integer(message.gasUsed)),
            .init("nanoseconds", .integer(message.nanoseconds)),
            .init("processor_nanoseconds", .integer(message.processorNanoseconds)),
        ]
        if let place = message.place { members.append(.init("place", .string(place))) }
        if let cid = message.cid { members.append(.init("cid", .object(["/": .string(cid.text)]))) }
        if let sent = message.message {
            members += [
                .init("from", .string(sent.from.text())), .init("to", .string(sent.to.text())),
                .init("receiver", message.receiver.map { .string($0) } ?? .null),
                .init("method", .integer(sent.method)),
                .init("method_name", message.methodName.map { .string($0) } ?? .null),
                .init("params", .string(Base64.encode(sent.params))),
                .init("params_dag_json", DagJSON.value(cbor: sent.params) ?? .null),
            ]
        }
        if let result = message.result { members += ReceiptReport.members(result) }
        if let failure = message.failure {
            members.append(.init("cause", failure.cause.map { .string($0) } ?? .null))
            members.append(.init("backtrace", .array(failure.frames.map(value))))
        }
        return .object(members)
    }

    private static func value(_ frame: Backtrace.Frame) -> JSONValue {
        .object([
            "actor": .integer(frame.actor), "method": .integer(frame.method),
            "method_name": frame.methodName.map { .string($0) } ?? .null,
            "exit_code": .integer(frame.exitCode.rawValue), "message": .string(frame.message),
        ])
    }

    private static func value(_ mismatch: Mismatch) -> JSONValue {
        .object([
            "message": mismatch.message.map { .integer($0) } ?? .null, "field": .string(mismatch.field),
            "expected": .string(mismatch.expected), "got": .string(mismatch.got),
        ])
    }

    private static func value(_ trace: VectorReport.TraceStatus) -> JSONValue {
        switch trace {
        case .notCompared: .null
        case .ignored(let reason): .object(["equal": .null, "ignored": .string(reason)])
        case .equal: .object(["equal": .bool(true)])
        case .different(let difference):
            .object([
                "equal": .bool(false), "line": .integer(difference.line),
                "message": .integer(difference.message), "charge": .integer(difference.charges),
                "expected": difference.expected.map { .string($0) } ?? .null,
                "got": difference.got.map { .string($0) } ?? .null,
            ])
        }
    }

    /// The counts: the last line of ndjson, and `summary` of the document.
    public static func value(_ summary: ReplaySummary) -> JSONValue {
        .object([
            "schema": .string(schema), "passed": .integer(summary.passed), "failed": .integer(summary.failed),
            "skipped": .integer(summary.skipped), "ran": .integer(summary.ran),
            "local_failures": .integer(summary.localFailures),
            "bad_inputs": .integer(summary.badInputs), "equal_traces": .integer(summary.equalTraces),
            "messages": .integer(summary.messages), "gas_used": .integer(summary.gasUsed),
            "nanoseconds": .integer(summary.nanoseconds), "answered_verifications": summary.answered.json,
            "code": summary.code.map {
                .object([
                    "optimised": .integer($0.optimised), "baseline": .integer($0.baseline),
                    "replaced": .integer($0.replaced),
                ])
            } ?? .null,
        ])
    }

    /// The whole replay as one document.
    ///
    /// - Parameter shard: the part that was replayed, and how many vectors all parts have; nil for the whole.
    public static func document(
        _ reports: [VectorReport], _ summary: ReplaySummary, shard: (part: Shard, vectors: Int)? = nil
    ) -> JSONValue {
        var members: [JSONValue.Member] = [.init("schema", .string(schema))]
        if let shard {
            members.append(
                .init("shard", .object(["part": .string(shard.part.text), "vectors": .integer(shard.vectors)])))
        }
        members += [.init("vectors", .array(reports.map(value))), .init("summary", value(summary))]
        return .object(members)
    }
}
