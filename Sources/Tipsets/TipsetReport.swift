import Chain
import JSON
import Machine
import Primitives
import Replay
import StateTree

extension ChainReplay.Report {
    /// What came of the tipset in the form that replayed vectors have.
    ///
    /// - Parameters:
    ///   - file: the chain's, as the user named it.
    ///   - damage: why the file's blocks cannot be read, where that is so; nothing of this machine then.
    public func vectorReport(file: String, damage: String? = nil) -> VectorReport {
        var report = VectorReport(name: "height \(height)", file: file, status: .passed)
        report.epoch = height
        report.details = [.init("key", .array(key.map { .string($0.text) }))]
        switch result {
        case .success(let check): describe(check, &report)
        case .failure(let error): describe(error, damage, &report)
        }
        return report
    }

    private func describe(_ error: TipsetError, _ damage: String?, _ report: inout VectorReport) {
        switch error {
        case .migration, .unknownVersion: report.status = .skipped(error.description)
        case .implicit, .message, .minerTwice:
            report.status = .failed
            report.problem = error.description
        case .chain, .state, .local:
            report.status = .failed
            report.problem = error.description
            report.isLocalFailure = error.isLocal && damage == nil
            report.isBadInput = !report.isLocalFailure
        }
    }

    private func describe(_ check: TipsetCheck, _ report: inout VectorReport) {
        let outcome = check.outcome
        report.networkVersion = outcome.stages.last?.version
        report.messages = outcome.applied.map(\.report)
        report.stateRoot = outcome.stateRoot
        report.manifest = outcome.manifest
        report.priceList = outcome.priceList
        report.answered = outcome.answered
        report.details += [
            .init("receipts_root", .string(outcome.receiptsRoot.text)),
            .init("next_base_fee", outcome.nextBaseFee.map { .string($0.decimal) } ?? .null),
            .init(
                "machines",
                .array(
                    outcome.stages.map { stage in
                        .object([
                            "epoch": .integer(stage.epoch), "network_version": .integer(stage.version.rawValue),
                            "circulating_supply": .string(stage.circulatingSupply.decimal),
                        ])
                    })),
            .init(
                "rewards",
                .array(
                    outcome.rewards.map { reward in
                        .object(["penalty": .string(reward.penalty.decimal), "tip": .string(reward.tip.decimal)])
                    })),
            .init(
                "dropped",
                .array(
                    outcome.dropped.map { dropped in
                        .object([
                            "block": .integer(dropped.block), "cid": .string(dropped.cid.text),
                            "nonce": .integer(dropped.nonce), "expected_nonce": .integer(dropped.expectedNonce),
                        ])
                    })),
            .init("inferred_invalid_proof", check.inferredRefusal.map { .integer($0) } ?? .null),
            .init("consensus_faults", .integer(outcome.faultsFound)),
            .init("wall_nanoseconds", .integer(time.wall.nanoseconds)),
        ]
        report.mismatches = check.mismatches.flatMap { Self.mismatches($0, outcome) }
        if !check.isEqual { report.status = .failed }
    }

    /// What differs inside comes before the root.
    private static func mismatches(_ mismatch: TipsetCheck.Mismatch, _ outcome: TipsetOutcome) -> [Mismatch] {
        var inside: [Mismatch] = []
        switch mismatch {
        case .state(_, _, .success(let differences)):
            inside = differences.flatMap { difference in
                difference.fields.map { field in
                    Mismatch(
                        message: nil, field: "actor f0\(difference.id), \(field.name)", expected: field.first,
                        got: field.second)
                }
            }
        case .receipts(_, _, let first?):
            let explicit = outcome.applied.indices.filter { outcome.applied[$0].isExplicit }
            let place = first.index < explicit.count ? explicit[first.index] : nil
            inside = [
                Mismatch(
                    message: place, field: "receipt \(first.index)", expected: text(first.expected),
                    got: text(first.got))
            ]
        case .state, .receipts, .baseFee: break
        }
        return inside
            + [Mismatch(message: nil, field: mismatch.field, expected: mismatch.expected, got: mismatch.got)]
    }

    private static func text(_ receipt: Receipt?) -> String {
        guard let receipt else { return "none" }
        let events = receipt.eventsRoot.map { ", events \($0)" } ?? ""
        return "exit code \(receipt.exitCode.rawValue), \(receipt.gasUsed) gas, return "
            + "\(receipt.returnData.isEmpty ? "empty" : Hex.encode(receipt.returnData))\(events)"
    }
}
