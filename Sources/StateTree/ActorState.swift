import Primitives

/// An actor's entry in the state tree (state tree v5).
public struct ActorState: Sendable, Equatable {
    public var code: Cid
    public var state: Cid
    public var sequence: UInt64
    public var balance: TokenAmount
    public var delegatedAddress: Address?

    public init(code: Cid, state: Cid, sequence: UInt64, balance: TokenAmount, delegatedAddress: Address?) {
        self.code = code
        self.state = state
        self.sequence = sequence
        self.balance = balance
        self.delegatedAddress = delegatedAddress
    }
}
