import IPLD
import Primitives

/// The base fee of the tipset behind another one (FVM chain layer 2.5; Lotus, chain/store/basefee.go; FIP-0115).
public enum BaseFee {
    static let minimum: Int128 = 100
    /// Half of what a block's messages may limit: what the fee steers to.
    static let target: Int128 = 5_000_000_000
    /// A fee moves by an eighth of itself at most.
    static let change: Int128 = 8
    /// FIP-0115: the running sum of gas limits beyond which the premium counts.
    static let premiumThreshold: UInt128 = 7_999_999_999

    /// What the formulas look at of a message.
    public struct Entry: Sendable {
        public var cid: Cid
        public var sender: Address
        public var nonce: UInt64
        public var gasLimit: UInt64
        /// attoFIL per gas.
        public var feeCap: TokenAmount
        public var premium: TokenAmount
    }

    /// Whether a height has the smallest fee whatever its parents' messages say.
    public static func isSuspended(_ network: ChainNetwork, childHeight: Int64) -> Bool {
        (0..<120).contains(childHeight - 1 - network.breeze)
    }

    /// The formula that holds at a height.
    public enum Formula: Sendable {
        /// By gas limits; `packed` is the first form, in which five of four limits counted.
        case gasLimits(packed: Bool)
        /// FIP-0115, from FireHorse (network version 28) on.
        case premium

        public static func of(_ network: ChainNetwork, height: Int64) -> Formula {
            if let fireHorse = network.height(of: 28), height >= fireHorse { return .premium }
            return .gasLimits(packed: height <= network.smoke)
        }
    }

    /// The next tipset's base fee, attoFIL per gas.
    ///
    /// - Parameters:
    ///   - entries: all messages of the tipset's blocks, in their order, those that are not executed too.
    ///   - blocks: how many blocks it has.
    /// - Returns: nil where an amount is beyond 127 bits, which no chain has.
    public static func next(
        _ fee: TokenAmount, _ formula: Formula, entries: [Entry], blocks: Int
    ) -> TokenAmount? {
        guard let base = fee.narrow, base < 1 << 90, blocks > 0 else { return nil }
        let next: Int128
        switch formula {
        case .gasLimits(let packed):
            var seen: Set<Cid> = []
            let limits = entries.filter { seen.insert($0.cid).inserted }.reduce(Int128(0)) { $0 + Int128($1.gasLimit) }
            let used = packed ? limits * 5 / (4 * Int128(blocks)) : limits / Int128(blocks)
            let delta = max(-target, min(target, used - target))
            next = base + floor(floor(base * delta, target), change)
        case .premium:
            struct Sender: Hashable {
                var address: Address
                var nonce: UInt64
            }
            var seen: Set<Sender> = []
            let unique = entries.filter { seen.insert(Sender(address: $0.sender, nonce: $0.nonce)).inserted }
            let premiums = unique.map { entry in
                (min(entry.premium, max(.zero, entry.feeCap - fee)), UInt128(entry.gasLimit))
            }
            var sum: UInt128 = 0
            var quantile: Int128 = 0
            for (premium, limit) in premiums.sorted(by: { $0.0 > $1.0 }) {
                sum += limit
                if sum > premiumThreshold {
                    guard let value = premium.narrow else { return nil }
                    quantile = value
                    break
                }
            }
            let most = (base + change - 1) / change
            next = base + min(most, quantile - most)
        }
        let amount = max(minimum, next)
        return TokenAmount(hi: UInt64(amount >> 64), lo: UInt64(truncatingIfNeeded: amount))
    }

    /// Division towards minus infinity.
    private static func floor(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}

extension BaseFee.Entry {
    /// - Parameter cid: by which messages are told apart; nodes differ in whether it covers the signature.
    public init(_ message: ChainMessage, cid: Cid? = nil) {
        self.init(
            cid: cid ?? message.cid, sender: message.message.from, nonce: message.message.nonce,
            gasLimit: message.message.gasLimit, feeCap: message.message.feeCap, premium: message.message.premium)
    }
}

extension TokenAmount {
    /// The amount where 127 bits hold it.
    fileprivate var narrow: Int128? {
        guard let (hi, lo) = u128, hi >> 63 == 0 else { return nil }
        return Int128(hi) << 64 | Int128(lo)
    }
}
