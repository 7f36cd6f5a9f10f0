import Primitives

/// How the money set aside for a message's gas is split after it ran (FVM machine specification, section 4.4).
/// Amounts in attoFIL, gas in whole units.
public struct GasOutputs: Sendable, Equatable {
    /// Burned for the gas used.
    public var baseFeeBurn = TokenAmount.zero
    /// Burned for asking for much more gas than was used.
    public var overEstimationBurn = TokenAmount.zero
    /// What the including miner owes when the fee cap was below the base fee; only reported.
    public var minerPenalty = TokenAmount.zero
    public var minerTip = TokenAmount.zero
    /// Given back to the sender.
    public var refund = TokenAmount.zero
    public var gasRefund: UInt64 = 0
    public var gasBurned: UInt64 = 0

    public init() {}

    /// A message that was refused before it ran: only a penalty.
    public init(penalty: TokenAmount) { minerPenalty = penalty }

    /// The split for an executed explicit message; `premium` is the one written in the message.
    public init(
        gasUsed: UInt64, gasLimit: UInt64, baseFee: TokenAmount, feeCap: TokenAmount, premium: TokenAmount
    ) {
        let used = TokenAmount(gasUsed)
        let limit = TokenAmount(gasLimit)
        let pay = min(baseFee, feeCap)
        let shortfall = baseFee - pay

        (gasRefund, gasBurned) = Self.overEstimation(used: gasUsed, limit: gasLimit)
        baseFeeBurn = pay * used
        minerTip = (pay + premium > feeCap ? feeCap - pay : premium) * limit
        overEstimationBurn = pay * TokenAmount(gasBurned)
        minerPenalty = shortfall * used + shortfall * TokenAmount(gasBurned)
        refund = feeCap * limit - baseFeeBurn - minerTip - overEstimationBurn
    }

    /// Unused gas that is given back and unused gas that is burned: up to a tenth above the use is free,
    /// from there the burned share grows with the excess.
    static func overEstimation(used: UInt64, limit: UInt64) -> (refund: UInt64, burned: UInt64) {
        guard used > 0 else { return (0, limit) }
        let (wideUsed, wideLimit) = (UInt128(used), UInt128(limit))
        let free = wideUsed * 11 / 10
        let over = min(wideLimit > free ? wideLimit - free : 0, wideUsed)
        let rest = wideLimit > wideUsed ? wideLimit - wideUsed : 0
        let burned = rest * over / wideUsed
        // over ≤ used, so burned ≤ rest ≤ limit and both results fit 64 bits.
        return (UInt64(rest - burned), UInt64(burned))
    }
}
