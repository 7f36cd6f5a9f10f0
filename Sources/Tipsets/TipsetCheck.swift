import Chain
import IPLD
import Machine
import Primitives
import StateTree

/// What a tipset came to beside what its child says.
public struct TipsetCheck: Sendable {
    /// One thing that is not as the child says.
    public enum Mismatch: Sendable {
        /// By actor, where both states are at hand; why not otherwise.
        case state(expected: Cid, got: Cid, Result<[StateDifference], StateError>)
        /// The first receipt that differs, where the chain's are at hand.
        case receipts(expected: Cid, got: Cid, first: ReceiptDifference?)
        case baseFee(expected: TokenAmount, got: TokenAmount)
    }

    /// A receipt that is not the chain's.
    public struct ReceiptDifference: Sendable, Equatable {
        /// In the list.
        public var index: Int
        /// nil where the chain has more or fewer.
        public var expected: Receipt?
        public var got: Receipt?
        /// The message, where one was applied.
        public var message: Cid?
    }

    public var outcome: TipsetOutcome
    public var mismatches: [Mismatch] = []
    /// The proof, in the order of the calls from 0, that must have been answered "not valid" for the chain's roots to
    /// come; nil where all were valid, or where none explains a mismatch.
    public var inferredRefusal: Int?

    public var isEqual: Bool { mismatches.isEmpty }

    /// - Parameter store: has what was executed, and what of the chain's own states and receipts there is.
    public init(_ outcome: TipsetOutcome, child: TipSet, store: any Blockstore) {
        self.outcome = outcome
        if outcome.stateRoot != child.parentStateRoot {
            let found = Result { () throws(StateError) in
                try StateDifference.between(child.parentStateRoot, outcome.stateRoot, in: store)
            }
            mismatches.append(.state(expected: child.parentStateRoot, got: outcome.stateRoot, found))
        }
        if outcome.receiptsRoot != child.parentMessageReceipts {
            let known = try? ReceiptList.read(child.parentMessageReceipts, in: store)
            mismatches.append(
                .receipts(
                    expected: child.parentMessageReceipts, got: outcome.receiptsRoot,
                    first: known.flatMap { Self.first($0, outcome) }))
        }
        if let fee = outcome.nextBaseFee, fee != child.baseFee {
            mismatches.append(.baseFee(expected: child.baseFee, got: fee))
        }
    }

    private static func first(_ expected: [Receipt], _ outcome: TipsetOutcome) -> ReceiptDifference? {
        let explicit = outcome.applied.filter(\.isExplicit)
        for index in 0..<max(expected.count, explicit.count) {
            let want = index < expected.count ? expected[index] : nil
            let got = index < explicit.count ? explicit[index] : nil
            guard want != got?.result.receipt else { continue }
            var message: Cid?
            if case .message(let entry, _)? = got?.step { message = entry.cid }
            return ReceiptDifference(index: index, expected: want, got: got?.result.receipt, message: message)
        }
        return nil
    }
}

extension TipsetCheck.Mismatch: CustomStringConvertible {
    /// Which of the child's three values differs.
    public var field: String {
        switch self {
        case .state: "state root"
        case .receipts: "receipts root"
        case .baseFee: "base fee"
        }
    }

    public var expected: String {
        switch self {
        case .state(let cid, _, _), .receipts(let cid, _, _): cid.text
        case .baseFee(let fee, _): fee.decimal
        }
    }

    public var got: String {
        switch self {
        case .state(_, let cid, _), .receipts(_, let cid, _): cid.text
        case .baseFee(_, let fee): fee.decimal
        }
    }

    public var description: String { "\(field): expected \(expected), got \(got)" }
}
