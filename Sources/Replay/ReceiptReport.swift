import JSON
import Kernel
import Machine
import Primitives

/// Shows all that came of a message: receipt, fees, events.
enum ReceiptReport {
    /// As members of a message's JSON object.
    static func members(_ result: ApplyResult) -> [JSONValue.Member] {
        let receipt = result.receipt
        return [
            .init("return", .string(Base64.encode(receipt.returnData))),
            .init("return_dag_json", shown(result) ?? .null),
            .init("return_codec", result.returnCodec.map { .integer($0) } ?? .null),
            .init("events_root", receipt.eventsRoot.map { .object(["/": .string($0.text)]) } ?? .null),
            .init("events", .array(result.events.map(value))),
            .init(
                "fees",
                .object([
                    "penalty": .string(result.gas.minerPenalty.decimal),
                    "miner_tip": .string(result.gas.minerTip.decimal),
                    "base_fee_burn": .string(result.gas.baseFeeBurn.decimal),
                    "over_estimation_burn": .string(result.gas.overEstimationBurn.decimal),
                    "refund": .string(result.gas.refund.decimal), "gas_refund": .integer(result.gas.gasRefund),
                    "gas_burned": .integer(result.gas.gasBurned),
                ])),
        ]
    }

    /// An event, as vectors write it too.
    static func value(_ event: ActorEvent) -> JSONValue {
        .object([
            "emitter": .integer(event.emitter),
            "entries": .array(
                event.entries.map { entry in
                    .object([
                        "flags": .integer(entry.flags), "key": .string(String(decoding: entry.key, as: UTF8.self)),
                        "codec": .integer(entry.codec), "value": .string(Base64.encode(entry.value)),
                    ])
                }),
        ])
    }

    /// As lines for people.
    static func lines(_ index: Int, _ message: MessageReport) -> [String] {
        let place = message.place.map { " (\($0))" } ?? ""
        var lines = ["    message \(index)\(place): exit code \(message.exitCode), \(message.gasUsed) gas"]
        if let sent = message.message {
            let kind = message.receiver.map { " (\($0))" } ?? ""
            let name = message.methodName.map { " (\($0))" } ?? ""
            lines.append("        to                   \(sent.to.text())\(kind), method \(sent.method)\(name)")
            if let params = DagJSON.value(cbor: sent.params) {
                lines.append("        parameters           \(text(params))")
            }
        }
        guard let result = message.result else { return lines }
        let gas = result.gas
        if !result.receipt.returnData.isEmpty {
            let codec = result.returnCodec.map { " (codec 0x\(String($0, radix: 16)))" } ?? ""
            lines.append("        return               \(Hex.encode(result.receipt.returnData))\(codec)")
        }
        if let value = shown(result) { lines.append("        return as DAG-JSON   \(text(value))") }
        if let root = result.receipt.eventsRoot { lines.append("        events root          \(root.text)") }
        for event in result.events {
            let entries = event.entries.map { entry in
                "\(String(decoding: entry.key, as: UTF8.self).printable())=\(Hex.encode(entry.value))"
            }
            lines.append("        event of f0\(event.emitter)  \(entries.joined(separator: ", "))")
        }
        let amounts = [
            ("base fee burn", gas.baseFeeBurn), ("overestimation burn", gas.overEstimationBurn),
            ("miner tip", gas.minerTip), ("refund", gas.refund), ("miner penalty", gas.minerPenalty),
        ]
        for (name, amount) in amounts where !amount.isZero {
            lines.append("        \(name)\(String(repeating: " ", count: 21 - name.count))\(amount.decimal) attoFIL")
        }
        return lines
    }

    /// The return value, where it is of a known kind.
    private static func shown(_ result: ApplyResult) -> JSONValue? {
        result.returnCodec.flatMap { DagJSON.value(result.receipt.returnData, codec: $0) }
    }

    /// Characters of a value shown to people at most; `--format json` has all of it.
    private static let shownCharacters = 4_000

    private static func text(_ value: JSONValue) -> String {
        let text = value.text().printable()
        guard text.count > shownCharacters else { return text }
        return "\(text.prefix(shownCharacters))… (\(text.count) characters)"
    }
}
