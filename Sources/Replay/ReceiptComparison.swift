import Kernel
import Machine
import Primitives

/// Compares what a message gave with what the vector demands, in the order of the reference's driver: exit code,
/// return data, gas; then what only some vectors state.
struct ReceiptComparison {
    private let index: Int
    private(set) var mismatches: [Mismatch] = []

    init(message index: Int) { self.index = index }

    mutating func compare(_ expected: ExpectedReceipt, _ got: Receipt) {
        check("exit code", expected.exitCode, got.exitCode) { $0.description }
        check("return", expected.returnData, got.returnData, Self.show)
        check("gas used", expected.gasUsed, got.gasUsed) { String($0) }
        if case .stated(let root) = expected.eventsRoot {
            check("events root", root, got.eventsRoot) { $0?.text ?? "none" }
        }
    }

    mutating func compare(_ expected: [ActorEvent], _ got: [ActorEvent]) {
        check("number of events", expected.count, got.count) { String($0) }
        for (position, pair) in zip(expected, got).enumerated() {
            check("event \(position)", pair.0, pair.1, Self.show)
        }
    }

    mutating func compare(_ expected: GasOutputs, _ got: GasOutputs) {
        let amounts: [(String, KeyPath<GasOutputs, TokenAmount> & Sendable)] = [
            ("penalty", \.minerPenalty), ("miner tip", \.minerTip), ("base fee burn", \.baseFeeBurn),
            ("overestimation burn", \.overEstimationBurn), ("refund", \.refund),
        ]
        for (name, path) in amounts {
            check(name, expected[keyPath: path], got[keyPath: path]) { $0.decimal }
        }
        check("gas refund", expected.gasRefund, got.gasRefund) { String($0) }
        check("gas burned", expected.gasBurned, got.gasBurned) { String($0) }
    }

    private mutating func check<Value: Equatable>(
        _ field: String, _ expected: Value, _ got: Value, _ show: (Value) -> String
    ) {
        guard expected != got else { return }
        mismatches.append(
            Mismatch(message: index, field: field, expected: show(expected), got: show(got)))
    }

    /// Longer data is cut: the report is for people.
    private static let shownBytes = 256

    private static func show(_ bytes: [UInt8]) -> String {
        if bytes.isEmpty { return "empty" }
        if bytes.count <= shownBytes { return Hex.encode(bytes) }
        return Hex.encode(Array(bytes.prefix(shownBytes))) + "… (\(bytes.count) bytes)"
    }

    private static func show(_ event: ActorEvent) -> String {
        let entries = event.entries.map { entry in
            "\(entry.flags)/\(String(decoding: entry.key, as: UTF8.self))/0x\(String(entry.codec, radix: 16))/"
                + show(entry.value)
        }
        return "f0\(event.emitter) [\(entries.joined(separator: ", "))]"
    }
}
